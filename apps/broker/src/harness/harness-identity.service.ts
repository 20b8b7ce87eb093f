import { Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';

import type { Agent } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';

/** Which harness process may speak for an agent: only the newest instance, by c0re's numbers (P4, EXECUTIONS H10). */
@Injectable()
export class HarnessIdentity {
  constructor(private readonly credentials: Credentials) {}

  /**
   * For `hello`: throws `instance_superseded` for an instance that was replaced or is known to be gone, and
   * `unavailable` for one that c0re has not announced: a number that an agent invents must not shut its harness out.
   */
  newcomer(credential: string, instance: number): Agent {
    const agent = this.notReplaced(credential, instance);
    if (instance > agent.instance) {
      throw new HiveError(
        'unavailable',
        `c0re has not announced instance ${instance} yet (the newest is ${agent.instance}); try again`,
      );
    }
    return agent;
  }

  /** For every other call: the instance must be the one that said hello last. */
  current(credential: string, instance: number): Agent {
    const agent = this.notReplaced(credential, instance);
    if (instance > agent.hello_instance) {
      throw new HiveError(
        'conflict',
        `instance ${instance} has not said hello yet; call hello first`,
      );
    }
    return agent;
  }

  private notReplaced(credential: string, instance: number): Agent {
    const agent = this.credentials.harness(credential);
    const lowest = Math.max(agent.instance, agent.hello_instance, agent.ended_instance + 1);
    if (instance < lowest) throw superseded(instance, lowest);
    return agent;
  }
}

/** The refusal of a harness that was replaced. */
export function superseded(instance: number, lowest: number): HiveError {
  return new HiveError(
    'instance_superseded',
    `harness instance ${instance} was replaced (the lowest that may speak is ${lowest}): stop the CLI and exit`,
    { lowest },
  );
}
