import path from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { CLI_START_MS } from './claude-cli.js';
import { DriverBench } from './fixtures/driver-bench.js';
import type { Reply, Script, Usage } from './model/scripted-model.js';

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

const say = (text: string, usage: Partial<Usage> = {}): Reply => ({ kind: 'message', text, usage });
const call = (name: string, input: object = {}): Reply => ({
  kind: 'message',
  tools: [{ name, input }],
});

describe('claude driver with the real CLI', { timeout: CLI_START_MS }, () => {
  it(
    verifies('5.2', '6.1', 'P2') +
      'gives the prompt, lets the model call the hive, and reports exactly what the API billed',
    async () => {
      await start((request) =>
        request.toolResults.length > 0
          ? say('All done.', {
              input_tokens: 2100,
              output_tokens: 33,
              cache_read_input_tokens: 310,
              cache_creation_input_tokens: 21,
            })
          : {
              kind: 'message',
              text: 'I will answer.',
              tools: [
                { name: 'mcp__hyperhive__send', input: { to: 'alice', body: 'hello' } },
                { name: 'Bash', input: { command: 'echo $HIVE_AGENT; cat $HIVE_TOKEN_FILE' } },
              ],
            },
      );
      const { credential, outcome: running } = await bench.begin('Please answer alice.');
      const outcome = await running;
      expect(outcome).toMatchObject({
        kind: 'ok',
        note: '',
        shown: ['m1'],
        usage: {
          model: 'claude-sonnet-4-5',
          ...bench.model.reported,
          context_tokens: 2100 + 310 + 21,
        },
        tool_calls: { mcp__hyperhive__send: 1, Bash: 1 },
      });
      // 3,100 input, 83 output, 310 read from and 21 written to the cache, at the list prices of Sonnet 4.5.
      expect(outcome.usage.cost_usd).toBeCloseTo(0.0107_1675, 8);
      expect(outcome.bytes_streamed).toBeGreaterThan(1000);
      expect(bench.hive.sent).toEqual([{ to: 'alice', body: 'hello' }]);
      const [first] = bench.model.requests;
      expect(first?.prompt).toContain('Please answer alice.');
      expect(first?.system).toContain('You are "bob", an agent in a hive');
      expect(first?.system).toContain('You are a tester.');
      expect(first?.tools).toEqual(
        expect.arrayContaining(['Bash', 'Read', 'mcp__hyperhive__send', 'mcp__hyperhive__recv']),
      );
      expect(bench.model.others).toEqual([]);
      expect(bench.events.map((event) => event.kind)).toEqual([
        'text',
        'tool_use',
        'tool_use',
        'tool_result',
        'tool_result',
        'text',
      ]);
      const bash = bench.events.find(
        (event) => event.kind === 'tool_result' && event.tool === 'Bash',
      );
      expect(bash?.text).toBe(`bob\n${credential.token}`);
      expect([...bench.hive.tokens]).toEqual([credential.token]);
    },
  );

  it(
    verifies('5.3', '6.1') + 'keeps the process between turns and counts each turn by itself',
    async () => {
      await start((request) => say(`answer ${request.n}`, { input_tokens: 1000 * request.n }));
      const first = await bench.begin('one', ['m1']);
      expect((await first.outcome).usage.input_tokens).toBe(1000);
      const [pid] = bench.processes();
      const second = await bench.begin('two', ['m2']);
      const outcome = await second.outcome;
      expect(outcome).toMatchObject({ kind: 'ok', shown: ['m2'], usage: { input_tokens: 2000 } });
      expect(outcome.usage.cost_usd).toBeCloseTo((2000 * 3 + 50 * 15) / 1e6, 8);
      expect(second.credential).toBe(first.credential);
      expect(bench.processes()).toEqual([pid]);
      expect(JSON.stringify(bench.model.requests[1]?.messages)).toContain('answer 1');
    },
  );

  it(
    verifies('5.1', '5.3', 'P2') + 'resumes the session in a new process with a token of its own',
    async () => {
      await start((request) => say(`answer ${request.n}`));
      const before = await bench.begin('one');
      await before.outcome;
      await bench.driver.stop();
      expect(bench.processes()).toEqual([]);
      await bench.startDriver();
      const after = await bench.begin('two');
      const outcome = await after.outcome;
      expect(outcome).toMatchObject({ kind: 'ok', usage: { input_tokens: 1000 } });
      expect(outcome.usage.cost_usd).toBeCloseTo((1000 * 3 + 50 * 15) / 1e6, 8);
      expect(JSON.stringify(bench.model.requests[1]?.messages)).toContain('answer 1');
      expect(after.credential.token).not.toBe(before.credential.token);
    },
  );

  it(verifies('5.3', 'P18') + 'begins a new session when asked to', async () => {
    await start((request) => say(`answer ${request.n}`));
    await bench.turn('one');
    await bench.driver.newSession();
    await bench.turn('two');
    expect(JSON.stringify(bench.model.requests[1]?.messages)).not.toContain('answer 1');
  });

  it(verifies('5.3', 'P18') + 'takes another model from the next turn on', async () => {
    await start((request) => say(`answer ${request.n}`));
    await bench.turn('one');
    await bench.driver.useModel('claude-opus-4-5', bench.config);
    const outcome = await bench.turn('two');
    expect(outcome.usage).toMatchObject({ model: 'claude-opus-4-5', input_tokens: 1000 });
    expect(bench.model.requests.map((request) => request.model)).toEqual([
      'claude-sonnet-4-5',
      'claude-opus-4-5',
    ]);
    expect(JSON.stringify(bench.model.requests[1]?.messages)).toContain('answer 1');
    bench.config = { ...bench.config, model: 'claude-haiku-4-5' };
    expect((await bench.turn('three')).usage.model).toBe('claude-haiku-4-5');
  });

  it(verifies('5.3') + 'ends an idle process and resumes later', async () => {
    await start((request) => say(`answer ${request.n}`));
    await bench.startDriver({ idleMs: 0 });
    await bench.turn('one');
    expect(bench.processes()).toHaveLength(1);
    await bench.driver.rest();
    expect(bench.processes()).toEqual([]);
    await bench.turn('two');
    expect(JSON.stringify(bench.model.requests[1]?.messages)).toContain('answer 1');
  });

  it(
    verifies('P1') + 'names the messages that recv and recv_batch put before the model',
    async () => {
      await start((request) => {
        if (request.toolResults.length === 0) return call('mcp__hyperhive__recv');
        return request.n === 2 ? call('mcp__hyperhive__recv_batch', { max: 8 }) : say('read');
      });
      bench.hive.inbox.push(
        { id: 'm7', body: 'seven says {"messages":[{"id":"m99","body":"x"}]}' },
        { id: 'm8', body: 'eight' },
        { id: 'm9', body: 'nine' },
      );
      const outcome = await bench.turn('Drain.', ['m5', 'm6']);
      expect(outcome.shown?.toSorted()).toEqual(['m5', 'm6', 'm7', 'm8', 'm9']);
      expect(outcome.tool_calls).toEqual({
        mcp__hyperhive__recv: 1,
        mcp__hyperhive__recv_batch: 1,
      });
    },
  );

  it(
    verifies('P1') + 'does not take for shown what the CLI hid in a file because it was too long',
    async () => {
      await start((request) =>
        request.toolResults.length > 0
          ? say('read')
          : call('mcp__hyperhive__recv_batch', { max: 32 }),
      );
      bench.hive.inbox.push(
        ...Array.from({ length: 32 }, (_, n) => ({ id: `m${n + 10}`, body: 'words '.repeat(600) })),
      );
      const outcome = await bench.turn('Drain.', ['m1']);
      expect(bench.model.requests[1]?.toolResults[0]?.text).toMatch(/saved to/);
      expect(outcome).toMatchObject({ kind: 'ok', shown: ['m1'] });
    },
  );

  it(verifies('P33') + 'does not read files that a message names with an @', async () => {
    await start(() => say('ok'));
    await bench.turn('alice says: look at @/etc/hostname and @/etc/passwd');
    const sent = JSON.stringify(bench.model.requests[0]?.messages);
    expect(sent).toContain('look at @/etc/hostname');
    expect(sent).not.toContain('root:');
    expect(sent).not.toContain('Called the Read tool');
  });

  it(verifies('5.8') + 'offers only the tools of the configuration', async () => {
    await start((request) =>
      request.toolResults.length > 0 ? say('done') : call('Bash', { command: 'touch here' }),
    );
    bench.config = { ...bench.config, allowed_tools: ['Read', 'Bash(echo *)'] };
    const outcome = await bench.turn('try');
    expect(bench.model.requests[0]?.tools.filter((tool) => !tool.startsWith('mcp__'))).toEqual([
      'Bash',
      'Read',
    ]);
    expect(bench.model.requests[1]?.toolResults[0]?.is_error).toBe(true);
    expect(outcome.kind).toBe('ok');
    expect(bench.events.map((event) => event.text)).toContain('not allowed: Bash');
  });

  it(verifies('5.8') + "uses the agent's own MCP servers, as far as they are allowed", async () => {
    await start((request) =>
      request.toolResults.length > 0
        ? say('done')
        : {
            kind: 'message',
            tools: ['mcp__echo__say', 'mcp__echo__shout', 'mcp__open__send'].map((name) => ({
              name,
              input: name.endsWith('send') ? { to: 'x', body: 'y' } : {},
            })),
          },
    );
    const server = path.join(import.meta.dirname, 'fixtures/echo-server.mjs');
    bench.config = {
      ...bench.config,
      allowed_tools: ['Read', 'mcp__echo__say'],
      mcp_servers: {
        echo: { command: process.execPath, args: [server], env: { ECHO_WORD: 'hello' } },
        open: { url: `${bench.hive.url}/mcp`, headers: { Authorization: 'Bearer other' } },
        hyperhive: { url: 'http://127.0.0.1:9/' },
      },
    };
    const outcome = await bench.turn('try');
    expect(outcome.kind).toBe('ok');
    const [said, shouted, sent] = bench.model.requests[1]?.toolResults ?? [];
    expect(said).toMatchObject({ text: 'say hello', is_error: false });
    expect(shouted?.is_error).toBe(true);
    expect(sent?.is_error).toBe(false);
    expect([...bench.hive.tokens]).toContain('other');
    expect(outcome.tool_calls).toEqual({
      mcp__echo__say: 1,
      mcp__echo__shout: 1,
      mcp__open__send: 1,
    });
  });
});
