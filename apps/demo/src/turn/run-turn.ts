import type { Act, Script } from '../characters/character.js';
import { RefusedError, type McpHands } from '../hands/mcp-hands.js';
import type { Memory } from '../memory/memory.js';
import type { Incoming } from '../prompt/wake-prompt.js';

/** How often the rest of the inbox is looked at; more than that waits for the next turn. */
const MOST_DRAINS = 5;

/** What a turn needs of the hive. */
export type Hands = Omit<McpHands, 'close'>;

export interface Turn {
  script: Script;
  /** What the wake prompt brought. */
  woken: Incoming[];
  hands: Hands;
  memory: Memory;
  /** Shows what happens, for whoever watches the terminal. */
  show: (line: string) => void;
  /** The time that thinking takes. */
  think: () => Promise<void>;
}

/** One turn: what woke it, then everything else that waits. */
export async function runTurn(turn: Turn): Promise<void> {
  for (const message of turn.woken) await handle(turn, message);
  for (let drain = 0; drain < MOST_DRAINS; drain += 1) {
    const messages = await turn.hands.drain();
    if (messages.length === 0) return;
    for (const message of messages) await handle(turn, message);
  }
}

async function handle(turn: Turn, message: Incoming): Promise<void> {
  const { script, memory, show } = turn;
  show(`${message.from} (${message.id}): ${firstLine(message.body)}`);
  await turn.think();
  const acts = script(message, memory);
  let sent = 0;
  for (const act of acts) {
    // A turn that is given again sends nothing twice: the same message leads to the same keys.
    const key = `${message.id}-${sent}`;
    if (act.kind === 'send' || act.kind === 'report') sent += 1;
    await carryOut(turn, act, key);
  }
}

async function carryOut(turn: Turn, act: Act, key: string): Promise<void> {
  const { hands, memory, show } = turn;
  switch (act.kind) {
    case 'say':
      show(act.text);
      return;
    case 'status':
      await hands.status(act.text);
      return;
    case 'again':
      await hands.again();
      return;
    case 'report':
      await send(
        turn,
        { to: 'operator', body: await swarm(turn), in_reply_to: act.in_reply_to },
        key,
      );
      return;
    case 'ask': {
      const { question, options } = act;
      // Unlike a send, neither has a key: a turn that is given again looks first whether it was done.
      const open = await hands.asks();
      if (!open.some((other) => other.question === question)) {
        await hands.ask({ question, options });
      }
      show(`asks the operator: ${firstLine(question)}`);
      return;
    }
    case 'remind': {
      const { message, delay_seconds } = act;
      const coming = await hands.reminders();
      if (!coming.some((other) => other.message === message)) {
        await hands.remind({ message, delay_seconds });
      }
      show(`wants to be reminded: ${firstLine(message)}`);
      return;
    }
    case 'send': {
      const threadId = await send(turn, act, key);
      if (act.remember && threadId) memory.threads[threadId] = act.remember;
      show(`to ${act.to}: ${firstLine(act.body)}`);
    }
  }
}

/** The thread in which the message landed; undefined when an earlier run of this turn sent it in other words. */
async function send(
  { hands }: Turn,
  { to, body, in_reply_to }: { to: string; body: string; in_reply_to?: string },
  key: string,
): Promise<string | undefined> {
  const reply = in_reply_to === undefined ? {} : { in_reply_to };
  try {
    const { thread_id } = await hands.send({ to, body, ...reply, idempotency_key: key });
    return thread_id;
  } catch (error) {
    if (error instanceof RefusedError && /idempotency/.test(error.message)) return undefined;
    throw error;
  }
}

async function swarm({ hands, memory }: Turn): Promise<string> {
  const agents = await hands.peers();
  const lines = agents.map(
    ({ name, state, turn_state, status_text }) =>
      `- ${name}: ${state}, ${turn_state}${status_text === '' ? '' : `, “${status_text}”`}`,
  );
  return [`Of the swarm:`, ...lines, memory.last === '' ? '' : `I ${memory.last}.`]
    .join('\n')
    .trim();
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}
