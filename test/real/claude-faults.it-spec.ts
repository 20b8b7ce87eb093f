import { readFileSync, writeFileSync } from 'node:fs';

import { afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { CLI_START_MS } from './claude-cli.js';
import { DriverBench } from './fixtures/driver-bench.js';
import type { Reply, Script } from './model/scripted-model.js';

let bench: DriverBench;
async function start(script: Script): Promise<DriverBench> {
  bench = await DriverBench.start(script);
  return bench;
}
afterEach(async () => {
  await bench.stop();
  const left = bench.processes();
  if (left.length > 0) throw new Error(`processes ${left.join(', ')} are left`);
});

const say = (text: string): Reply => ({ kind: 'message', text });
const bash = (command: string): Reply => ({
  kind: 'message',
  tools: [{ name: 'Bash', input: { command } }],
});
const fail = (status: number, type: string, message: string, headers = {}): Reply => ({
  kind: 'error',
  status,
  type,
  message,
  headers,
});
/** A tool call that lasts: the CLI refuses a bare long sleep in front. */
const LONG = 'python3 -c "import time; time.sleep(300)"';
const whenTool = (name: string) =>
  expect
    .poll(() => bench.events.some((event) => event.kind === 'tool_use' && event.tool === name), {
      timeout: CLI_START_MS,
    })
    .toBe(true);
const whenProcesses = (count: number) =>
  expect.poll(() => bench.processes().length, { timeout: CLI_START_MS }).toBeGreaterThan(count - 1);

describe('claude driver: turns that end early', { timeout: CLI_START_MS }, () => {
  it(
    verifies('5.6', 'P17') + 'cancels in the middle of an answer and keeps the process',
    async () => {
      await start((request) =>
        request.n === 1
          ? { kind: 'stall', text: 'I think', usage: { input_tokens: 777 } }
          : say('fine'),
      );
      const live = await bench.begin('one');
      await expect.poll(() => bench.model.requests.length, { timeout: CLI_START_MS }).toBe(1);
      const pids = bench.processes();
      live.interrupt('cancelled');
      expect(await live.outcome).toMatchObject({
        kind: 'interrupted',
        usage: { input_tokens: 777 },
      });
      expect(await bench.turn('two')).toMatchObject({ kind: 'ok', usage: { input_tokens: 1000 } });
      expect(bench.processes()).toEqual(pids);
    },
  );

  it(verifies('5.6') + 'cancels while a tool runs, and the tool ends with it', async () => {
    await start((request) => (request.toolResults.length > 0 ? say('done') : bash(LONG)));
    const live = await bench.begin('one');
    await whenTool('Bash');
    await whenProcesses(2);
    live.interrupt('cancelled');
    expect(await live.outcome).toMatchObject({
      kind: 'interrupted',
      usage: bench.model.reported,
      tool_calls: { Bash: 1 },
    });
    await expect.poll(() => bench.processes().length).toBe(1);
  });

  it(verifies('5.6') + 'cancels while a recv waits', async () => {
    await start(() => ({
      kind: 'message',
      tools: [{ name: 'mcp__hyperhive__recv', input: { wait_seconds: 120 } }],
    }));
    const waits = bench.hive.whenWaiting;
    const live = await bench.begin('one');
    await waits;
    live.interrupt('timed_out');
    expect(await live.outcome).toMatchObject({ kind: 'interrupted', shown: ['m1'] });
  });

  it(verifies('5.1') + 'ends everything when it is stopped in mid turn', async () => {
    await start((request) => (request.toolResults.length > 0 ? say('done') : bash(LONG)));
    const live = await bench.begin('one');
    await whenTool('Bash');
    await whenProcesses(2);
    await bench.driver.stop();
    expect(await live.outcome).toMatchObject({ kind: 'interrupted' });
    expect(bench.processes()).toEqual([]);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(
      verifies('1.2', '6.1') + `fails the turn when the CLI gets ${signal}, and ends its orphans`,
      async () => {
        await start((request) => (request.toolResults.length > 0 ? say('done') : bash(LONG)));
        const live = await bench.begin('one');
        await whenTool('Bash');
        await whenProcesses(2);
        // The CLI writes its transcript some time after the request: killed before that, it has no history to go on with.
        await expect
          .poll(() =>
            bench
              .transcripts()
              .map((file) => readFileSync(file, 'utf8'))
              .join(),
          )
          .toContain('"one"');
        process.kill(cliPid(), signal);
        const outcome = await live.outcome;
        expect(outcome.kind).toBe('failed');
        expect(outcome.note).toMatch(signal === 'SIGTERM' ? /exit code 143/ : /SIGKILL/);
        // The request that was answered whole is in the row, although no result came.
        expect(outcome.usage).toMatchObject(bench.model.reported);
        await expect.poll(() => bench.processes()).toEqual([]);
        bench.model.follow(() => say('again'));
        expect(await bench.turn('two')).toMatchObject({
          kind: 'ok',
          usage: { input_tokens: 1000 },
        });
        expect(JSON.stringify(bench.model.requests.at(-1)?.messages)).toContain('one');
      },
    );
  }

  it(verifies('5.3') + 'begins a new session when the old one cannot be resumed', async () => {
    await start(() => say('fine'));
    await bench.turn('one');
    await bench.driver.stop();
    for (const file of bench.transcripts()) writeFileSync(file, '{"half a li');
    await bench.startDriver();
    const outcomes = [await bench.turn('two'), await bench.turn('three')];
    expect(outcomes.at(-1)?.kind).toBe('ok');
    expect(JSON.stringify(bench.model.requests.at(-1)?.messages)).not.toContain('one');
  });

  it(verifies('5.2') + 'says how to cure it when there is no CLI', async () => {
    await start(() => say('never'));
    bench.config = { ...bench.config, command: ['/no/such/claude'] };
    const outcome = await bench.turn('one');
    expect(outcome).toMatchObject({ kind: 'failed', shown: [] });
    expect(outcome.note).toContain('/no/such/claude cannot be started');
    expect(outcome.note).toContain('install Claude Code');
  });

  it(
    verifies('5.1', '5.2') + 'fails the turn when the agent ended it because the hive was gone',
    async () => {
      await start(async (request) => {
        if (request.n === 1) await bench.hive.close();
        return request.toolResults.length > 0
          ? say('I could not tell her.')
          : {
              kind: 'message',
              tools: [{ name: 'mcp__hyperhive__send', input: { to: 'alice', body: 'x' } }],
            };
      });
      const outcome = await bench.turn('one');
      expect(outcome.kind).toBe('failed');
      expect(outcome.note).toContain("the agent's last call to the hive failed");
    },
  );

  it(
    verifies('5.2') + 'fails the turn before the prompt when the hive is not connected',
    async () => {
      await start(() => say('never'));
      await bench.startDriver({ connectMs: 2000 });
      bench.hive.onlyToken = 'somebody-else';
      const outcome = await bench.turn('one');
      expect(outcome).toMatchObject({ kind: 'failed', shown: [] });
      expect(outcome.note).toContain("did not connect to the hive's MCP server");
      expect(bench.model.requests).toEqual([]);
    },
  );
});

describe(
  verifies('P13', '6.1') + 'claude driver: errors of the API',
  { timeout: CLI_START_MS },
  () => {
    it.each([
      ['auth_failed', fail(401, 'authentication_error', 'invalid x-api-key')],
      ['auth_failed', fail(403, 'permission_error', 'no')],
      ['rate_limited', fail(429, 'rate_limit_error', 'slow down', { 'retry-after': '3600' })],
      ['rate_limited', fail(529, 'overloaded_error', 'Overloaded')],
      ['rate_limited', fail(500, 'api_error', 'boom')],
      [
        'rate_limited',
        fail(
          400,
          'invalid_request_error',
          'Your credit balance is too low to access the Anthropic API.',
        ),
      ],
      ['failed', fail(404, 'not_found_error', 'model: claude-x')],
      ['failed', fail(400, 'invalid_request_error', 'messages: something odd')],
    ] as const)('%s for %o', async (kind, error) => {
      await start(() => error);
      bench.config.env['CLAUDE_CODE_MAX_RETRIES'] = '1';
      const outcome = await bench.turn('one');
      expect(outcome.kind).toBe(kind);
      expect(outcome.note).not.toBe('');
      expect(outcome.usage).toMatchObject({
        input_tokens: 0,
        output_tokens: 0,
        context_tokens: null,
      });
      // The process lives on: the next turn works as soon as the provider does.
      const pids = bench.processes();
      bench.model.follow(() => say('well again'));
      expect(await bench.turn('two')).toMatchObject({ kind: 'ok', usage: { input_tokens: 1000 } });
      expect(bench.processes()).toEqual(pids);
    });

    it('auth_failed when there is no key at all', async () => {
      await start(() => say('never'));
      delete bench.config.env['ANTHROPIC_API_KEY'];
      const outcome = await bench.turn('one');
      expect(outcome.kind).toBe('auth_failed');
      expect(bench.model.requests).toEqual([]);
    });

    it('counts what was billed when one answer fails and the next one comes', async () => {
      await start((request) =>
        request.n === 1 ? fail(529, 'overloaded_error', 'busy') : say('ok'),
      );
      expect(await bench.turn('one')).toMatchObject({ kind: 'ok', usage: bench.model.reported });
      expect(bench.events.filter((event) => event.kind === 'note')).toHaveLength(1);
    });
  },
);

/** The one process of the CLI itself: the oldest of the marked ones. */
function cliPid(): number {
  return Math.min(...bench.processes());
}
