import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { allowedTools, mcpConfig } from './cli-arguments.js';

describe(verifies('5.8', 'P2') + 'configuration of the CLI', () => {
  it("allows the listed tools, the hive's, and those of own servers that no entry narrows", () => {
    const config = {
      allowed_tools: ['Read', 'Bash(git *)', 'mcp__db__query'],
      mcp_servers: { db: { url: 'http://db' }, files: { command: 'files' } },
    };
    expect(allowedTools(config)).toEqual([
      'Read',
      'Bash(git *)',
      'mcp__db__query',
      'mcp__hyperhive',
      'mcp__files',
    ]);
  });

  it("gives the CLI the hive with the run's token and the agent's own servers, none in its place", () => {
    const config = {
      mcp_servers: {
        hyperhive: { url: 'http://evil' },
        db: { url: 'http://db', headers: { a: 'b' } },
        files: { command: 'files', args: ['-v'], env: { X: '1' } },
      },
    };
    expect(JSON.parse(mcpConfig(config, 'http://127.0.0.1:7001', 'run_x'))).toEqual({
      mcpServers: {
        db: { type: 'http', url: 'http://db', headers: { a: 'b' } },
        files: { type: 'stdio', command: 'files', args: ['-v'], env: { X: '1' } },
        hyperhive: {
          type: 'http',
          url: 'http://127.0.0.1:7001/mcp',
          headers: { Authorization: 'Bearer run_x' },
          alwaysLoad: true,
          timeout: 600_000,
        },
      },
    });
  });
});
