import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';
import { createLogger, ManualClock, systemClock, type Clock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { GatewayOptions } from '../gateway.options.js';
import { ScriptedBroker } from '../testing/scripted-broker.js';
import { tempFolder } from '../testing/temp-folder.js';
import { BrokerLink } from './broker-link.service.js';

const CALL = { credential: 'c', session: 's', request_id: 'r-1', max: 1, wait_ms: 0 };

describe(`${verifies('P11', '1.2')}the link to the broker`, () => {
  let folder: ReturnType<typeof tempFolder>;
  let broker: ScriptedBroker;
  let link: BrokerLink;

  function startLink(clock: Clock): BrokerLink {
    const started = new BrokerLink(
      new GatewayOptions({
        clock,
        logger: createLogger('gateway', 'silent'),
        brokerSocket: path.join(folder.path, 'b.sock'),
        c0reSocket: path.join(folder.path, 'c.sock'),
        host: '127.0.0.1',
        port: 0,
        hiveRev: 'test',
      }),
    );
    started.start();
    return started;
  }

  beforeEach(() => {
    folder = tempFolder();
    broker = new ScriptedBroker(path.join(folder.path, 'b.sock'));
    link = startLink(systemClock);
  });
  afterEach(async () => {
    link.close();
    await broker.stop();
    folder.remove();
  });

  const recv = (patienceMs: number, signal?: AbortSignal) =>
    link.call({ method: 'recv', params: () => CALL, patienceMs, signal });

  it('waits for a broker that is not there yet', async () => {
    const answer = recv(10_000);
    await broker.start();
    await expect(answer).resolves.toEqual({ messages: [], pending: 0 });
  });

  it('repeats a call that was cut, with the same request id', async () => {
    const reached = Promise.withResolvers<void>();
    broker.on('recv', () => {
      reached.resolve();
      return new Promise(() => {});
    });
    await broker.start();
    const answer = recv(10_000);
    await reached.promise;
    await broker.stop();
    broker.on('recv', () => ({ messages: [], pending: 7 }));
    await broker.start();
    await expect(answer).resolves.toEqual({ messages: [], pending: 7 });
    expect(broker.of('recv').map((params) => params['request_id'])).toEqual(['r-1', 'r-1']);
  });

  it.each(['unavailable', 'outcome_unknown'] as const)(
    'repeats a call that the broker answered with %s',
    async (code) => {
      let calls = 0;
      broker.on('recv', () => {
        calls += 1;
        if (calls === 1) throw new HiveError(code, 'say it again');
        return { messages: [], pending: 3 };
      });
      await broker.start();
      await expect(recv(10_000)).resolves.toEqual({ messages: [], pending: 3 });
      expect(calls).toBe(2);
    },
  );

  it('does not repeat what the broker refused', async () => {
    broker.on('recv', () => {
      throw new HiveError('inbox_full', 'full');
    });
    await broker.start();
    await expect(recv(10_000)).rejects.toMatchObject({ code: 'inbox_full' });
    expect(broker.of('recv')).toHaveLength(1);
  });

  it('says "nothing was done" when the broker never came', async () => {
    await expect(recv(200)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('nothing was done') as string,
    });
  });

  it('says "outcome unknown" when the broker may have done it and did not come back', async () => {
    const reached = Promise.withResolvers<void>();
    broker.on('recv', () => {
      reached.resolve();
      return new Promise(() => {});
    });
    await broker.start();
    await expect.poll(() => link.isConnected).toBe(true);
    const outcome = recv(300).catch((error: unknown) => error);
    await reached.promise;
    await broker.stop();
    expect(await outcome).toMatchObject({
      code: 'outcome_unknown',
      message: expect.stringMatching(/^outcome unknown/) as string,
    });
  });

  it('has its whole patience for each outage', async () => {
    const clock = new ManualClock();
    link.close();
    link = startLink(clock);
    const reached = Promise.withResolvers<void>();
    broker.on('recv', () => {
      reached.resolve();
      return new Promise(() => {});
    });
    // It begins in one outage, waits at the broker for longer than its patience, and meets another.
    const answer = recv(5000);
    await broker.start();
    await reached.promise;
    clock.advance(60_000);
    await broker.stop();
    broker.on('recv', () => ({ messages: [], pending: 9 }));
    await broker.start();
    await expect.poll(() => (clock.advance(100), broker.of('recv').length)).toBe(2);
    await expect(answer).resolves.toEqual({ messages: [], pending: 9 });
  });

  it('ends at once when it is cancelled, at the broker and while it is away', async () => {
    const cancelledThere = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    broker.on('recv', (_: never, { signal }) => {
      signal.addEventListener('abort', () => cancelledThere.resolve());
      reached.resolve();
      return new Promise(() => {});
    });
    await broker.start();
    const first = new AbortController();
    const answer = recv(60_000, first.signal).catch((error: unknown) => error);
    await reached.promise;
    first.abort();
    expect(await answer).toMatchObject({ code: 'cancelled' });
    await cancelledThere.promise;

    await broker.stop();
    await expect.poll(() => link.isConnected).toBe(false);
    const second = new AbortController();
    const away = recv(60_000, second.signal).catch((error: unknown) => error);
    second.abort();
    expect(await away).toMatchObject({ code: 'cancelled' });
  });
});
