// What the bot writes down: one line per event, each by a single append, so that a SIGKILL leaves whole lines.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export class Notes {
  #tried = new Set();

  constructor(folder, turn) {
    this.folder = folder;
    this.turn = turn;
  }

  shown(message, by) {
    this.#write({
      event: 'shown',
      id: message.id,
      from: message.from,
      kind: message.kind,
      name: message.event,
      redelivered: message.redelivered,
      attempt: message.attempt,
      priority: message.priority,
      broadcast: message.broadcast,
      number: message.content?.n,
      probe: message.content?.kind === 'probe' ? message.content.n : undefined,
      reminder: message.reminder,
      by,
    });
  }

  /**
   * The numbered actions that this message causes: those of an earlier turn that was shown it, else new ones. Sets which
   * of them an earlier turn has tried.
   */
  plan(id, make) {
    const file = path.join(this.folder, `plan-${id}.json`);
    const known = read(file);
    if (known !== undefined) {
      for (const line of (read(`${file}.tried`) ?? '').split('\n')) this.#tried.add(Number(line));
      return JSON.parse(known);
    }
    const actions = make();
    if (actions.length === 0) return actions;
    // The number is taken before it is used: a gap is harmless, the same number twice is not.
    const counter = path.join(this.folder, 'counter');
    const first = Number(read(counter) ?? 0) + 1;
    replace(counter, String(first + actions.length - 1));
    const plan = actions.map((action, index) => numbered(action, first + index));
    replace(file, JSON.stringify(plan));
    return plan;
  }

  wasTried({ number }) {
    return this.#tried.has(number);
  }

  /** Written before the call. */
  tries(action) {
    const { number, cause, tool, input } = action;
    appendFileSync(path.join(this.folder, `plan-${cause}.json.tried`), `${number}\n`);
    this.#write({ event: 'tries', number, tool, to: input.to });
  }

  did({ number, tool }, { id, due_at: dueAt, note }) {
    this.#write({ event: 'did', number, tool, id, due_at: dueAt, note });
  }

  refused({ number, tool }, { code, message }) {
    this.#write({ event: 'refused', number, tool, code, message });
  }

  /** The turn ends badly. */
  failed({ message }) {
    this.#write({ event: 'failed', message });
  }

  #write(entry) {
    const line = JSON.stringify({ at: Date.now(), turn: this.turn, ...entry });
    appendFileSync(path.join(this.folder, 'notes.jsonl'), `${line}\n`);
  }
}

/** The action with its number in the text that is sent, and as its key. */
function numbered({ content, ...action }, number) {
  if (content === undefined) return { ...action, number };
  const field = { ask: 'question', remind: 'message' }[action.tool] ?? 'body';
  const input = { ...action.input, [field]: JSON.stringify({ ...content, n: number }) };
  if (action.tool === 'send') input.idempotency_key = `crash-${number}`;
  return { ...action, number, input };
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function replace(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
