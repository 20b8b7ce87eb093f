import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { AGENT_TOKEN, HarnessBench } from '../testing/harness-bench.js';

let bench: HarnessBench;
beforeEach(async () => {
  bench = await HarnessBench.create();
});
afterEach(() => bench.stop());

const ended = (count: number) =>
  expect.poll(() => bench.hive.ends.length, { timeout: 20_000 }).toBe(count);
const exists = (name: string) =>
  expect.poll(() => existsSync(bench.at(name)), { timeout: 20_000 }).toBe(true);

describe('harness loop', () => {
  it(verifies('5.1', '6.1', 'P2') + 'says hello, runs a granted turn and reports it', async () => {
    bench.program('cat > prompt; echo working; echo warned >&2');
    bench.start();
    const turnId = bench.hive.grant([{ body: 'do it' }]);
    await ended(1);
    expect(bench.hive.hellos).toEqual([
      {
        instance: 1,
        driver: 'command',
        model: null,
        hyperhive_rev: 'rev-1',
        started_at: expect.stringMatching(/^\d{4}-.*Z$/),
        ends: [],
      },
    ]);
    expect(bench.hive.polls[0]).toMatchObject({ instance: 1, last_turn_id: null, confirm: [] });
    expect(bench.hive.polls[0]?.run_token_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(bench.hive.ends[0]).toMatchObject({
      turn_id: turnId,
      end: { instance: 1, result_kind: 'ok', shown: null, note: '' },
    });
    const [telemetry] = bench.hive.ends.map(({ end }) => end.telemetry);
    const spanMs = Date.parse(telemetry?.ended_at ?? '') - Date.parse(telemetry?.started_at ?? '');
    expect(spanMs).toBeCloseTo(telemetry?.duration_ms ?? 0, -2);
    expect(telemetry).toMatchObject({ tool_call_count: 0, bytes_streamed: 8, cost_usd: null });
    await expect.poll(() => bench.hive.polls.length).toBe(2);
    expect(bench.hive.polls[1]?.last_turn_id).toBe(turnId);
    expect(bench.hive.polls[1]?.run_token_hash).not.toBe(bench.hive.polls[0]?.run_token_hash);
    expect(bench.read('prompt')).toContain('do it');
    expect([...bench.hive.tokens]).toEqual([AGENT_TOKEN]);
    expect(bench.hive.events.map(({ n, kind, text }) => [n, kind, text])).toEqual([
      [0, 'prompt', bench.read('prompt')],
      [1, 'text', 'working'],
      [2, 'stderr', 'warned'],
    ]);
    expect(readdirSync(bench.at('home/.hive/ends'))).toEqual([]);
    expect(readdirSync(bench.at('home/.hive/events'))).toEqual([]);
  });

  it(verifies('P8') + 'gives a running CLI nothing of what comes meanwhile', async () => {
    // The program sees the end of its input while it works: nothing can follow.
    bench.program('cat >> prompts; touch reading-done; while [ ! -e go ]; do sleep 0.02; done');
    bench.start();
    const first = bench.hive.grant([{ body: 'the first' }]);
    await exists('state/reading-done');
    const second = bench.hive.grant([{ body: 'the second' }]);
    await expect.poll(() => bench.hive.heartbeats.length).toBeGreaterThan(0);
    expect(bench.hive.polls).toHaveLength(1);
    expect(bench.read('prompts')).toContain('the first');
    expect(bench.read('prompts')).not.toContain('the second');
    writeFileSync(bench.at('state/go'), '');
    await ended(2);
    expect(bench.hive.ends.map(({ turn_id }) => turn_id)).toEqual([first, second]);
    expect(bench.read('prompts').match(/the (first|second)/g)).toEqual(['the first', 'the second']);
  });

  it(verifies('P7') + 'takes a grant whose answer was lost as the same turn', async () => {
    bench.program('cat > /dev/null');
    bench.start();
    await expect.poll(() => bench.hive.polls.length).toBe(1);
    bench.hive.loseNextGrant();
    const turnId = bench.hive.grant([{ body: 'x' }]);
    await ended(1);
    expect(bench.hive.ends[0]?.turn_id).toBe(turnId);
    expect(bench.hive.polls.slice(0, 2).map((poll) => poll.last_turn_id)).toEqual([null, null]);
  });

  it(
    verifies('5.1') + 'waits for a gateway that is not there yet, and for one that goes',
    async () => {
      bench.program('cat >> bodies');
      await bench.hive.down();
      bench.start();
      await expect.poll(() => bench.log.some((line) => line['code'] === 'unavailable')).toBe(true);
      await bench.hive.up();
      await expect.poll(() => bench.hive.polls.length, { timeout: 20_000 }).toBe(1);
      await bench.hive.down();
      await bench.hive.up();
      bench.hive.grant([{ body: 'after the restart' }]);
      await ended(1);
      expect(bench.read('bodies')).toContain('after the restart');
    },
  );

  it(
    verifies('5.1', 'P6') +
      'keeps a result on disk until it is answered and polls for nothing before',
    async () => {
      bench.program('cat > /dev/null; echo hello');
      bench.hive.refusals.end = Array.from({ length: 4 }, () => new HiveError('unavailable', 'no'));
      bench.start();
      bench.hive.grant([{ body: 'x' }]);
      await expect.poll(() => bench.hive.ends.length).toBeGreaterThan(1);
      expect(readdirSync(bench.at('home/.hive/ends'))).toEqual(['t1.json']);
      expect(bench.hive.polls).toHaveLength(1);
      await ended(5);
      await expect.poll(() => bench.hive.polls.length).toBe(2);
      expect(readdirSync(bench.at('home/.hive/ends'))).toEqual([]);
      expect(new Set(bench.hive.ends.map((end) => JSON.stringify(end))).size).toBe(1);
    },
  );

  it(
    verifies('P6', '5.1') + 'brings unanswered results and unsent events with its hello',
    async () => {
      bench.program('cat > /dev/null; echo hello');
      const first = bench.start();
      await expect.poll(() => bench.hive.polls.length).toBe(1);
      bench.hive.refusals.events = Array.from(
        { length: 99 },
        () => new HiveError('unavailable', 'no'),
      );
      bench.hive.refusals.end = Array.from(
        { length: 99 },
        () => new HiveError('unavailable', 'no'),
      );
      bench.hive.grant([{ body: 'x' }]);
      await expect.poll(() => bench.hive.ends.length, { timeout: 20_000 }).toBeGreaterThan(0);
      first.harness.stop();
      expect(await first.code).toBe(0);
      expect(readdirSync(bench.at('home/.hive/events'))).toEqual(['t1.jsonl']);
      bench.hive.refusals.events = [];
      bench.hive.refusals.end = [];
      bench.hive.events.length = 0;
      bench.start();
      await expect.poll(() => bench.hive.hellos.length).toBe(2);
      expect(bench.hive.hellos[1]).toMatchObject({
        instance: 2,
        ends: [{ turn_id: 't1', end: { instance: 1, result_kind: 'ok' } }],
      });
      await expect.poll(() => bench.hive.events.map((event) => event.text)).toContain('hello');
      await expect.poll(() => readdirSync(bench.at('home/.hive/events'))).toEqual([]);
      expect(readdirSync(bench.at('home/.hive/ends'))).toEqual([]);
    },
  );

  it(verifies('P6') + 'puts a result aside that the hive cannot read, and goes on', async () => {
    bench.program('cat > /dev/null');
    bench.hive.refusals.end = [new HiveError('invalid_request', 'end.note is too long')];
    bench.start();
    bench.hive.grant([{ body: 'x' }]);
    bench.hive.grant([{ body: 'y' }]);
    await ended(2);
    expect(readdirSync(bench.at('home/.hive/ends'))).toEqual(['t1.json.refused']);
  });

  it(
    verifies('5.6', 'P17', 'P18') + 'cancels on command, confirms it, and ends the whole group',
    async () => {
      bench.program('trap "exit 7" INT; (sleep 300) & echo up > up; wait');
      bench.start();
      bench.hive.grant([{ body: 'x' }]);
      await exists('state/up');
      const id = bench.hive.command('cancel');
      await ended(1);
      expect(bench.hive.ends[0]?.end).toMatchObject({
        result_kind: 'cancelled',
        note: 'cancelled by the operator',
      });
      await expect.poll(() => bench.hive.polls.at(-1)?.confirm ?? []).toEqual([id]);
      expect(bench.processes()).toEqual([]);
    },
  );

  it(verifies('5.6') + 'ends a turn that is over its time limit', async () => {
    bench.program('cat > /dev/null; sleep 300');
    bench.writeConfig({ turn_seconds: 1 });
    bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await ended(1);
    expect(bench.hive.ends[0]?.end.result_kind).toBe('timed_out');
    expect(bench.processes()).toEqual([]);
  });

  it(verifies('P2', 'P6') + 'stops its program when the hive takes the turn back', async () => {
    bench.program('echo up > up; sleep 300');
    bench.start();
    const turnId = bench.hive.grant([{ body: 'x' }]);
    await exists('state/up');
    bench.hive.takeBack(turnId);
    await ended(1);
    expect(bench.hive.ends[0]?.end).toMatchObject({
      result_kind: 'failed',
      note: 'the hive had taken the turn back',
    });
    expect(bench.processes()).toEqual([]);
    await expect.poll(() => bench.hive.polls.length).toBeGreaterThan(1);
    // The hive revoked the run: the harness asks again with a fresh one.
    const before = bench.hive.polls.length;
    bench.hive.refusals.turns = [new HiveError('superseded', 'this run token was revoked')];
    bench.program('cat > /dev/null');
    bench.hive.grant([{ body: 'y' }]);
    bench.hive.grant([{ body: 'z' }]);
    await ended(3);
    const hashes = bench.hive.polls.slice(before - 1).map((poll) => poll.run_token_hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it(verifies('5.1', 'P17') + 'ends and reports the running turn when it is stopped', async () => {
    bench.program('echo up > up; sleep 300');
    const { harness, code } = bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await exists('state/up');
    harness.stop();
    expect(await code).toBe(0);
    expect(bench.hive.ends[0]?.end).toMatchObject({
      result_kind: 'cancelled',
      note: 'the harness was stopped',
    });
    expect(bench.processes()).toEqual([]);
  });

  it(verifies('P18') + 'stops on command', async () => {
    const { code } = bench.start();
    await expect.poll(() => bench.hive.polls.length).toBe(1);
    bench.hive.command('stop');
    expect(await code).toBe(0);
  });

  it(verifies('P4') + 'exits with a code of its own when a newer instance runs', async () => {
    bench.program('echo up > up; sleep 300');
    const { code } = bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await exists('state/up');
    bench.hive.refusals.heartbeat = [new HiveError('instance_superseded', 'instance 2 is there')];
    // The open heartbeat is answered, the next one refused.
    bench.hive.command('compact');
    expect(await code).toBe(10);
    expect(bench.processes()).toEqual([]);
  });

  it(verifies('P4') + 'is refused at hello when a newer instance runs', async () => {
    bench.hive.refusals.hello = [new HiveError('instance_superseded', 'instance 9 is there')];
    const { code } = bench.start();
    expect(await code).toBe(10);
    expect(bench.hive.polls).toEqual([]);
  });

  it(verifies('5.1') + 'reads its configuration again before each turn', async () => {
    bench.program('cat > /dev/null; echo "$WORD" >> words');
    bench.writeConfig({ env: { WORD: 'one' } });
    bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await ended(1);
    bench.writeConfig({ env: { WORD: 'two' } });
    bench.hive.grant([{ body: 'x' }]);
    await ended(2);
    writeFileSync(bench.at('harness.json'), '{"driver": 7');
    bench.hive.grant([{ body: 'x' }]);
    await ended(3);
    expect(bench.read('words')).toBe('one\ntwo\ntwo\n');
  });

  it(
    verifies('5.2', 'P2', 'P31') +
      "gives the program its turn, the run's token and nothing of its own",
    async () => {
      bench.program(
        'env > env; pwd > cwd; cat "$HIVE_TOKEN_FILE" | tee token; cat "$1" > argument',
      );
      writeFileSync(bench.at('config/data.txt'), 'from the config tree');
      bench.writeConfig({ command: ['sh', 'bot.sh', 'data.txt'], env: { WORD: 'one' } });
      bench.start();
      const turnId = bench.hive.grant([{ body: 'x' }]);
      await ended(1);
      expect(bench.hive.ends[0]?.end.result_kind).toBe('ok');
      const env = bench.read('env').split('\n');
      expect(env).toContain(`HIVE_TURN_ID=${turnId}`);
      expect(env).toContain('WORD=one');
      expect(env.filter((line) => /SECRET_OF|HIVE_INSTANCE|HIVE_WORK_DIR/.test(line))).toEqual([]);
      expect(bench.read('cwd').trim()).toBe(bench.at('state'));
      expect(bench.read('argument')).toBe('from the config tree');
      const hash = createHash('sha256').update(bench.read('token')).digest('hex');
      expect(hash).toBe(bench.hive.polls[0]?.run_token_hash);
      // What the program prints is shown to people: without the token.
      expect(bench.hive.events.map((event) => event.text)).toContain('[secret]');
      expect(JSON.stringify(bench.hive.events)).not.toContain(bench.read('token'));
      expect(readdirSync(bench.at('home/.hive/runs'))).toHaveLength(1); // That of the next turn.
    },
  );

  it(verifies('5.2') + "fails a turn with the end of the program's stderr", async () => {
    bench.program('echo one >&2; echo "cannot find the answer" >&2; exit 3');
    bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await ended(1);
    expect(bench.hive.ends[0]?.end).toMatchObject({
      result_kind: 'failed',
      note: 'exit 3: one\ncannot find the answer',
    });
  });

  it.each([
    ['a program that is not there', ['no-such-program'], 'no-such-program cannot be started'],
    ['no program at all', [], 'the command driver has no command'],
  ])(verifies('5.2') + 'fails a turn with %s', async (_, command, note) => {
    bench.writeConfig({ command });
    bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await ended(1);
    expect(bench.hive.ends[0]?.end.result_kind).toBe('failed');
    expect(bench.hive.ends[0]?.end.note).toContain(note);
  });

  it(verifies('5.2') + 'ends what a program left running when it was done', async () => {
    bench.program('sleep 300 & setsid sleep 300 & echo done');
    bench.start();
    bench.hive.grant([{ body: 'x' }]);
    await ended(1);
    expect(bench.hive.ends[0]?.end.result_kind).toBe('ok');
    expect(bench.processes()).toEqual([]);
  });
});
