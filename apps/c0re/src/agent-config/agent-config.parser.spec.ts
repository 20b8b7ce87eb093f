import { describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { parseAgentConfig, parseAgentYaml } from './agent-config.parser.js';
import type { ConfigProblem } from './config-problem.js';

function problemsOf(run: () => unknown): ConfigProblem[] {
  try {
    run();
  } catch (error) {
    if (error instanceof HiveError && error.code === 'invalid_config') {
      return (error.details as { problems: ConfigProblem[] }).problems;
    }
    throw error;
  }
  return [];
}

describe(verifies('4.4') + 'agent.yaml', () => {
  it('fills in every default', () => {
    expect(parseAgentYaml('').config).toEqual({
      role: 'agent',
      driver: 'claude',
      command: [],
      model: null,
      system_prompt: '',
      env: {},
      mcp_servers: {},
      allowed_tools: ['Bash', 'Edit', 'Read', 'Write', 'Glob', 'Grep'],
      allowed_recipients: [],
      container: null,
      network: 'model',
      network_allow: [],
      quiet_window_ms: 250,
      auto_compact: { watermark: 0.75 },
      limits: {
        memory: '2G',
        cpu: 1,
        pids: 512,
        turn_seconds: 3600,
        reminders_pending: 50,
        reminders_per_hour: 60,
        reminder_burst: 10,
        sends_per_minute: 60,
        send_burst: 20,
        inbox: 1000,
        usd_per_turn: null,
        usd_per_day: null,
        tokens_per_day: null,
      },
    });
  });

  it('takes every key of the documented example', () => {
    const { config } = parseAgentYaml(`
role: agent
driver: claude
command: [/opt/claude]
model: sonnet
system_prompt: |
  Be brief.
env: {ANTHROPIC_BASE_URL: "http://127.0.0.1:9999", KEY: "secret:API_KEY"}
mcp_servers:
  files: {command: /bin/files, args: [--fast], env: {A: b}}
  web: {url: "https://example.org/mcp", headers: {Authorization: "secret:WEB"}}
allowed_tools: [Bash]
allowed_recipients: [manager, operator, other]
container: process
network: none
network_allow: [example.org]
quiet_window_ms: 0
auto_compact: {watermark: 0.5}
limits: {memory: 512M, cpu: 0.5, pids: 100, turn_seconds: 60, usd_per_turn: 1.5, usd_per_day: null, tokens_per_day: 1000}
`);
    expect(config).toMatchObject({
      model: 'sonnet',
      system_prompt: 'Be brief.\n',
      mcp_servers: {
        files: { command: '/bin/files', args: ['--fast'], env: { A: 'b' } },
        web: { url: 'https://example.org/mcp', headers: { Authorization: 'secret:WEB' } },
      },
      quiet_window_ms: 0,
      limits: { memory: '512M', usd_per_turn: 1.5, inbox: 1000 },
    });
  });

  it('keeps the text as it was written, and writes one for the object form', () => {
    const text = '# why\nmodel: sonnet\n';
    expect(parseAgentYaml(text).yaml).toBe(text);
    const written = parseAgentConfig({ model: 'sonnet', limits: { pids: 64 } });
    expect(parseAgentYaml(written.yaml).config).toEqual(written.config);
  });

  it('refuses unknown keys at every level with their line and the likely meaning', () => {
    const problems = problemsOf(() =>
      parseAgentYaml(
        'driver: claude\nmodle: sonnet\nlimits:\n  pids: 64\n  turn_second: 5\nmcp_servers:\n  x:\n    command: /x\n    cwd: /tmp\nzzzzzz: 1\n',
      ),
    );
    expect(problems).toEqual([
      { key: 'modle', line: 2, message: 'unknown key; did you mean "model"?' },
      { key: 'limits.turn_second', line: 5, message: 'unknown key; did you mean "turn_seconds"?' },
      {
        key: 'mcp_servers.x.cwd',
        line: 9,
        message: 'unknown key; known are command, args, env, url, headers',
      },
      { key: 'zzzzzz', line: 10, message: expect.stringMatching(/^unknown key; known are role, /) },
    ]);
  });

  it('lists all problems at once, each with its line', () => {
    const problems = problemsOf(() =>
      parseAgentYaml(
        'role: boss\ndriver: claude\nmodel: [a]\nquiet_window_ms: -1\nlimits:\n  pids: lots\n  memory: 2 GB\nauto_compact:\n  watermark: 2\n',
      ),
    );
    expect(problems.map(({ key, line }) => [key, line])).toEqual([
      ['role', 1],
      ['model', 3],
      ['quiet_window_ms', 4],
      ['limits.pids', 6],
      ['limits.memory', 7],
      ['auto_compact.watermark', 9],
    ]);
    expect(problems[0]?.message).toBe('must be one of agent, manager, not "boss"');
    expect(problems[3]?.message).toBe('must be a whole number from 16 to 65536, not "lots"');
  });

  it('names the line of broken YAML and of a key that stands twice', () => {
    expect(problemsOf(() => parseAgentYaml('driver: claude\nmodel: [a\n'))[0]?.line).toBe(3);
    expect(problemsOf(() => parseAgentYaml('model: a\nmodel: b\n'))[0]?.line).toBe(2);
    expect(problemsOf(() => parseAgentYaml('- a\n'))[0]?.message).toMatch(/must be an object/);
    expect(problemsOf(() => parseAgentYaml('model: !!js/function x\n'))[0]?.line).toBe(1);
  });

  it('refuses a text whose aliases explode', () => {
    const rows = Array.from(
      { length: 9 },
      (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]`,
    );
    expect(
      problemsOf(() => parseAgentYaml(['a0: &a0 [x]', ...rows].join('\n')))[0]?.message,
    ).toMatch(/alias/i);
  });

  it('needs a program for `command`, and at most a path for `claude`', () => {
    expect(problemsOf(() => parseAgentYaml('driver: command\n'))[0]?.key).toBe('command');
    expect(problemsOf(() => parseAgentYaml('driver: claude\ncommand: [a, b]\n'))[0]).toMatchObject({
      key: 'command',
      line: 2,
    });
  });
});

describe(verifies('P31') + 'environment of a CLI', () => {
  it.each(['HIVE_TOKEN_FILE', 'LD_PRELOAD', 'NODE_OPTIONS', 'PATH', 'a b', '', '1A'])(
    'refuses the name %j',
    (name) => {
      expect(problemsOf(() => parseAgentConfig({ env: { [name]: 'x' } }))).toHaveLength(1);
    },
  );

  it.each(['a\0b', 'a\nb', 'a\rb', 'secret:lower', 'secret:', 'secret:../x'])(
    'refuses the value %j',
    (value) => {
      expect(problemsOf(() => parseAgentConfig({ env: { NAME: value } }))).toHaveLength(1);
    },
  );

  it('never repeats a value in a problem', () => {
    const problems = problemsOf(() => parseAgentConfig({ env: { KEY: 'sk-live\n123' } }));
    expect(JSON.stringify(problems)).not.toContain('sk-live');
  });

  it('checks the environment of MCP servers alike', () => {
    const problems = problemsOf(() =>
      parseAgentConfig({
        mcp_servers: {
          a: { command: '/x', env: { LD_PRELOAD: 'x' } },
          hyperhive: { url: 'https://example.org' },
          b: { url: 'file:///etc/passwd' },
        },
      }),
    );
    expect(problems.map(({ key }) => key).toSorted()).toEqual([
      'mcp_servers.a.env.LD_PRELOAD',
      'mcp_servers.b.url',
      'mcp_servers.hyperhive',
    ]);
  });
});
