import { Injectable } from '@nestjs/common';

import type { RpcPeer } from '#libs/ipc';
import type { SchedulerCallbacks } from '#libs/protocol';

/** The connections of schedulers. */
@Injectable()
export class SchedulerLinks {
  private readonly links = new Set<RpcPeer>();

  /** Registers a new connection. */
  connected(peer: RpcPeer): void {
    this.links.add(peer);
    void peer.whenClosed.then(() => this.links.delete(peer));
  }

  /** Tells every scheduler that jobs wait; one that misses it asks by itself soon. */
  jobsWaiting(): void {
    for (const peer of this.links)
      peer.call<SchedulerCallbacks, 'jobs_waiting'>('jobs_waiting', {}).catch(() => {});
  }
}
