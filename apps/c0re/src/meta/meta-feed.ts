import { Injectable } from '@nestjs/common';

import { RegistryPush } from '../registry/registry-push.service.js';
import { MetaRepository } from './meta-repository.service.js';

/** Tells the event stream when the inputs of the deployed state changed. */
@Injectable()
export class MetaFeed {
  private version = 0;
  private published = 0;

  constructor(
    private readonly meta: MetaRepository,
    private readonly registry: RegistryPush,
  ) {
    registry.addFeed(async (call) => {
      const { version } = this;
      if (version === this.published) return;
      const meta_inputs = await this.meta.inputs();
      await call('publish', { events: [{ kind: 'meta_inputs_changed', version, meta_inputs }] });
      this.published = version;
    });
  }

  async changed(): Promise<void> {
    const log = await this.meta.log();
    // Grows over restarts too: the log only gets longer.
    this.version = Math.max(this.version + 1, log.length);
    this.registry.kick();
  }
}
