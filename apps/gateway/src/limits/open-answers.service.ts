import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';

import { GatewayOptions } from '../gateway.options.js';

/** The HTTP answers that are not finished yet: what a stopping gateway waits for. */
@Injectable()
export class OpenAnswers {
  private readonly open = new Set<ServerResponse>();
  private whenNone: (() => void) | undefined;

  constructor(private readonly options: GatewayOptions) {}

  add(response: ServerResponse): void {
    this.open.add(response);
    response.once('close', () => {
      this.open.delete(response);
      if (this.open.size === 0) this.whenNone?.();
    });
  }

  /** Settles when all are finished, or after `withinMs`. */
  async finished(withinMs: number): Promise<void> {
    if (this.open.size === 0) return;
    const done = Promise.withResolvers<void>();
    const takeBack = this.options.clock.after(withinMs, done.resolve);
    this.whenNone = done.resolve;
    await done.promise;
    takeBack();
  }
}
