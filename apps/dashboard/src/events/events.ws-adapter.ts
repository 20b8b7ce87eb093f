import type { IncomingMessage } from 'node:http';

import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';

import { HiveError, toErrorBody } from '#libs/protocol';

import type { EventAdmission } from './admission.js';

type Verdict = (ok: boolean, status?: number, message?: string) => void;

/** Nest's adapter for `ws`, which asks before an upgrade is answered: a refusal is an HTTP status, not a closed socket. */
export class EventsWsAdapter extends WsAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly admission: EventAdmission,
  ) {
    super(app);
  }

  override create(port: number, options: Parameters<WsAdapter['create']>[1]): unknown {
    return super.create(port, {
      ...options,
      verifyClient: ({ req }: { req: IncomingMessage }, verdict: Verdict) => {
        this.admission.admit(req).then(
          () => verdict(true),
          (error: unknown) => {
            const body = JSON.stringify(toErrorBody(error));
            verdict(false, error instanceof HiveError ? error.status : 500, body);
          },
        );
      },
    } as typeof options);
  }
}
