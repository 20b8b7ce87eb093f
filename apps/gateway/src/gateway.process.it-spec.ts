import { createServer } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import type { Message, SendResult } from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { freePort } from './testing/free-port.js';
import { codeOf, textOf } from './testing/mcp-client.js';
import { ServiceProcess } from './testing/service-process.js';
import { TestHive, tokenOf } from './testing/test-hive.js';

let hive: TestHive | undefined;

afterEach(async () => {
  await hive?.stop();
  hive = undefined;
});

interface Received {
  message: Message | null;
  pending: number;
}

/** Waits until a `recv` of this agent is parked: the broker then hands out at the send. */
async function settle(session: { data: (tool: string) => Promise<unknown> }): Promise<void> {
  // Calls of one session reach the broker in order.
  await session.data('list_agents');
}

describe(`${verifies('1.2', 'P1', 'P11', 'P12', 'I9')}the gateway process`, () => {
  it('killed in mid recv: the client is told within seconds, and a new session gets the message', async () => {
    const port = await freePort();
    hive = await (await TestHive.start({ agents: ['alice', 'bob'] })).withGatewayProcess(port);
    const alice = await hive.connect('alice');
    const waiting = alice
      .call('recv', { wait_seconds: 120 }, { timeoutMs: 60_000 })
      .catch((error: unknown) => error);
    await settle(alice);
    const seen = Promise.withResolvers<Error>();
    alice.client.onerror = seen.resolve;
    const killed = performance.now();
    await hive.gatewayProcess?.kill();
    expect((await seen.promise).message).toMatch(/SSE stream disconnected/);
    await expect(alice.call('whoami')).rejects.toThrow(/fetch failed/);
    expect(performance.now() - killed).toBeLessThan(5000);
    await hive.withGatewayProcess(port);
    const again = await hive.connect('alice');
    const bob = await hive.connect('bob');
    const sent = await bob.data<SendResult>('send', { to: 'alice', body: 'after the crash' });
    const { message } = await again.data<Received>('recv', { wait_seconds: 20 });
    expect(message?.id).toBe(sent.id);
    await alice.close();
    expect(await waiting).toBeInstanceOf(Error);
  });

  it('stopped with a received message that nobody acked: it comes again at once, marked', async () => {
    const port = await freePort();
    hive = await (await TestHive.start({ agents: ['alice', 'bob'] })).withGatewayProcess(port);
    const bob = await hive.connect('bob');
    const alice = await hive.connect('alice');
    const sent = await bob.data<SendResult>('send', { to: 'alice', body: 'read but not acked' });
    expect((await alice.data<Received>('recv')).message?.redelivered).toBe(false);
    expect(await hive.gatewayProcess?.stop()).toBe(0);
    await hive.withGatewayProcess(port);
    const again = await hive.connect('alice');
    expect((await again.data<Received>('recv')).message).toMatchObject({
      id: sent.id,
      redelivered: true,
    });
  });

  it('goes on waiting over a SIGKILL of the broker', async () => {
    hive = await (
      await TestHive.start({ agents: ['alice', 'bob'] })
    ).withGatewayProcess(await freePort());
    const alice = await hive.connect('alice');
    const bob = await hive.connect('bob');
    const waiting = alice.data<Received>('recv', { wait_seconds: 60 });
    await settle(alice);
    await hive.broker.kill();
    const sending = bob.data<SendResult>('send', { to: 'alice', body: 'over the restart' });
    await hive.startBroker();
    const sent = await sending;
    expect((await waiting).message).toMatchObject({ id: sent.id, redelivered: false });
    // The session is still good, and the message was sent once.
    expect((await alice.data<Received>('recv')).message).toBeNull();
  });

  it('sends each message once, whatever the broker is killed in', async () => {
    hive = await (
      await TestHive.start({ agents: ['alice', 'bob'] })
    ).withGatewayProcess(await freePort());
    const bob = await hive.connect('bob');
    const sends: Promise<SendResult>[] = [];
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 40; n++) {
        sends.push(bob.data<SendResult>('send', { to: 'alice', body: `${round}/${n}` }));
      }
      await sends.at(-20);
      await hive.broker.kill();
      await hive.startBroker();
    }
    const ids = (await Promise.all(sends)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(120);
    const alice = await hive.connect('alice');
    const got: string[] = [];
    for (;;) {
      const { messages } = await alice.data<{ messages: Message[] }>('recv_batch', { max: 32 });
      if (messages.length === 0) break;
      got.push(...messages.map(({ id }) => id));
    }
    expect(got.toSorted()).toEqual(ids.toSorted());
  });

  it('says "outcome unknown" when the broker does not come back', async () => {
    hive = await TestHive.start({ agents: ['alice', 'bob'], toolPatienceMs: 500 });
    await hive.withGateway();
    const bob = await hive.connect('bob');
    await hive.broker.kill();
    const refused = await bob.call('send', { to: 'alice', body: 'x' });
    expect(['unavailable', 'outcome_unknown']).toContain(codeOf(refused));
    expect(textOf(refused)).toMatch(/nothing was done|outcome unknown/);
    await hive.startBroker();
    await expect.poll(async () => (await bob.call('whoami')).isError ?? false).toBe(false);
  });

  it('stops in time on SIGTERM, with waiting calls and open streams', async () => {
    hive = await (
      await TestHive.start({ agents: ['alice', 'bob'] })
    ).withGatewayProcess(await freePort());
    const alice = await hive.connect('alice');
    const waiting = alice.call('recv', { wait_seconds: 120 });
    const polling = hive
      .harness('bob', 'turns', {
        instance: 1,
        run_token_hash: 'a'.repeat(64),
        last_turn_id: null,
        wait_seconds: 50,
        confirm: [],
      })
      .catch((error: unknown) => error);
    await settle(alice);
    const asked = performance.now();
    expect(await hive.gatewayProcess?.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5000);
    expect(textOf(await waiting)).toContain('being restarted');
    await polling;
  });
});

