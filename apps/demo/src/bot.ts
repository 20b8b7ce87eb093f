import { enableCompileCache } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import { CHARACTERS } from './characters/index.js';
import { readMemory, writeMemory } from './memory/memory.js';
import { readWakePrompt } from './prompt/wake-prompt.js';
import { runTurn } from './turn/run-turn.js';

/** How long a character thinks about a message, in milliseconds: long enough to be seen. */
const THINKS_MS = 400;

/**
 * One turn of a scripted agent: `node bot.js NAME`, started by the harness (driver `command`) with the wake prompt on
 * the standard input and the gateway's address in the environment.
 */
const name = process.argv[2] ?? '';
const script = CHARACTERS[name];
const { HIVE_GATEWAY_URL, HIVE_TOKEN_FILE, HIVE_STATE_DIR } = process.env;
if (!script || !HIVE_GATEWAY_URL || !HIVE_TOKEN_FILE || !HIVE_STATE_DIR) {
  process.stderr.write(
    `usage: node bot.js ${Object.keys(CHARACTERS).join('|')}, as the command of an agent\n`,
  );
  process.exit(2);
}

// Each turn is a process: what V8 compiled the last time is most of its start.
enableCompileCache(path.join(HIVE_STATE_DIR, '.cache'));
const { McpHands } = await import('./hands/mcp-hands.js');

const memory = readMemory(HIVE_STATE_DIR);
const hands = new McpHands(HIVE_GATEWAY_URL, HIVE_TOKEN_FILE);
try {
  await runTurn({
    script,
    woken: readWakePrompt(await text(process.stdin)),
    hands,
    memory,
    show: (line) => process.stdout.write(`${line}\n`),
    think: () => new Promise((resolve) => setTimeout(resolve, THINKS_MS)),
  });
  writeMemory(HIVE_STATE_DIR, memory);
} catch (error) {
  process.stderr.write(`${name} gives up its turn: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await hands.close();
}
