import 'reflect-metadata';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { describe, expect, it } from 'vitest';

import { ManualClock } from './clock.js';
import { BadConfigurationError, loadEnv } from './env.js';
import { agentUser, serviceUser } from './users.js';

class Environment {
  @IsInt() @Min(1) @Max(65_535) PORT: number = 7000;
  @IsIn(['debug', 'info']) LEVEL: string = 'info';
}

const loadBad = (): unknown => loadEnv(Environment, { PORT: 'seven', LEVEL: 'loud' });

describe('loadEnv', () => {
  it('fills defaults, converts and freezes', () => {
    const env = loadEnv(Environment, { PORT: '8080', LEVEL: '' });
    expect(env).toMatchObject({ PORT: 8080, LEVEL: 'info' });
    expect(Object.isFrozen(env)).toBe(true);
  });

  it('lists every bad value in one message, with key, value and what is allowed', () => {
    expect(loadBad).toThrow(BadConfigurationError);
    expect(loadBad).toThrow(/PORT="seven".*\n.*LEVEL="loud".*debug, info/);
  });
});

describe('ManualClock', () => {
  it('rings alarms in their order, at their time', () => {
    const clock = new ManualClock(1000);
    const rung: string[] = [];
    clock.after(20, () => rung.push(`b${clock.monotonic()}`));
    clock.after(10, () => {
      rung.push(`a${clock.monotonic()}`);
      clock.after(5, () => rung.push(`c${clock.monotonic()}`));
    });
    const takeBack = clock.after(12, () => rung.push('never'));
    takeBack();
    clock.advance(30);
    expect(rung).toEqual(['a10', 'c15', 'b20']);
    expect(clock.now()).toBe(1030);
  });

  it('jumps the wall clock alone', () => {
    const clock = new ManualClock(1000);
    clock.jump(-500);
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0]);
  });
});

describe('users of a hive', () => {
  it('gives services and agents ids that never meet', () => {
    const base = 2 ** 26;
    const ids = [
      ...(['broker', 'gateway', 'dashboard', 'scheduler', 'redis'] as const).map((name) =>
        serviceUser(base, name),
      ),
      ...Array.from({ length: 1023 }, (_, index) => agentUser(base, index + 1)),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.max(...ids)).toBeLessThan(base + 2 ** 26);
    expect(() => agentUser(base, 0)).toThrow(RangeError);
    expect(() => agentUser(base, 1024)).toThrow(RangeError);
  });
});