describe(`${verifies('8.4', '10.1')}the gateway process`, () => {
  it('writes no token to its log, whatever is asked of it', async () => {
    hive = await (
      await TestHive.start({ agents: ['alice', 'bob'] })
    ).withGatewayProcess(await freePort(), { env: { HIVE_LOG_LEVEL: 'trace' } });
    const { url } = hive;
    const alice = await hive.connect('alice');
    await alice.call('send', { to: 'nobody', body: 'x' });
    await alice.data('recv');
    await hive.harness('alice', 'hello', { nonsense: tokenOf('alice') });
    const wrong = 'wrong-token-that-must-stay-unseen';
    for (const headers of [{ authorization: `Bearer ${wrong}` }, { authorization: wrong }]) {
      await fetch(`${url}/mcp`, { method: 'POST', headers, body: '{}' });
    }
    await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenOf('alice')}`,
        'content-type': 'application/json',
        'mcp-session-id': alice.sessionId,
      },
      body: '{"broken',
    });
    await hive.broker.kill();
    await alice.close();
    await hive.gatewayProcess?.stop();
    const output = hive.gatewayProcess?.output ?? '';
    expect(output).toContain('gateway is ready');
    expect(output).not.toContain(tokenOf('alice'));
    expect(output).not.toContain(wrong);
  });

  it('is ready without a broker, and says unavailable until it is there', async () => {
    const port = await freePort();
    hive = await TestHive.start({ agents: ['alice'] });
    await hive.broker.kill();
    await hive.withGatewayProcess(port);
    const early = hive.connect('alice');
    await hive.startBroker();
    await expect(early).resolves.toBeDefined();
  });

  it('says which port is taken and how to choose another', async () => {
    const taken = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    hive = await TestHive.start();
    await expect(hive.withGatewayProcess(port)).rejects.toThrow(
      new RegExp(`port ${port} on 127.0.0.1 is in use.*HIVE_GATEWAY_PORT`),
    );
    taken.close();
  });

  it('lists every wrong value of its environment', async () => {
    await expect(
      ServiceProcess.start('gateway', {
        HIVE_GATEWAY_PORT: '70000',
        HIVE_LOG_LEVEL: 'loud',
      }),
    ).rejects.toThrow(/HIVE_RUNTIME_DIR[\s\S]*HIVE_GATEWAY_PORT[\s\S]*HIVE_LOG_LEVEL/);
  });
});
