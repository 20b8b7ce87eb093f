import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { claudePath, CLI_START_MS } from './claude-cli.js';
import { SmallHive, type SmallAgent } from './fixtures/small-hive.js';
import { ScriptedModel, type ModelRequest, type Reply } from './model/scripted-model.js';

let hive: SmallHive;
let model: ScriptedModel;
let bob: SmallAgent;

const POLL = { timeout: CLI_START_MS, interval: 50 };
/** A tool call that lasts. */
const LONG = 'python3 -c "import time; time.sleep(300)"';

const use = (name: string, input: object): Reply => ({ kind: 'message', tools: [{ name, input }] });
const say = (text: string): Reply => ({ kind: 'message', text });
/** The id of the message in a wake prompt. */
const idIn = (request: ModelRequest) => /^id: (m\d+)$/m.exec(request.prompt)?.[1] ?? '';
/** Replies to the operator until it worked, then is done. */
const replies = (request: ModelRequest): Reply =>
  request.toolResults.some((result) => !result.is_error)
    ? say('Sent.')
    : use('mcp__hyperhive__send', {
        to: 'operator',
        body: `you said ${idIn(request)}`,
        in_reply_to: idIn(request),
      });

beforeEach(async () => {
  model = await ScriptedModel.start(replies);
  hive = await SmallHive.start();
  bob = await hive.addAgent('bob', {
    command: [claudePath()],
    model: 'claude-sonnet-4-5',
    env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-ant-dummy-key' },
    allowed_tools: ['Bash'],
  });
});
afterEach(async () => {
  await hive.stop();
  await model.close();
  const left = hive.processes(bob);
  if (left.length > 0) throw new Error(`processes ${left.join(', ')} are left`);
});

/** Settles when the tool of LONG runs. */
const toolRuns = () =>
  expect
    .poll(
      () => hive.processes(bob).some((pid) => commandLine(pid).includes('time.sleep(300)')),
      POLL,
    )
    .toBe(true);
const acked = (id: string) => expect.poll(() => hive.stateOf(id), POLL).toBe('acked');

