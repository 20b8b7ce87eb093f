import { afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { CLI_START_MS } from './claude-cli.js';
import { DriverBench } from './fixtures/driver-bench.js';
import type { ModelRequest, Reply, Script } from './model/scripted-model.js';

let bench: DriverBench;
async function start(script: Script): Promise<DriverBench> {
  bench = await DriverBench.start(script);
  return bench;
}
afterEach(() => bench.stop());

const say = (text: string, input_tokens = 1000): Reply => ({
  kind: 'message',
  text,
  usage: { input_tokens },
});
const tooLong: Reply = {
  kind: 'error',
  status: 400,
  type: 'invalid_request_error',
  message: 'prompt is too long: 210000 tokens > 200000 maximum',
};
const isCompaction = (request: ModelRequest) => request.prompt.includes('Respond with TEXT ONLY');
const isCheckpoint = (request: ModelRequest) =>
  request.prompt.includes('about to compact this session');

describe(verifies('5.3') + 'claude driver: compaction', { timeout: CLI_START_MS }, () => {
  it('compacts once and gives the prompt again when it is too long, in the same session', async () => {
    let isCompacted = false;
    await start((request) => {
      if (isCompaction(request)) {
        isCompacted = true;
        return say('<summary>what was</summary>');
      }
      return request.prompt.includes('two') && !isCompacted ? tooLong : say(`answer ${request.n}`);
    });
    await bench.turn('one');
    bench.model.reset();
    const outcome = await bench.turn('two', ['m2']);
    expect(outcome).toMatchObject({
      kind: 'ok',
      note: 'compacted once: the prompt was too long',
      shown: ['m2'],
      // The compaction's own requests are in the row too.
      usage: bench.model.reported,
    });
    expect(bench.model.requests.filter(isCompaction).length).toBeGreaterThan(0);
    expect(bench.states).toEqual(['compacting', 'compacting', 'running']);
    expect(JSON.stringify(bench.model.requests.at(-1)?.messages)).toContain('what was');
  });

  it('begins a new session with the next turn when compacting does not help', async () => {
    await start((request) => (request.prompt.includes('one') ? say('answer one') : tooLong));
    await bench.turn('one');
    const outcome = await bench.turn('two');
    expect(outcome.kind).toBe('prompt_too_long');
    expect(outcome.note).toContain('the next turn begins a new session');
    bench.model.follow(() => say('fine'));
    expect((await bench.turn('three')).kind).toBe('ok');
    expect(JSON.stringify(bench.model.requests.at(-1)?.messages)).not.toContain('answer one');
  });

  it('compacts after a turn that passed the watermark, with a checkpoint first', async () => {
    await start((request) => {
      if (isCompaction(request)) return say('<summary>what was</summary>', 500);
      if (isCheckpoint(request) && request.toolResults.length === 0) {
        return { kind: 'message', tools: [{ name: 'Bash', input: { command: 'echo x > notes' } }] };
      }
      return say('fine', 160_000);
    });
    const outcome = await bench.turn('one');
    expect(outcome).toMatchObject({
      kind: 'ok',
      note: 'compacted after the turn',
      usage: bench.model.reported,
    });
    expect(outcome.usage.context_tokens).toBeLessThan(10_000);
    // The result of the turn itself was safe before the checkpoint began.
    expect(bench.settled).toHaveLength(1);
    expect(bench.settled[0]).toMatchObject({ kind: 'ok', usage: { input_tokens: 160_000 } });
    const [first, second, third] = bench.model.requests;
    expect([first, second, third].map((request) => request && isCheckpoint(request))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('does not compact below the watermark', async () => {
    await start(() => say('fine', 140_000));
    expect(await bench.turn('one')).toMatchObject({ kind: 'ok', note: '' });
    expect(bench.settled).toEqual([]);
  });

  it(
    verifies('P18') + 'compacts on request while idle, and puts its cost into the next row',
    async () => {
      await start((request) => say(isCompaction(request) ? '<summary>old</summary>' : 'fine'));
      await bench.turn('one');
      bench.model.reset();
      await bench.driver.compact(bench.config);
      expect(bench.model.requests.some(isCompaction)).toBe(true);
      const outcome = await bench.turn('two');
      expect(outcome.usage).toMatchObject(bench.model.reported);
      expect(outcome.note).toBe('the counts hold a compaction before this turn');
      expect((await bench.turn('three')).usage.input_tokens).toBe(1000);
    },
  );
});
