import type { Memory } from '../memory/memory.js';
import type { Incoming } from '../prompt/wake-prompt.js';
import { reply, say, status, type Act } from './character.js';
import { oneOf, topicOf, wishOf, type Wish } from './language.js';

/** How a character speaks of itself. */
export interface Self {
  /** What it does, as the rest of "I …". */
  job: string;
  /** What it would look at first when it is asked something. */
  firstLook: string;
  /** How a finished task of its kind is reported. */
  done: [string, ...string[]];
}

/** What every character does about a message of the operator: answers, and carries out a task in a second turn. */
export function answerOperator(message: Incoming, memory: Memory, self: Self): Act[] {
  const { body, id } = message;
  const topic = topicOf(body);
  const answers: Record<Exclude<Wish, 'task'>, string> = {
    greeting: `Hello! I ${self.job}. Write to me what you need.`,
    thanks: oneOf(['You are welcome.', 'Gladly.', 'Any time.'], id),
    status: statusText(memory),
    question: `About “${topic}”: I am a scripted agent, so I cannot look it up for real. ${advice(self)}`,
  };
  const wish = wishOf(body);
  if (wish !== 'task') return [reply(message, answers[wish])];
  memory.next.push({ topic, stage: 'own task', origin: id });
  memory.last = `took on “${topic}”`;
  return [
    status(`works on “${topic}”`),
    reply(message, `Understood: “${topic}”. I start now and tell you when it is done.`),
    { kind: 'again' },
  ];
}

/** What it would do about something that it is asked. */
export function advice({ job, firstLook }: Self): string {
  return `I ${job}, so I would look at ${firstLook} first.`;
}

/** The second turn of a task: what was promised in the first. */
export function finishOwnTasks(memory: Memory, self: Self): Act[] {
  const tasks = memory.next.filter(({ stage }) => stage === 'own task');
  memory.next = memory.next.filter(({ stage }) => stage !== 'own task');
  return tasks.flatMap(({ topic, origin }) => {
    memory.last = `finished “${topic}”`;
    const words = oneOf(self.done, topic);
    return [
      say(`finishes “${topic}”`),
      { kind: 'send', to: 'operator', body: `Done: “${topic}”. ${words}`, in_reply_to: origin },
      status('idle'),
    ] satisfies Act[];
  });
}

/** An answer to a peer's question; a statement of a peer needs none. */
export function answerPeer(message: Incoming, self: Self): Act[] {
  if (message.in_reply_to !== undefined || wishOf(message.body) !== 'question') {
    return [say(`takes note of what ${message.from} says`)];
  }
  return [reply(message, `On “${topicOf(message.body)}”: ${advice(self)}`)];
}

function statusText({ last, next }: Memory): string {
  const waiting = next.map(({ topic }) => `“${topic}”`).join(', ');
  const done = last === '' ? 'Nothing so far.' : `I ${last}.`;
  return waiting === '' ? `${done} Nothing waits.` : `${done} Next: ${waiting}.`;
}
