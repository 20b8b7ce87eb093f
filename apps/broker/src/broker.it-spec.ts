import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../test/requirements/verifies.js';
import {
  endRequest,
  helloRequest,
  openTestBroker,
  pollRequest,
  registryAgent,
  removeTestFolders,
  sha256,
  tokenOf,
  type TestBroker,
} from './testing/test-broker.js';

describe(verifies('1.1', '1.2') + 'the broker', () => {
  let broker: TestBroker;

  beforeEach(async () => {
    broker = await openTestBroker();
    await broker.c0re.put_registry(
      { revision: 1, agents: [registryAgent(1, 'alice'), registryAgent(2, 'bob')] },
      broker.context(),
    );
  });
  afterEach(() => broker.close());
  afterAll(removeTestFolders);

  it('takes a message, wakes its recipient with it, and acks it when the turn ends well', async () => {
    const alice = tokenOf(1, 'alice');
    const bob = tokenOf(2, 'bob');
    const sent = await broker.gateway.send(
      { credential: alice, request_id: broker.requestId(), session: 's', to: 'bob', body: 'hi' },
      broker.context(),
    );
    expect(sent).toEqual({ id: 'm1', thread_id: 'm1', recipients: ['bob'] });
    await broker.gateway.hello({ credential: bob, ...helloRequest(1) }, broker.context());
    const { turn } = await broker.gateway.poll_turn(
      { credential: bob, ...pollRequest(1, 'run-1') },
      broker.context(),
    );
    expect(turn).toMatchObject({
      turn_id: 't1',
      again: false,
      wake_reason: 'message',
      pending: 0,
      messages: [
        { id: 'm1', from: 'alice', from_kind: 'agent', body: 'hi', redelivered: false, attempt: 1 },
      ],
    });
    await broker.gateway.send(
      {
        credential: sha256('run-1'),
        request_id: broker.requestId(),
        session: 's',
        to: 'alice',
        body: 'hello',
        in_reply_to: 'm1',
      },
      broker.context(),
    );
    const end = await broker.gateway.end_turn(
      { credential: bob, turn_id: 't1', end: endRequest(1) },
      broker.context(),
    );
    expect(end).toEqual({ outcome: 'accepted', acked: ['m1'], returned: [] });
    const { messages } = await broker.gateway.get_thread(
      { credential: alice, id: 'm1' },
      broker.context(),
    );
    expect(messages[0]?.deliveries).toMatchObject([{ to: 'bob', state: 'acked' }]);
  });
});
