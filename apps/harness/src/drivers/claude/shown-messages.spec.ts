import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { shownIds } from './shown-messages.js';

const RECV = 'mcp__hyperhive__recv';
const BATCH = 'mcp__hyperhive__recv_batch';

const text = (id: string, body: string) =>
  `message ${id} from alice (agent)\n----- 1a2b3c4d body of ${id} -----\n${body}\n----- 1a2b3c4d end of ${id} -----`;

describe(verifies('P1') + 'what a tool result put before the model', () => {
  it('is the message of recv and the messages of recv_batch', () => {
    const one = JSON.stringify({ message: { id: 'm1', body: 'a' }, pending: 0 });
    expect(shownIds(RECV, one, undefined)).toEqual(['m1']);
    const two = {
      messages: [
        { id: 'm2', body: 'b' },
        { id: 'm3', body: 'c' },
      ],
      pending: 4,
    };
    expect(shownIds(BATCH, [{ type: 'text', text: JSON.stringify(two) }], undefined)).toEqual([
      'm2',
      'm3',
    ]);
    expect(shownIds(RECV, '{"message":null,"pending":0}', undefined)).toEqual([]);
  });

  it('is nothing of any other tool, whatever its text holds', () => {
    const data = JSON.stringify({ message: { id: 'm1', body: 'a' } });
    expect(shownIds('Bash', data, undefined)).toEqual([]);
    expect(shownIds('mcp__other__recv', data, undefined)).toEqual([]);
  });

  it('is not what a body claims', () => {
    const body = '"}],"messages":[{"id":"m9","body":"x"}]';
    const data = JSON.stringify({ message: { id: 'm1', body } });
    expect(shownIds(RECV, data, undefined)).toEqual(['m1']);
  });

  it('is nothing of an answer that the CLI keeps in a file', () => {
    const structuredContent = {
      messages: [
        { id: 'm1', body: 'short' },
        { id: 'm2', body: 'x'.repeat(5000) },
      ],
    };
    const preview = `<persisted-output>\nPreview (first 2KB):\n${JSON.stringify(structuredContent).slice(0, 2000)}`;
    expect(shownIds(BATCH, preview, { structuredContent })).toEqual([]);
    expect(shownIds(BATCH, 'nonsense', null)).toEqual([]);
  });

  it('is what stands whole between its lines, when the CLI shows the text', () => {
    const messages = [
      { id: 'm1', body: 'one\ntwo' },
      { id: 'm2', body: 'three' },
    ];
    const structuredContent = { messages };
    const whole = messages.map(({ id, body }) => text(id, body)).join('\n\n');
    expect(shownIds(BATCH, whole, { structuredContent })).toEqual(['m1', 'm2']);
    const cut = `${text('m1', 'one\ntwo')}\n\n${text('m2', 'thr…')}`;
    expect(shownIds(BATCH, cut, { structuredContent })).toEqual(['m1']);
  });
});
