import type { Incoming } from '../prompt/wake-prompt.js';
import { advice, answerOperator, answerPeer, finishOwnTasks, type Self } from './answers.js';
import { reply, say, status, type Act, type Script } from './character.js';
import { oneOf, topicOf, wishOf } from './language.js';

const FORAGER: Self = {
  job: 'look things up and bring back what matters',
  firstLook: 'the change log and the open issues',
  done: ['I left what I found in my notes.', 'Two sources agree; the third was out of date.'],
};
const BUILDER: Self = {
  job: 'build what was decided',
  firstLook: 'the last green build',
  done: ['All tests pass on my side.', 'It is small, and easy to take back.'],
};
const GUARD: Self = {
  job: 'check what others made before it goes out',
  firstLook: 'the tests that nobody wrote',
  done: ['One remark, nothing that holds it up.', 'I found nothing, and I looked twice.'],
};

/** Between the quotation marks of a message of the manager. */
function topicIn({ body }: Incoming): string {
  return /“([^”]{1,100})”/.exec(body)?.[1] ?? topicOf(body);
}

/** What forager finds, three points a time. */
const FINDINGS = {
  announcement: [
    'Start-up is 40 % faster; everybody sees that on the first day.',
    'A broken file is now named in the error, which is what most people asked for.',
    'The new setting can wait for the second paragraph; hardly anybody needs it.',
  ],
  release: [
    'The parser now refuses half a record instead of guessing; two callers relied on the guess.',
    'Start-up reads the index only when it is needed, which is 40 % faster here.',
    'There is one new setting, `retry_after`; all old ones mean the same.',
  ],
  anything: [
    'It was tried once before and given up for want of time, not of sense.',
    'Two parts are touched, and only one of them has tests.',
    'Nobody asked for it twice, but three people asked for it once.',
  ],
} as const;
/** What guard finds at its first look. */
const REMARKS: [string, ...string[]] = [
  'Two findings: half a record has no test, and its error does not name the file.',
  'Two findings: the first sentence promises more than we measured, and one link is dead.',
  'Two findings: the new setting is not documented, and zero is taken for "never".',
];

/** Guard looks once more at what it let pass, after this many seconds. */
const LOOKS_AGAIN_SECONDS = 15;

function findingsOn(topic: string): readonly string[] {
  if (topic.startsWith('announcement')) return FINDINGS.announcement;
  return /\b(release|version|\d+\.\d+)\b/i.test(topic) ? FINDINGS.release : FINDINGS.anything;
}

/** Brings back what is known, and tells builder early what concerns it. */
export const forager: Script = (message, memory) => {
  if (message.broadcast) return answerBroadcast(message, FORAGER);
  if (message.from === 'operator') return answerOperator(message, memory, FORAGER);
  if (message.from === 'self') return finishOwnTasks(memory, FORAGER);
  if (message.from === 'manager' && !message.body.startsWith('The operator asks')) {
    const topic = topicIn(message);
    memory.last = `looked into “${topic}”`;
    const points = findingsOn(topic);
    return [
      status(`reads about “${topic}”`),
      reply(message, points.map((point, at) => `${at + 1}. ${point}`).join('\n')),
      {
        kind: 'send',
        to: 'builder',
        body: `Heads-up for “${topic}”: the list of callers that may break is in my notes. Do you need it before you start?`,
        remember: { topic, stage: 'offered' },
      },
      status('idle'),
    ];
  }
  const offer = memory.threads[message.thread_id];
  if (offer?.stage === 'offered') {
    memory.threads[message.thread_id] = { ...offer, stage: 'done' };
    return [reply(message, 'The importer, then the two exporters; the rest only reads.')];
  }
  return fromOthers(message, FORAGER);
};

/** Builds, and does not call it done before guard has looked. */
export const builder: Script = (message, memory) => {
  if (message.broadcast) return answerBroadcast(message, BUILDER);
  if (message.from === 'operator') return answerOperator(message, memory, BUILDER);
  if (message.from === 'self') return finishOwnTasks(memory, BUILDER);
  const work = memory.threads[message.thread_id];
  if (message.from === 'manager' && !message.body.startsWith('The operator asks')) {
    const topic = topicIn(message);
    memory.threads[message.thread_id] = { topic, stage: 'in review' };
    memory.last = `built “${topic}”`;
    return [
      status(`builds “${topic}”`),
      reply(
        message,
        `A first version of “${topic}” is there; all tests pass on my side. Please check it.`,
        'guard',
      ),
      status(`waits for guard`),
    ];
  }
  if (message.from === 'guard' && work?.stage === 'in review') {
    memory.threads[message.thread_id] = { ...work, stage: 'fixed' };
    return [
      status(`fixes what guard found`),
      reply(message, 'Right on both counts. There is a test now that fails without the fix.'),
      status('idle'),
    ];
  }
  if (message.from === 'forager' && message.in_reply_to === undefined) {
    return [reply(message, 'Yes, please: which of them broke first?')];
  }
  return fromOthers(message, BUILDER);
};

/** Looks twice: the first look finds something. */
export const guard: Script = (message, memory) => {
  if (message.broadcast) return answerBroadcast(message, GUARD);
  if (message.kind === 'reminder') return lookOnceMore(message);
  if (message.from === 'operator') return answerOperator(message, memory, GUARD);
  if (message.from === 'self') return finishOwnTasks(memory, GUARD);
  if (message.from === 'builder') {
    const work = memory.threads[message.thread_id];
    if (work === undefined) {
      const topic = topicIn(message);
      memory.threads[message.thread_id] = { topic, stage: 'second look' };
      return [
        status(`checks “${topic}”`),
        reply(message, oneOf(REMARKS, topic)),
        status('waits for the fix'),
      ];
    }
    if (work.stage === 'second look') {
      memory.threads[message.thread_id] = { ...work, stage: 'done' };
      memory.last = `checked “${work.topic}”`;
      return [
        reply(message, 'Clean now; I tell the manager.'),
        reply(
          message,
          `Checked twice; both findings are fixed. “${work.topic}” may go out.`,
          'manager',
        ),
        {
          kind: 'remind',
          message: `Look at “${work.topic}” once more.`,
          delay_seconds: LOOKS_AGAIN_SECONDS,
        },
        status('idle'),
      ];
    }
  }
  return fromOthers(message, GUARD);
};

/** A broadcast may want nothing of anybody: only a question is answered. */
function answerBroadcast(message: Incoming, self: Self): Act[] {
  if (wishOf(message.body) !== 'question') return [say('reads what went to everybody')];
  return [reply(message, `Nothing of mine: I ${self.job}.`)];
}

/** What guard reminded itself of. */
function lookOnceMore(message: Incoming): Act[] {
  return [
    {
      kind: 'send',
      to: 'manager',
      body: `I looked at “${topicIn(message)}” once more, as I had set myself: still clean.`,
    },
  ];
}

function fromOthers(message: Incoming, self: Self): Act[] {
  if (message.from === 'system') return [say('reads a notice of the hive')];
  // The manager passes a question of the operator on; the answer goes the same way back.
  if (message.from === 'manager') {
    return [reply(message, `On “${topicIn(message)}”: ${advice(self)}`)];
  }
  return answerPeer(message, self);
}
