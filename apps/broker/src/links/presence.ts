import { Inject, Injectable } from '@nestjs/common';

import type { RpcPeer } from '#libs/ipc';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { GatewayLinks } from './gateway-links.js';

/** A harness is taken for connected this long after its last call, in milliseconds: longer than its longest wait. */
const CONNECTED_MS = 75_000;

interface Sign {
  at: number;
  steady: number;
  peer: RpcPeer;
}

/** When each agent's harness was heard of last, and over which gateway. In memory: a new broker hears of it anew. */
@Injectable()
export class Presence {
  private readonly signs = new Map<number, Sign>();

  constructor(
    private readonly links: GatewayLinks,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A call of the agent's harness came over `peer`. */
  heard(agent: number, peer: RpcPeer): void {
    this.links.seen(peer);
    this.signs.set(agent, { at: this.clock.now(), steady: this.clock.monotonic(), peer });
  }

  /** Milliseconds since 1970 of the last sign of a harness that is connected, else null. */
  seenAt(agent: number): number | null {
    const sign = this.signs.get(agent);
    return sign && this.clock.monotonic() - sign.steady <= CONNECTED_MS ? sign.at : null;
  }

  /** The connection over which the agent's harness was heard of last. */
  carrier(agent: number): RpcPeer | undefined {
    return this.signs.get(agent)?.peer;
  }

  /** The harness is known to be gone. */
  forget(agent: number): void {
    this.signs.delete(agent);
  }
}
