import type { BenchAgent } from './bench-agents.js';
import type { Door, Received } from './doors/door.js';
import { BODY, type Yardstick } from './yardsticks.js';

/** Agents that talk to each other: the first of each pair sends, the second receives. */
export type Pair = readonly [BenchAgent, BenchAgent];

/** A load in which not every pair has had its turn goes on for this many of its lengths. */
const MOST_LENGTHS = 5;
/** Part of each load that runs before anything is counted. */
const WARM_UP = 0.2;

let sent = 0;

/** A body of 1 KiB that no other message has: an equal one would be taken for a retry. */
export function nextBody(): string {
  sent += 1;
  return `${String(sent).padStart(12, '0')}${BODY.slice(12)}`;
}

/** What a load came to. */
export interface Rate {
  perSecond: number;
  /** All messages, those before and after the counting included. */
  messages: number;
}

/** Messages per second that are accepted from `senders` at once, each with one send under way, to nobody who listens. */
export async function acceptedPerSecond(
  door: Door,
  pairs: readonly Pair[],
  ms: number,
): Promise<Rate> {
  return perSecond(ms, pairs, async ([from, to]) => {
    await door.send(from, to, nextBody());
  });
}

/** Messages per second that are sent, received and acked by pairs, each with one message under way. */
export async function pairsPerSecond(
  door: Door,
  pairs: readonly Pair[],
  ms: number,
): Promise<Rate> {
  return perSecond(ms, pairs, async ([from, to]) => {
    const received = door.receive(to);
    const id = await door.send(from, to, nextBody());
    await take(received, id);
  });
}

/** Milliseconds of idle messages, and of the bare commits between them. */
export interface IdleTimes {
  messages: number[];
  commits: number[];
}

/**
 * From the call of send to the receipt, one message after another on an idle door. Before each message, after the same
 * pause, stands a bare commit of one row (F1): a disk that was idle, or is busy with something else, is so for both.
 */
export async function idleTimes(
  door: Door,
  [from, to]: Pair,
  count: number,
  yardstick: Yardstick,
): Promise<IdleTimes> {
  const times: IdleTimes = { messages: [], commits: [] };
  const warmUp = Math.ceil(count * WARM_UP);
  for (let i = 0; i < warmUp + count; i++) {
    // The receiver waits already when the message comes, as it does in an idle hive.
    const received = door.receive(to);
    await sleep(SETTLE_MS);
    const commit = yardstick.oneCommit();
    await sleep(SETTLE_MS);
    const start = performance.now();
    const accepted = door.send(from, to, nextBody());
    await received;
    const message = performance.now() - start;
    if (i >= warmUp) {
      times.messages.push(message);
      times.commits.push(commit);
    }
    await take(received, await accepted);
  }
  return times;
}

/** Acks what was received, which must be this very message. */
async function take(received: Promise<Received>, id: string): Promise<void> {
  const message = await received;
  if (message.id !== id) throw new Error(`${message.id} was received, not ${id}`);
  await message.ack();
}

/** Pause before each message of an idle measurement: what the one before left to do is over. */
const SETTLE_MS = 4;

async function perSecond(
  ms: number,
  pairs: readonly Pair[],
  once: (pair: Pair) => Promise<void>,
): Promise<Rate> {
  const run = { counting: false, counted: 0, total: 0, stopped: false };
  const loops = pairs.map(async (pair) => {
    while (!run.stopped) {
      await once(pair);
      run.total += 1;
      if (run.counting) run.counted += 1;
    }
  });
  const ended = Promise.all(loops);
  await Promise.race([sleep(ms * WARM_UP), ended]);
  run.counting = true;
  const start = performance.now();
  // On a busy machine a door may take longer than the load for its first round.
  do await Promise.race([sleep(ms), ended]);
  while (run.counted < pairs.length && performance.now() - start < ms * MOST_LENGTHS);
  const rate = (run.counted * 1000) / (performance.now() - start);
  run.stopped = true;
  await ended;
  return { perSecond: rate, messages: run.total };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
