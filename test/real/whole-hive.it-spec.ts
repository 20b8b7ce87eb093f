import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AgentRecord, AgentRow, MessageRow, TurnRow } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';
import { claudePath, CLI_START_MS } from './claude-cli.js';
import { ScriptedModel } from './model/scripted-model.js';

const POLL = { timeout: CLI_START_MS, interval: 100 };

let hive: RunningHive;
let model: ScriptedModel;

beforeAll(async () => {
  model = await ScriptedModel.start((request) => {
    const id = /^id: (m\d+)$/m.exec(request.prompt)?.[1] ?? '';
    if (request.toolResults.some((result) => !result.is_error)) {
      return { kind: 'message', text: 'Sent.' };
    }
    const input = { to: 'operator', body: `I read ${id}`, in_reply_to: id };
    return { kind: 'message', tools: [{ name: 'mcp__hyperhive__send', input }] };
  });
  hive = await startHive();
});
afterAll(async () => {
  const code = await hive.stop();
  await model.close();
  if (code !== 0) throw new Error(`the hive ended with ${code}:\n${hive.output}`);
});

/** Settles when the agent's harness has spoken to the hive. */
const running = () =>
  expect
    .poll(async () => {
      const { agents } = await hive.api<{ agents: AgentRow[] }>('GET', '/api/state');
      const agent = agents.find((each) => each.name === 'claude');
      return agent && [agent.state, agent.harness_seen_at !== null, agent.reason];
    }, POLL)
    .toEqual(['running', true, '']);

describe(
  verifies('1.4', '5.2', '5.7', '6.1', '10.1') + 'a whole hive with the real Claude Code CLI',
  { timeout: 3 * CLI_START_MS },
  () => {
    it('the operator writes, the CLI answers, and the row holds what the model reported', async () => {
      await hive.api('POST', '/api/agents', {
        name: 'claude',
        config: {
          driver: 'claude',
          command: [claudePath()],
          model: 'claude-sonnet-4-5',
          env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-ant-dummy-key' },
          allowed_tools: ['Read'],
        },
      });
      await running();
      const sent = await hive.api<{ id: string }>('POST', '/api/messages', {
        to: 'claude',
        body: 'Are you there?',
      });
      const reply = async () => {
        const { messages } = await hive.api<{ messages: MessageRow[] }>('GET', '/api/messages');
        return messages.find((message) => message.in_reply_to === sent.id);
      };
      await expect.poll(reply, POLL).toBeDefined();
      expect(await reply()).toMatchObject({
        from: 'claude',
        to: 'operator',
        body: `I read ${sent.id}`,
      });
      const turns = async () => {
        const answer = await hive.api<{ turns: TurnRow[] }>('GET', '/api/agents/claude/turns');
        return answer.turns.filter((turn) => turn.ended_at !== null);
      };
      await expect.poll(async () => (await turns()).length, POLL).toBe(1);
      expect(await turns()).toMatchObject([
        {
          result_kind: 'ok',
          wake_from: 'operator',
          model: 'claude-sonnet-4-5',
          ...model.reported,
          tool_call_breakdown: { mcp__hyperhive__send: 1 },
        },
      ]);
      const { agents } = await hive.api<{ agents: AgentRow[] }>('GET', '/api/state');
      expect(agents).toMatchObject([{ name: 'claude', driver: 'claude', turn_state: 'idle' }]);
    });

    it('a restart of the agent keeps its session', async () => {
      const pid = async () => {
        const answer = await hive.api<{ agent: AgentRecord }>('GET', '/api/agents/claude');
        return answer.agent.pid;
      };
      const former = await pid();
      await hive.api('POST', '/api/agents/claude/restart', {});
      await expect.poll(pid, POLL).not.toBe(former);
      await running();
      const before = model.requests.length;
      await hive.api('POST', '/api/messages', { to: 'claude', body: 'And now?' });
      await expect.poll(() => model.requests.length, POLL).toBeGreaterThan(before);
      expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain('Are you there?');
    });
  },
);
