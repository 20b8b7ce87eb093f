import type { BeforeApplicationShutdown, INestApplicationContext } from '@nestjs/common';

import type { Clock } from '#libs/service';

/** How long connections may take to close once all work is drained; BullMQ waits for a Redis that is away for ever. */
const CLOSE_MS = 1_000;

/** Says when every module has drained (Nest has called onModuleDestroy of all). Provide it in the app's root module. */
export class Drained implements BeforeApplicationShutdown {
  private readonly reached = Promise.withResolvers<void>();

  get promise(): Promise<void> {
    return this.reached.promise;
  }

  beforeApplicationShutdown(): void {
    this.reached.resolve();
  }
}

/** Closes an app with queues: waits for its draining, and for its connections only as long as they may take. */
export async function closeAfterDraining(
  app: INestApplicationContext,
  clock: Clock,
): Promise<void> {
  const bound = app
    .get(Drained)
    .promise.then(() => new Promise<void>((resolve) => void clock.after(CLOSE_MS, resolve)));
  await Promise.race([app.close(), bound]);
}
