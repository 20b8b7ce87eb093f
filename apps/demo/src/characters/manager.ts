import { BROADCAST } from '#libs/protocol';

import type { Memory, Work } from '../memory/memory.js';
import type { Incoming } from '../prompt/wake-prompt.js';
import { reply, say, status, type Act, type Script } from './character.js';
import { oneOf, quoted, topicOf, wishOf } from './language.js';

const WORKERS = ['forager', 'builder', 'guard'] as const;
/** The very first task is followed by one more round by itself; after that the manager waits for the operator. */
const ROUNDS = 2;
/** Characters of what others found that are passed on. */
const PASSED_ON_CHARS = 1500;

/** Takes the operator's tasks, hands them through the swarm, and reports. */
export const manager: Script = (message, memory) => {
  if (message.kind === 'answer') return hearDecision(message, memory);
  if (message.from === 'operator') return fromOperator(message, memory);
  if (message.from === 'self') return nextRound(memory);
  const work = memory.threads[message.thread_id];
  if (work?.stage === 'asked') return forwardAnswer(message, memory, work);
  if (work?.stage === 'research' && message.from === 'forager') {
    return handToBuilder(message, memory, work);
  }
  if (work?.stage === 'build' && message.from === 'guard') return reportDone(message, memory, work);
  if (work?.stage === 'roll call') return [say(`${message.from} is with us`)];
  return [say(`takes note of what ${message.from} says`)];
};

function fromOperator(message: Incoming, memory: Memory): Act[] {
  const { body, id } = message;
  const wish = wishOf(body);
  if (wish === 'greeting') {
    return [reply(message, 'Hello! Give me a task and I hand it to forager, builder and guard.')];
  }
  if (wish === 'thanks') return [reply(message, oneOf(['Gladly.', 'We thank you.'], id))];
  if (wish === 'status') return [{ kind: 'report', in_reply_to: id }];
  const running = memory.threads[message.thread_id];
  if (running !== undefined && running.stage !== 'done') {
    return [reply(message, `Noted; “${running.topic}” goes on with that in mind.`)];
  }
  const worker = WORKERS.find((name) => new RegExp(`\\b${name}\\b`, 'i').test(body));
  if (worker !== undefined) return askOne(worker, message, memory);
  return startTask(message, memory);
}

function startTask(message: Incoming, memory: Memory): Act[] {
  const topic = topicOf(message.body);
  const round = memory.last === '' ? 1 : ROUNDS;
  memory.threads[message.thread_id] = { topic, stage: 'research', origin: message.id, round };
  memory.last = `started “${topic}”`;
  return [
    status(`plans “${topic}”`),
    reply(
      message,
      `On it. Forager looks into it, builder carries it out, guard checks it. I report when “${topic}” is done.`,
    ),
    reply(
      message,
      `The operator wants: “${topic}”. Please find out what there is to know and what could go wrong; three points are enough.`,
      'forager',
    ),
  ];
}

function askOne(worker: string, message: Incoming, memory: Memory): Act[] {
  const topic = topicOf(message.body);
  memory.threads[message.thread_id] = { topic, stage: 'asked', origin: message.id };
  return [
    status(`asks ${worker}`),
    reply(message, `I ask ${worker}.`),
    reply(message, `The operator asks: “${topic}”. What do you say?`, worker),
  ];
}

function forwardAnswer(message: Incoming, memory: Memory, work: Work): Act[] {
  memory.threads[message.thread_id] = { ...work, stage: 'done' };
  const body = `${message.from} says:\n${quoted(message.body.slice(0, PASSED_ON_CHARS))}`;
  return [{ kind: 'send', to: 'operator', body, in_reply_to: work.origin }, status('idle')];
}

function handToBuilder(message: Incoming, memory: Memory, work: Work): Act[] {
  memory.threads[message.thread_id] = { ...work, stage: 'build' };
  return [
    status(`hands “${work.topic}” to builder`),
    reply(
      message,
      `Please carry out “${work.topic}” and let guard check it. Forager found:\n${quoted(message.body.slice(0, PASSED_ON_CHARS))}`,
      'builder',
    ),
  ];
}

function reportDone(message: Incoming, memory: Memory, work: Work): Act[] {
  memory.threads[message.thread_id] = { ...work, stage: 'done' };
  memory.last = `finished “${work.topic}”`;
  const round = work.round ?? ROUNDS;
  const report: Act = {
    kind: 'send',
    to: 'operator',
    body: `“${work.topic}” is done: looked into by forager, carried out by builder, checked twice by guard.`,
    in_reply_to: work.origin,
  };
  if (round >= ROUNDS) return [report, status('idle; waits for the operator')];
  const thing = work.topic.replace(/^\w+ (the |a |an )?/, '');
  memory.next.push({
    ...work,
    topic: `announcement: ${thing}`,
    stage: 'to start',
    round: round + 1,
  });
  memory.asked = thing;
  return [
    report,
    {
      kind: 'ask',
      question: `“${thing}” is ready. When may the announcement go out?`,
      options: ['now', 'tomorrow morning', 'not at all'],
    },
    status(`goes on with round ${round + 1}`),
    { kind: 'again' },
  ];
}

/** What the operator decided, or that nobody did. */
function hearDecision({ id, body }: Incoming, memory: Memory): Act[] {
  const thing = memory.asked ?? 'it';
  delete memory.asked;
  if (body === '[expired]' || body === '[cancelled]') {
    return [say(`lets the announcement of “${thing}” rest: ${body}`)];
  }
  memory.last = `noted when the announcement of “${thing}” goes out`;
  return [
    {
      kind: 'send',
      to: 'operator',
      body: `Understood, the announcement of “${thing}”: ${body}.`,
      in_reply_to: id,
    },
  ];
}

/** The turn that it asked for: the next round begins in a thread of its own. */
function nextRound(memory: Memory): Act[] {
  const [work, ...rest] = memory.next;
  memory.next = rest;
  if (!work) return [say('has nothing more to start')];
  memory.last = `started “${work.topic}”`;
  return [
    status(`plans “${work.topic}”`),
    {
      kind: 'send',
      to: BROADCAST,
      body: `Round ${work.round ?? ROUNDS} begins: “${work.topic}”. Does anything of yours stand in the way?`,
      remember: { ...work, stage: 'roll call' },
    },
    {
      kind: 'send',
      to: 'forager',
      body: `Next is “${work.topic}”. Which points would somebody who uses it notice first?`,
      remember: { ...work, stage: 'research' },
    },
  ];
}
