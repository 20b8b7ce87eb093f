import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DashboardAnswers } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';

const PATIENCE = { timeout: 60_000, interval: 200 };

/** A manager that asks for an agent in its first turn, with the token of that turn, and keeps every prompt. */
const BOT = `
import { appendFileSync, readFileSync } from 'node:fs';
const prompt = readFileSync(0, 'utf8');
appendFileSync(process.env.HIVE_STATE_DIR + '/prompts', prompt);
const token = readFileSync(process.env.HIVE_TOKEN_FILE, 'utf8').trim();
let session;
const call = async (method, params, id) => {
  const answer = await fetch(process.env.HIVE_GATEWAY_URL + '/mcp', {
    method: 'POST',
    headers: {
      authorization: 'Bearer ' + token,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(session ? { 'mcp-session-id': session } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', method, params, ...(id ? { id } : {}) }),
  });
  session ??= answer.headers.get('mcp-session-id');
  return answer.text();
};
if (prompt.includes('please begin')) {
  await call('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bot', version: '1' } }, 1);
  await call('notifications/initialized', {});
  const answer = await call('tools/call', { name: 'request_spawn', arguments: { name: 'eve', description: 'a reviewer' } }, 2);
  appendFileSync(process.env.HIVE_STATE_DIR + '/answers', token + ' ' + answer);
}
`;

describe(
  verifies('4.6', '4.10', 'P2', 'P29', '8.7') + 'a manager that works by itself, in a real hive',
  () => {
    let hive: RunningHive;
    const state = (file: string) => path.join(hive.home, 'agents/manager/state', file);
    const read = (file: string) =>
      existsSync(state(file)) ? readFileSync(state(file), 'utf8') : '';

    beforeAll(async () => {
      hive = await startHive();
      await hive.api('POST', '/api/agents?wait=1', {
        name: 'manager',
        yaml: 'role: manager\ndriver: command\ncommand: [node, bot.mjs]\nquiet_window_ms: 0\n',
        files: { 'bot.mjs': BOT },
      });
    }, 120_000);
    afterAll(async () => {
      await hive?.stop();
    });

    it('asks by the token of its run, and is told the reason of the denial in its next turn', async () => {
      await hive.api('POST', '/api/messages', { to: 'manager', body: 'please begin' });
      const pending = async () => {
        const { approvals } = await hive.api<DashboardAnswers['approvals']>(
          'GET',
          '/api/approvals?state=pending',
        );
        return approvals.map(({ id, kind, agent, requested_by: by }) => [id, kind, agent, by]);
      };
      await expect.poll(pending, PATIENCE).toEqual([['a1', 'spawn', 'eve', 'manager']]);
      await hive.api('POST', '/api/approvals/a1/deny', { reason: 'we are enough' });
      await expect.poll(() => read('prompts'), PATIENCE).toMatch(/a1 .*denied: "we are enough"/);
      const { audit } = await hive.api<DashboardAnswers['audit']>('GET', '/api/audit');
      expect(audit).toContainEqual(
        expect.objectContaining({ who: 'manager', action: 'request_spawn', result: 'a1' }),
      );
    });

    it('has no power left in that token once the turn is over', async () => {
      const token = read('answers').split(' ', 1)[0] ?? '';
      expect(token).toMatch(/^[\w-]{20,}$/);
      const client = new Client({ name: 'test', version: '1.0.0' });
      const transport = new StreamableHTTPClientTransport(new URL(`${hive.gatewayUrl}/mcp`), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      });
      const again = async () => {
        await client.connect(transport);
        const call = { name: 'request_spawn', arguments: { name: 'mallory' } };
        return JSON.stringify(await client.callTool(call));
      };
      // At the door, or by c0re itself: its run has no live turn.
      const said = await again().catch(String);
      expect(said).toMatch(/superseded|unauthorized|this turn is over|not known to the hive/i);
      await client.close();
      const { approvals } = await hive.api<DashboardAnswers['approvals']>('GET', '/api/approvals');
      expect(approvals.map(({ id }) => id)).toEqual(['a1']);
    });
  },
);
