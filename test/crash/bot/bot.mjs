// The scripted agent of the crash test: one process per turn. Before it answers a message it writes down that it was shown;
// before it sends one it writes down which, so that a turn that is done again repeats the same messages under the same
// keys. Its notes lie outside the hive, so that a full disk of the hive does not silence the witness.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Refused, Tools } from './mcp.mjs';
import { Notes } from './notes.mjs';
import { actionsFor } from './plan.mjs';
import { messagesOf, withContent } from './prompt.mjs';

/** Messages of one `recv_batch`, and how many of these a turn makes while more wait. */
const DRAIN = 16;
const DRAINS = 3;
/** Pause between two actions, in milliseconds: a turn is long enough to be killed in the middle of it. */
const WORK_MS = 15;

const name = process.env.HIVE_AGENT;
const folder = process.env.CRASH_DIR;
const notes = new Notes(path.join(folder, 'notes', name), process.env.HIVE_TURN_ID);
const rules = {
  name,
  seed: Number(process.env.CRASH_SEED),
  agents: Number(process.env.CRASH_AGENTS),
};

function isDraining() {
  try {
    return readFileSync(path.join(folder, 'phase'), 'utf8') === 'drain';
  } catch {
    return false;
  }
}

async function act(tools, message) {
  const plan = notes.plan(message.id, () => actionsFor(message, rules, isDraining()));
  for (const action of plan) {
    // Only a send carries a key: what else may have been done is not done again.
    if (!action.repeatable && notes.wasTried(action)) continue;
    await new Promise((resolve) => {
      setTimeout(resolve, WORK_MS);
    });
    notes.tries(action);
    try {
      notes.did(action, await tools.call(action.tool, action.input, action.repeatable));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      notes.refused(action, error);
      if (error.isOver) throw error;
    }
  }
}

async function main() {
  const shown = messagesOf(readFileSync(0, 'utf8'));
  for (const message of shown) notes.shown(message, 'prompt');
  // A probe is answered by having been noted; the rest would only cost time.
  if (shown.every(({ content }) => content?.kind === 'probe')) return;
  const tools = new Tools(
    new URL('/mcp', process.env.HIVE_GATEWAY_URL),
    readFileSync(process.env.HIVE_TOKEN_FILE, 'utf8').trim(),
  );
  for (const message of shown) await act(tools, message);
  for (let n = 0, pending = 1; n < DRAINS && pending > 0; n += 1) {
    const answer = await tools.call('recv_batch', { max: DRAIN }, true);
    const messages = answer.messages.map(withContent);
    for (const message of messages) notes.shown(message, 'recv');
    for (const message of messages) await act(tools, message);
    ({ pending } = answer);
  }
  await tools.end();
}

try {
  await main();
} catch (error) {
  notes.failed(error);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
