import { HiveError, type Driver } from '#libs/protocol';

import { ClaudeDriver, type ClaudeDriverOptions } from './claude/claude.driver.js';
import { CommandDriver } from './command/command.driver.js';
import type { TurnDriver } from './turn-driver.js';

/** The driver of that name. Throws `driver_unavailable` for one that this harness does not have. */
export function createDriver(name: Driver, options: ClaudeDriverOptions): TurnDriver {
  switch (name) {
    case 'claude':
      return new ClaudeDriver(options);
    case 'command':
      return new CommandDriver(options);
    case 'external':
      throw new HiveError(
        'driver_unavailable',
        'an agent with the driver "external" has no harness: connect an MCP client with its token',
      );
    case 'codex':
    case 'acp':
    default:
      throw new HiveError(
        'driver_unavailable',
        `the driver "${name}" is not available yet; available: claude (Claude Code), command (any program), external (any MCP client)`,
      );
  }
}
