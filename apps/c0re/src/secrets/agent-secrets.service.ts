import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Injectable } from '@nestjs/common';

import { SECRET_NAME, type AgentConfig, type McpServerConfig } from '#libs/protocol';

import { invalidConfig, type ConfigProblem } from '../agent-config/config-problem.js';
import { environmentValueProblem, secretName } from '../agent-config/environment.rules.js';
import { C0reSettings } from '../settings/c0re.settings.js';

/** Largest secret in bytes. */
const SECRET_BYTES = 32_768;

/** The parts of a configuration in which `secret:NAME` stands for a secret's value. */
export interface ResolvedSecrets {
  env: Record<string, string>;
  mcp_servers: Record<string, McpServerConfig>;
}

/**
 * Secrets of agents: `secrets/agents/<agent>/<NAME>`, a file that the operator puts there. Its place is the grant: no
 * other agent gets it (P31).
 */
@Injectable()
export class AgentSecrets {
  constructor(private readonly settings: C0reSettings) {}

  /**
   * The configuration's values with every secret in its place. Throws `invalid_config` that names each secret that is
   * missing; never with a value in it.
   */
  resolve(agent: string, config: AgentConfig): ResolvedSecrets {
    const problems: ConfigProblem[] = [];
    const fill = (values: Record<string, string>, key: string) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => {
          const secret = secretName(value);
          if (secret === undefined) return [name, value];
          const found = this.read(agent, secret);
          if ('problem' in found) problems.push({ key: `${key}.${name}`, message: found.problem });
          return [name, 'value' in found ? found.value : ''];
        }),
      );
    const resolved: ResolvedSecrets = {
      env: fill(config.env, 'env'),
      mcp_servers: Object.fromEntries(
        Object.entries(config.mcp_servers).map(([name, server]) => {
          const key = `mcp_servers.${name}`;
          return 'url' in server
            ? [name, { ...server, headers: fill(server.headers ?? {}, `${key}.headers`) }]
            : [name, { ...server, env: fill(server.env ?? {}, `${key}.env`) }];
        }),
      ),
    };
    if (problems.length > 0) throw invalidConfig(problems);
    return resolved;
  }

  private read(agent: string, name: string): { value: string } | { problem: string } {
    if (!SECRET_NAME.test(name)) return { problem: 'is not the name of a secret' };
    const file = path.join(this.settings.home.agentSecrets, agent, name);
    const cure = `put it into ${file} (mode 0600)`;
    let fd: number;
    try {
      fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      return { problem: `secret ${name} was not granted to ${agent}: ${cure}` };
    }
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > SECRET_BYTES) {
        return {
          problem: `secret ${name} is not a file of at most ${SECRET_BYTES} bytes: ${cure}`,
        };
      }
      const value = readFileSync(fd, 'utf8').replace(/\r?\n$/, '');
      const problem = environmentValueProblem(value);
      return problem ? { problem: `secret ${name} ${problem}: ${cure}` } : { value };
    } finally {
      closeSync(fd);
    }
  }
}
