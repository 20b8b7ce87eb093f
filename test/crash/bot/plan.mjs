// What a bot does about a message: decided by the seed, its name and the message, so that a run can be told by its seed.

/** Of a hundred messages that may cause others, so many cause a broadcast, a question, a reminder beside their answer. */
const BROADCASTS = 1;
const QUESTIONS = 12;
const REMINDERS = 16;
/** Of a hundred sends that are not replies, so many are urgent. */
const URGENT = 5;
/** Longest delay of a reminder, in seconds. */
const LONGEST_DELAY = 12;

export function actionsFor(message, { name, seed, agents }, isDraining) {
  const { id, event, content, question } = message;
  const action = (tool, input, more) => ({ cause: id, tool, input, repeatable: false, ...more });
  if (event === 'question_asked' && question) {
    return [action('answer', { id: question.id, answer: `answer of ${name}` })];
  }
  const lives = content?.lives ?? 0;
  if (isDraining || lives === 0) return [];

  const chance = mulberry32(hash(`${seed} ${name} ${id}`));
  const peer = () => {
    for (;;) {
      const other = `a${1 + Math.floor(chance() * agents)}`;
      if (other !== name) return other;
    }
  };
  const next = { lives: lives - 1 };
  const send = (input) =>
    action('send', input, { content: { kind: 'send', ...next }, repeatable: true });
  const actions = [];
  // Every message goes on as one other: as a reply in its thread, or to somebody else.
  const isFromPeer = /^a\d+$/.test(message.from);
  if (isFromPeer && chance() < 0.5) actions.push(send({ to: message.from, in_reply_to: id }));
  else if (chance() < 0.1) actions.push(send({ to: 'operator', in_reply_to: id }));
  else
    actions.push(send({ to: peer(), ...(chance() * 100 < URGENT ? { priority: 'urgent' } : {}) }));
  const roll = chance() * 100;
  if (roll < BROADCASTS) {
    actions.push(
      action('send', { to: '*' }, { content: { kind: 'broadcast', lives: 0 }, repeatable: true }),
    );
  } else if (roll < BROADCASTS + QUESTIONS) {
    const to = chance() < 0.5 ? {} : { to: peer() };
    actions.push(
      action('ask', { ...to, ttl_seconds: 600 }, { content: { kind: 'ask', lives: 0 } }),
    );
  } else if (roll < BROADCASTS + QUESTIONS + REMINDERS) {
    const delay = 1 + Math.floor(chance() * LONGEST_DELAY);
    actions.push(
      action('remind', { delay_seconds: delay }, { content: { kind: 'reminder', lives: 0 } }),
    );
  }
  return actions;
}

/** FNV-1a. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let n = 0; n < text.length; n += 1) {
    value = Math.imul(value ^ text.charCodeAt(n), 0x01000193);
  }
  return value >>> 0;
}

function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
