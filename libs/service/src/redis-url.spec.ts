import { describe, expect, it } from 'vitest';

import { parseRedisUrl } from './redis-url.js';

describe('parseRedisUrl', () => {
  it('reads a unix socket with a user and a password', () => {
    expect(parseRedisUrl('unix://broker:s%40crt@/run/hive/redis.sock')).toEqual({
      address: { path: '/run/hive/redis.sock' },
      tls: false,
      database: 0,
      username: 'broker',
      password: 's@crt',
    });
  });

  it('reads a unix socket without a login, with a space in its path', () => {
    expect(parseRedisUrl('unix:///run/my%20hive/redis.sock')?.address).toEqual({
      path: '/run/my hive/redis.sock',
    });
  });

  it('reads host, port, database, user and TLS', () => {
    expect(parseRedisUrl('rediss://u:p@redis.example:6380/3')).toEqual({
      address: { host: 'redis.example', port: 6380 },
      tls: true,
      database: 3,
      username: 'u',
      password: 'p',
    });
    expect(parseRedisUrl('redis://[::1]')?.address).toEqual({ host: '::1', port: 6379 });
  });

  it.each([
    'redis://',
    'http://host',
    'unix://',
    'unix://redis.sock',
    'redis://h/x',
    'redis://h/%',
    '',
  ])('refuses %j', (url) => {
    expect(parseRedisUrl(url)).toBeUndefined();
  });
});
