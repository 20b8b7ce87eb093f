import { describe, expect, it } from 'vitest';

import { BadConfigurationError } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { helpText, optionName, parseOptions, SETTINGS } from './start-options.js';
import { localUrl, readSettings, unknownVariables } from './supervisor.settings.js';

function read(args: string[], environment: Record<string, string> = {}) {
  return readSettings(parseOptions(args), environment, '/clone');
}

function problemsOf(args: string[], environment: Record<string, string> = {}): string[] {
  try {
    read(args, environment);
    return [];
  } catch (error) {
    return (error as BadConfigurationError).problems;
  }
}

describe(verifies('10.1') + 'the settings of npm start', () => {
  it('have the defaults that are documented', () => {
    expect(read([])).toMatchObject({
      home: '/clone/.hive',
      redisUrl: undefined,
      dashboard: { host: '127.0.0.1', port: 7000 },
      gateway: { host: '127.0.0.1', port: 7001 },
      operatorToken: undefined,
      keepDays: { messages: 30, turns: 400, events: 14 },
      logLevel: 'info',
      demo: false,
    });
  });

  it('come from options, which win over variables', () => {
    const settings = read(['--dashboard-port', '7100', '--home=/srv/my hive', '--demo'], {
      HIVE_DASHBOARD_PORT: '7200',
      HIVE_GATEWAY_PORT: '7201',
    });
    expect(settings).toMatchObject({
      home: '/srv/my hive',
      dashboard: { port: 7100 },
      gateway: { port: 7201 },
      demo: true,
    });
  });

  it('may be written as their variables', () => {
    expect(read(['--HIVE_LOG_LEVEL', 'debug']).logLevel).toBe('debug');
    expect(read(['--hive-home', 'here']).home).toBe('/clone/here');
  });

  it.each([
    [['--dashboard-port', '0'], {}, /HIVE_DASHBOARD_PORT="0": allowed are whole numbers/],
    [['--dashboard-port', '7e3'], {}, /HIVE_DASHBOARD_PORT="7e3": allowed/],
    [['--dashboard-port', ' 7000'], {}, /HIVE_DASHBOARD_PORT=/],
    [['--gateway-port', '7000'], {}, /HIVE_GATEWAY_PORT=7000: the dashboard has this port/],
    [['--gateway-host', 'not a host'], {}, /HIVE_GATEWAY_HOST="not a host": allowed are an IP/],
    [['--container-driver', 'vm'], {}, /HIVE_CONTAINER_DRIVER="vm": allowed are process, /],
    [['--log-level', 'loud'], {}, /HIVE_LOG_LEVEL="loud": allowed are trace, /],
    [['--message-days', '0'], {}, /HIVE_MESSAGE_DAYS="0": allowed are whole days from 1 to 36500/],
    [[], { HIVE_TURN_DAYS: '1e3' }, /HIVE_TURN_DAYS="1e3": allowed/],
    [['--event-days=x'], {}, /HIVE_EVENT_DAYS="x": allowed/],
    [['--home', '/'], {}, /HIVE_HOME="\/": allowed/],
    [['--home', 'a\nb'], {}, /HIVE_HOME="a\\nb": allowed/],
    [['--redis-url', 'localhost:6379'], {}, /HIVE_REDIS_URL="localhost:6379": allowed are redis/],
    [['--port', '1'], {}, /"--port": there is no such option; allowed are --home, /],
    [['demo'], {}, /"demo": there is no such option/],
    [['--log-level'], {}, /--log-level: a value must follow/],
    [['--log-level', '--demo'], {}, /--log-level: a value must follow/],
    [['--reachable', 'relative'], {}, /HIVE_REACHABLE="relative": allowed are absolute/],
    [['--reachable', '/usr:/no/such'], {}, /HIVE_REACHABLE="\/no\/such": allowed are paths/],
    [[], { HIVE_OPERATOR_TOKEN: 'two words' }, /HIVE_OPERATOR_TOKEN=\(hidden\): allowed/],
  ])('refuse %j %j', (args, environment, message) => {
    const problems = problemsOf(args, environment);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
  });

  it('are all refused in one message', () => {
    expect(
      problemsOf(['--log-level', 'x', '--nope', '3'], { HIVE_GATEWAY_PORT: 'y' }),
    ).toHaveLength(3);
  });

  it('name a misspelt variable', () => {
    expect(unknownVariables({ HIVE_DASHBORD_PORT: '1', HIVE_HOME: '/x', PATH: '/bin' })).toEqual([
      'HIVE_DASHBORD_PORT',
    ]);
  });

  it('are all listed by --help', () => {
    expect(parseOptions(['--help']).help).toBe(true);
    for (const variable of Object.keys(SETTINGS)) {
      expect(helpText()).toContain(variable);
      expect(helpText()).toContain(optionName(variable));
    }
  });

  it.each([
    ['0.0.0.0', 'http://127.0.0.1:7000'],
    ['::', 'http://[::1]:7000'],
    ['192.0.2.7', 'http://192.0.2.7:7000'],
  ])('%s is reached at %s', (host, url) => {
    expect(localUrl({ setting: 'HIVE_DASHBOARD_PORT', host, port: 7000 })).toBe(url);
  });
});
