import { Injectable } from '@nestjs/common';

import { HiveError, type Identity } from '#libs/protocol';

import { LiveTurns } from '../turns/live-turns.js';
import type { LiveTurn } from '../turns/turn.js';
import { TurnsRepository } from '../turns/turns.repository.js';
import { AgentDirectory } from './agent-directory.service.js';
import type { Agent } from './agent.js';

/** An agent that calls, by its long-lived token or by that of a CLI process in its live turn. */
export interface AgentCaller {
  agent: Agent;
  /** Set for a run's token only: a call with the agent's own token belongs to no turn. */
  turn: LiveTurn | undefined;
}

/** Who stands behind a token (P2). Called from inside the transaction that carries the call out. */
@Injectable()
export class Credentials {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly rows: TurnsRepository,
  ) {}

  /** Throws `unauthorized` for an unknown token and `superseded` for a run's token whose turn is not live. */
  caller(credential: string): AgentCaller {
    const own = this.directory.byToken(credential);
    if (own) return { agent: own, turn: undefined };
    const turn = this.turns.ofRun(credential);
    const agent = turn && this.directory.byId(turn.agent);
    if (agent && agent.state !== 'destroyed') return { agent, turn };
    if (this.rows.run(credential)) throw turnIsOver();
    throw unknownToken();
  }

  /** The agent that may call with this token now, undefined when none may; throws nothing. */
  peek(credential: string): Agent | undefined {
    const turn = this.turns.ofRun(credential);
    return this.directory.byToken(credential) ?? (turn && this.directory.byId(turn.agent));
  }

  /** Who may act with this token now, as others than the gateway ask for it; throws as `caller`. */
  acting(credential: string): Identity {
    const { agent, turn } = this.caller(credential);
    return identity(agent, turn ? 'run' : 'agent');
  }

  /** Whether this is the hash of some living agent's long-lived token. */
  isAgentToken(hash: string): boolean {
    return this.directory.byToken(hash) !== undefined;
  }

  /** The agent behind its own long-lived token, as the harness API wants it. */
  harness(credential: string): Agent {
    const agent = this.directory.byToken(credential);
    if (agent) return agent;
    if (this.rows.run(credential)) {
      throw new HiveError(
        'forbidden',
        "this is the token of one CLI process; the harness API takes the agent's own token",
      );
    }
    throw unknownToken();
  }

  /** Who a token is, for opening a session with it; a run that waits for its next turn is known too. */
  identify(credential: string): Identity {
    const own = this.directory.byToken(credential);
    if (own) return identity(own, 'agent');
    const run = this.rows.run(credential);
    const agent = run && this.directory.byId(run.agent);
    if (!run || !agent || agent.state === 'destroyed') throw unknownToken();
    if (run.revoked === 1) throw turnIsOver();
    return identity(agent, 'run');
  }
}

function identity(agent: Agent, kind: Identity['credential_kind']): Identity {
  return { agent_id: String(agent.id), name: agent.name, role: agent.role, credential_kind: kind };
}

/** The refusal of a call of a CLI whose turn is over. */
export function turnIsOver(): HiveError {
  return new HiveError(
    'superseded',
    'this turn is over: stop now. What it was given goes back and is handled in another turn; nothing you send from here has any effect',
  );
}

function unknownToken(): HiveError {
  return new HiveError(
    'unauthorized',
    'the token is not one of a living agent; use the one in the file named by HIVE_TOKEN_FILE',
  );
}
