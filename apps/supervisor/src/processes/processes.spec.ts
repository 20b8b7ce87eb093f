import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { BackOff, LONGEST_PAUSE_MS, STABLE_MS } from './back-off.js';
import { commandOf } from './launch.js';

describe('the pauses between restarts', () => {
  it('double from 0.2 s to 10 s', () => {
    const backOff = new BackOff();
    const pauses = Array.from({ length: 8 }, () => backOff.pause(0));
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, LONGEST_PAUSE_MS, LONGEST_PAUSE_MS]);
  });

  it('begin anew after a minute of work', () => {
    const backOff = new BackOff();
    backOff.pause(0);
    expect(backOff.pause(STABLE_MS - 1)).toBe(400);
    expect(backOff.pause(STABLE_MS)).toBe(200);
  });
});

describe(verifies('P29') + 'the command of a service', () => {
  const launch = { program: '/node', args: ['main.js'] };

  it('is the program itself for the supervisor’s own user', () => {
    expect(commandOf(launch, '/usr/bin/setpriv')).toEqual(['/node', ['main.js']]);
  });

  it('drops everything for another user', () => {
    const [program, args] = commandOf({ ...launch, user: 70_001 }, '/usr/bin/setpriv');
    expect(program).toBe('/usr/bin/setpriv');
    expect(args).toEqual([
      '--reuid=70001',
      '--regid=70001',
      '--clear-groups',
      '--inh-caps=-all',
      '--ambient-caps=-all',
      '--bounding-set=-all',
      '--no-new-privs',
      '--',
      '/node',
      'main.js',
    ]);
  });

  it('keeps one further group where a socket folder is shared', () => {
    const [, args] = commandOf({ ...launch, user: 70_001, group: 70_005 }, '/usr/bin/setpriv');
    expect(args).toContain('--groups=70005');
    expect(args).not.toContain('--clear-groups');
  });

  it('asks for a signal at the supervisor’s death where the program needs it', () => {
    const withSignal = { ...launch, signalOnDeath: 'TERM' as const };
    expect(commandOf(withSignal, '/usr/bin/setpriv')[1]).toEqual([
      '--pdeathsig',
      'TERM',
      '--',
      '/node',
      'main.js',
    ]);
    expect(commandOf(withSignal, undefined)).toEqual(['/node', ['main.js']]);
  });
});
