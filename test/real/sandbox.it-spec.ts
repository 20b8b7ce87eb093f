import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AgentRow, MessageRow } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';
import { claudePath, CLI_START_MS } from './claude-cli.js';
import { ScriptedModel } from './model/scripted-model.js';

const POLL = { timeout: 2 * CLI_START_MS, interval: 200 };
/** Another loopback address than the gateway's, which no CLI reaches by the proxy. */
const MODEL_HOST = '127.0.0.2';
const DRIVERS = process.getuid?.() === 0 ? ['nspawn', 'bubblewrap'] : ['bubblewrap'];

/** Says of each address whether something can be reached there without the proxy, and with it. */
const probe = (addresses: readonly string[]) =>
  addresses
    .map(
      (address) => `
(exec 3<>/dev/tcp/${address.replace(':', '/')}) 2>/dev/null && echo "direct ${address}"
proxy=\${HTTP_PROXY#http://}
exec 4<>/dev/tcp/\${proxy%:*}/\${proxy#*:} && printf 'CONNECT ${address} HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n' >&4 && read -r line <&4 && echo "${address} by proxy: $line"`,
    )
    .join('\n');

describe.each(DRIVERS)(
  'Claude Code in a container of %s',
  { timeout: 4 * CLI_START_MS },
  (driver) => {
    let hive: RunningHive;
    let model: ScriptedModel;
    const results: string[] = [];

    beforeAll(async () => {
      model = await ScriptedModel.start((request) => {
        const id = /^id: (m\d+)$/m.exec(request.prompt)?.[1] ?? '';
        results.push(...request.toolResults.map(({ text }) => text));
        const done = request.messages.filter(({ role }) => role === 'assistant').length;
        if (done === 0) {
          const dashboard = new URL(hive.dashboardUrl).host;
          const command = `bash <<'END'\n${probe([dashboard, new URL(model.url).host, '127.0.0.1:22'])}\nid -u; ls /agents\nEND`;
          return { kind: 'message', tools: [{ name: 'Bash', input: { command } }] };
        }
        if (done > 1) return { kind: 'message', text: 'Sent.' };
        const input = { to: 'operator', body: `I read ${id}`, in_reply_to: id };
        return { kind: 'message', tools: [{ name: 'mcp__hyperhive__send', input }] };
      }, MODEL_HOST);
      hive = await startHive({ env: { HIVE_CONTAINER_DRIVER: driver } });
    });
    afterAll(async () => {
      const code = await hive.stop();
      await model.close();
      if (code !== 0) throw new Error(`the hive ended with ${code}:\n${hive.output}`);
    });

    it(
      verifies('4.2', '4.3', 'P35', '8.3') +
        'runs its turns, reaches the gateway and the model, and nothing else',
      async () => {
        await hive.api('POST', '/api/agents', {
          name: 'claude',
          config: {
            driver: 'claude',
            command: [claudePath()],
            model: 'claude-sonnet-4-5',
            env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-ant-dummy-key' },
            allowed_tools: ['Bash', 'Read'],
            network: 'model',
            network_allow: [new URL(model.url).host],
          },
        });
        await expect
          .poll(async () => {
            const { agents } = await hive.api<{ agents: AgentRow[] }>('GET', '/api/state');
            return agents.map(({ state, container, harness_seen_at: seen, reason }) => [
              state,
              container,
              seen !== null,
              reason,
            ]);
          }, POLL)
          .toEqual([['running', driver, true, '']]);
        const sent = await hive.api<{ id: string }>('POST', '/api/messages', {
          to: 'claude',
          body: 'Are you there?',
        });
        const reply = async () => {
          const { messages } = await hive.api<{ messages: MessageRow[] }>('GET', '/api/messages');
          return messages.find((message) => message.in_reply_to === sent.id)?.body;
        };
        await expect.poll(reply, POLL).toBe(`I read ${sent.id}`);
        const dashboard = new URL(hive.dashboardUrl).host;
        const lines = (results[0] ?? '').split('\n').map((line) => line.trim());
        expect(lines.slice(0, 5)).toEqual([
          `${dashboard} by proxy: HTTP/1.1 403 Refused`,
          `${new URL(model.url).host} by proxy: HTTP/1.1 200 Connection established`,
          '127.0.0.1:22 by proxy: HTTP/1.1 403 Refused',
          '1000',
          'claude',
        ]);
        expect(model.others).toEqual([]);
      },
    );
  },
);
