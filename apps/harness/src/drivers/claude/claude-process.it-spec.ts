import { afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { systemClock } from '../../time/clock.js';
import { ClaudeProcess } from './claude-process.js';
import type { StreamMessage } from './stream-message.js';

/** A CLI that says what it reads, and gives a result when it is told "end". */
const ECHO = `
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { message } = JSON.parse(line);
    const type = message.content === 'end' ? 'result' : 'heard';
    process.stdout.write(JSON.stringify({ type, text: message.content }) + '\\n');
    if (message.content === 'work') setTimeout(() => process.stdout.write('{"type":"result"}\\n'), 200);
  });`;

describe(verifies('P8') + 'a Claude Code process', () => {
  let cli: ClaudeProcess;
  afterEach(async () => {
    cli.kill();
    await cli.ended;
  });

  it('takes no prompt while it works on another one, and takes one after it', async () => {
    cli = new ClaudeProcess({
      program: process.execPath,
      args: ['-e', ECHO],
      cwd: process.cwd(),
      env: {},
      clock: systemClock,
      connectMs: 1000,
    });
    const heard: StreamMessage[] = [];
    cli.listener = {
      onMessage: (message) => heard.push(message),
      onStderr: () => {},
      onBytes: () => {},
    };
    const first = cli.say('work');
    await expect(cli.say('folded in')).rejects.toThrow(/still works on the prompt/);
    await first;
    await cli.say('end');
    expect(heard.map(({ type, text }) => [type, text])).toEqual([
      ['heard', 'work'],
      ['result', undefined],
      ['result', 'end'],
    ]);
  });
});