describe('operator, hive, harness and the real CLI', { timeout: 2 * CLI_START_MS }, () => {
  it(
    verifies('1.4', '5.2', '6.1', '1.14', 'P1') +
      "a message is a wake prompt, the CLI sends its reply, and the row holds the model's tokens",
    async () => {
      await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Say hello, please.' });
      await acked(sent.id);
      const [reply] = await hive.inbox();
      expect(reply).toMatchObject({
        from: 'bob',
        body: `you said ${sent.id}`,
        in_reply_to: sent.id,
        thread_id: sent.thread_id,
      });
      const [first] = model.requests;
      expect(first?.prompt).toContain(
        'from: operator (the operator, the human who runs this hive)',
      );
      expect(first?.prompt).toContain(`id: ${sent.id}`);
      expect(first?.prompt).toContain('\nSay hello, please.\n');
      expect(first?.tools).toEqual(
        expect.arrayContaining(['mcp__hyperhive__send', 'mcp__hyperhive__recv_batch']),
      );
      const turns = await hive.turns('bob');
      expect(turns).toHaveLength(1);
      expect(turns[0]).toMatchObject({
        result_kind: 'ok',
        wake_reason: 'message',
        wake_from: 'operator',
        model: 'claude-sonnet-4-5',
        ...model.reported,
        tool_call_count: 1,
        tool_call_breakdown: { mcp__hyperhive__send: 1 },
        attempt: 1,
        note: '',
      });
      expect(turns[0]?.cost_usd).toBeCloseTo((2000 * 3 + 100 * 15) / 1e6, 8);
      expect((await hive.events('bob')).map(({ event }) => event.kind)).toEqual([
        'prompt',
        'tool_use',
        'tool_result',
        'text',
      ]);
    },
  );

  it(verifies('5.3', '6.1') + 'keeps CLI and MCP session over turns', async () => {
    await hive.startHarness(bob);
    for (let n = 1; n <= 3; n += 1) await acked((await hive.send({ to: 'bob', body: `${n}` })).id);
    const turns = await hive.turns('bob');
    expect(turns.map((turn) => [turn.result_kind, turn.input_tokens, turn.note])).toEqual([
      ['ok', 2000, ''],
      ['ok', 2000, ''],
      ['ok', 2000, ''],
    ]);
    expect(await hive.inbox()).toHaveLength(3);
    expect(hive.processes(bob)).toHaveLength(1);
  });

  it(verifies('1.3', 'P1', '1.4') + 'drains what is queued, and all of it is acked', async () => {
    model.follow((request) => {
      if (request.toolResults.length === 0) return use('mcp__hyperhive__recv_batch', { max: 32 });
      return say('read');
    });
    const ids: string[] = [];
    for (let n = 1; n <= 5; n += 1) {
      ids.push((await hive.send({ to: 'bob', body: `${n} ${'word '.repeat(700)}` })).id);
    }
    await hive.startHarness(bob);
    for (const id of ids) await acked(id);
    expect(model.requests[0]?.prompt).toContain(
      '(+4 more queued; consider draining before acting)',
    );
    expect(await hive.turns('bob')).toHaveLength(1);
  });

  it(
    verifies('1.3', 'P1') + 'drains a whole batch of the longest messages in one turn',
    async () => {
      model.follow((request) =>
        request.toolResults.length === 0
          ? use('mcp__hyperhive__recv_batch', { max: 32 })
          : say('read'),
      );
      const ids: string[] = [];
      for (let n = 1; n <= 33; n += 1) {
        ids.push((await hive.send({ to: 'bob', body: 'four '.repeat(819) })).id);
      }
      await hive.startHarness(bob);
      for (const id of ids) await acked(id);
      expect(await hive.turns('bob')).toHaveLength(1);
    },
  );

  it(
    verifies('1.2', 'P4', 'P5', '5.1') +
      'SIGKILL of the harness in mid turn: the old CLI ends, the message comes again and says so',
    async () => {
      model.follow((request) =>
        request.toolResults.length > 0 ? say('done') : use('Bash', { command: LONG }),
      );
      const first = await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Work.' });
      await toolRuns();
      const gone = once(first, 'exit');
      first.kill('SIGKILL');
      await gone;
      const orphans = hive.processes(bob);
      expect(orphans.length).toBeGreaterThan(1);
      model.follow(replies);
      model.reset();
      await hive.startHarness(bob);
      await acked(sent.id);
      expect(hive.processes(bob).filter((pid) => orphans.includes(pid))).toEqual([]);
      const prompt = model.requests[0]?.prompt ?? '';
      expect(prompt).toContain('redelivered: yes, attempt 1; it was handed to you before');
      const turns = await hive.turns('bob');
      expect(turns.map((turn) => [turn.result_kind, turn.attempt])).toEqual([
        ['failed', 1],
        ['ok', 1],
      ]);
      expect(turns[1]).toMatchObject(model.reported);
      expect(await hive.inbox()).toHaveLength(1);
    },
  );

  it(
    verifies('1.2', 'P13') + 'SIGKILL of the CLI in mid turn: the message comes again as attempt 2',
    async () => {
      model.follow((request) =>
        request.toolResults.length > 0 ? say('done') : use('Bash', { command: LONG }),
      );
      await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Work.' });
      await toolRuns();
      model.follow(replies);
      process.kill(Math.min(...hive.processes(bob)), 'SIGKILL');
      await acked(sent.id);
      const [first, second] = await hive.turns('bob');
      expect(first).toMatchObject({ result_kind: 'failed', attempt: 1, input_tokens: 1000 });
      expect(first?.note).toContain('SIGKILL');
      expect(second).toMatchObject({ result_kind: 'ok', attempt: 2 });
      expect(model.requests.at(-1)?.messages).toBeDefined();
      expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain(
        'redelivered: yes, attempt 2',
      );
    },
  );

  it(
    verifies('5.6', 'P17', 'P18') + 'a cancelled message is held until the operator writes again',
    async () => {
      model.follow((request) =>
        request.toolResults.length > 0 ? say('done') : use('Bash', { command: LONG }),
      );
      await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Work.' });
      await toolRuns();
      await hive.command('bob', 'cancel');
      await expect.poll(async () => (await hive.turns('bob')).length, POLL).toBe(1);
      expect(await hive.turns('bob')).toMatchObject([
        { result_kind: 'cancelled', note: 'cancelled by the operator', ...model.reported },
      ]);
      const { deliveries } = await hive.message(sent.id);
      expect(deliveries[0]).toMatchObject({ state: 'queued', waits_for: 'held_cancelled' });
      model.follow(() => say('I see.'));
      await hive.send({ to: 'bob', body: 'Go on.' });
      await acked(sent.id);
    },
  );

  it(
    verifies('5.1', 'P13', 'P17') +
      'a stop gives the messages back, and the next instance has them',
    async () => {
      model.follow((request) =>
        request.toolResults.length > 0 ? say('done') : use('Bash', { command: LONG }),
      );
      const first = await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Work.' });
      await toolRuns();
      const gone = once(first, 'exit');
      first.kill('SIGTERM');
      expect(await gone).toEqual([0, null]);
      expect(hive.processes(bob)).toEqual([]);
      await hive.instanceEnded(bob);
      const { deliveries } = await hive.message(sent.id);
      expect(deliveries[0]).toMatchObject({ state: 'queued', attempt: 1 });
      expect(deliveries[0]?.waits_for).not.toBe('held_cancelled');
      model.follow(replies);
      await hive.startHarness(bob);
      await acked(sent.id);
      expect((await hive.turns('bob')).map((turn) => [turn.result_kind, turn.note])).toEqual([
        ['cancelled', 'the harness was stopped'],
        ['ok', ''],
      ]);
    },
  );

  it(
    verifies('5.1', 'P2', 'P7', 'P13') +
      'a CLI that dies between turns is replaced before the next message',
    async () => {
      await hive.startHarness(bob);
      await acked((await hive.send({ to: 'bob', body: 'one' })).id);
      const [cli] = hive.processes(bob);
      process.kill(cli ?? 0, 'SIGKILL');
      // At once: the harness may learn of the death before, while or after it is given the turn.
      await acked((await hive.send({ to: 'bob', body: 'two' })).id);
      const turns = await hive.turns('bob');
      expect(turns.map((turn) => [turn.result_kind, turn.input_tokens])).toEqual([
        ['ok', 2000],
        ['ok', 2000],
      ]);
      expect(turns[1]).toMatchObject({ attempt: 1 });
      // The session went on.
      expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain('\\none\\n');
    },
  );

  it(
    verifies('P4', 'P6', '5.1') + 'an instance that was declared dead stops its CLI and exits',
    async () => {
      model.follow((request) =>
        request.toolResults.length > 0 ? say('done') : use('Bash', { command: LONG }),
      );
      const first = await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Work.' });
      await toolRuns();
      const gone = once(first, 'exit');
      await hive.instanceEnded(bob);
      expect(await gone).toEqual([10, null]);
      expect(hive.processes(bob)).toEqual([]);
      model.follow(replies);
      await hive.startHarness(bob);
      await acked(sent.id);
      const [lost, done] = await hive.turns('bob');
      // The lost turn's row got its telemetry from the result that the first instance left on disk.
      expect(lost).toMatchObject({ result_kind: 'failed', input_tokens: 1000 });
      expect(done).toMatchObject({ result_kind: 'ok' });
    },
  );

  it(
    verifies('5.1', '1.2') + 'gateway and broker are killed in mid turn, and nothing is lost',
    async () => {
      const held = Promise.withResolvers<void>();
      model.follow(async (request) => {
        if (request.toolResults.length === 0) await held.promise;
        return replies(request);
      });
      await hive.startHarness(bob);
      const sent = await hive.send({ to: 'bob', body: 'Work.' });
      await expect.poll(() => model.requests.length, POLL).toBe(1);
      await hive.killService('gateway');
      await hive.killService('broker');
      await hive.startService('broker');
      await hive.startService('gateway');
      held.resolve();
      await acked(sent.id);
      expect(await hive.inbox()).toHaveLength(1);
      expect(await hive.turns('bob')).toMatchObject([{ result_kind: 'ok', ...model.reported }]);
    },
  );
});

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
