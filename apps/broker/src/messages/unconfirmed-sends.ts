import { hash } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';

import { LIMITS, type SendParams, type SendResult } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { RequestLog } from '../requests/request-log.service.js';
import { namesIn, toNames } from './message.js';
import { MessagesRepository } from './messages.repository.js';

/** Sends that are remembered at most; the oldest are forgotten first. */
const MOST = 20_000;
const TERM_MS = LIMITS.unconfirmed_send_seconds * 1000;

/** A send of which nobody knows whether its answer arrived. */
export interface UnconfirmedSend {
  request: string;
  content: string;
  at: number;
  result: SendResult;
}

/**
 * Sends whose answer no client is known to have. One identical send within 10 minutes of such a one is taken for a
 * client's retry (P11, EXECUTIONS H13); each absorbs one repeat.
 */
@Injectable()
export class UnconfirmedSends {
  private readonly byContent = new Map<string, UnconfirmedSend[]>();
  private readonly byRequest = new Map<string, UnconfirmedSend>();

  constructor(
    requests: RequestLog,
    messages: MessagesRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    for (const request of requests.unsettledSends()) {
      const result = JSON.parse(request.answer) as SendResult;
      const sent = messages.find(Number(result.id.slice(1)));
      if (!sent) continue;
      const content = sameSendKey(request.caller, {
        to: namesIn(sent.to_names),
        body: sent.body,
        priority: sent.priority,
        ...(sent.in_reply_to === null ? {} : { in_reply_to: `m${sent.in_reply_to}` }),
      });
      this.add({ request: request.id, content, at: request.at, result });
    }
  }

  /** After the commit of a send. */
  add(send: UnconfirmedSend): void {
    this.byRequest.set(send.request, send);
    const same = this.byContent.get(send.content);
    if (same) same.push(send);
    else this.byContent.set(send.content, [send]);
    if (this.byRequest.size > MOST) {
      const [oldest] = this.byRequest.keys();
      if (oldest !== undefined) this.settle(oldest);
    }
  }

  /** The answer of this request arrived. False when it is not a send that was waiting for that. */
  settle(request: string): boolean {
    const send = this.byRequest.get(request);
    if (!send) return false;
    this.byRequest.delete(request);
    const rest = (this.byContent.get(send.content) ?? []).filter((other) => other !== send);
    if (rest.length === 0) this.byContent.delete(send.content);
    else this.byContent.set(send.content, rest);
    return true;
  }

  /**
   * Takes out the oldest send of this content that may still be repeated. `request` is the repeat's id: a call that the
   * gateway itself repeats under the same id is not one.
   */
  take(content: string, request: string): UnconfirmedSend | undefined {
    if (this.byRequest.has(request)) return undefined;
    for (const send of this.byContent.get(content)?.slice() ?? []) {
      this.settle(send.request);
      const age = this.clock.now() - send.at;
      if (age >= 0 && age <= TERM_MS) return send;
    }
    return undefined;
  }
}

/** What makes two sends identical: sender, recipients in whatever order, body, reply and priority. */
export function contentOf(
  sender: number,
  { to, body, in_reply_to, priority }: Omit<SendParams, 'idempotency_key'>,
): string {
  return hash(
    'sha1',
    JSON.stringify([sender, namesOf(to), body, in_reply_to ?? '', priority ?? 'normal']),
  );
}

/** The same for what is kept in memory only: not to write the body as JSON halves its cost. */
export function sameSendKey(
  sender: number,
  { to, body, in_reply_to, priority }: Omit<SendParams, 'idempotency_key'>,
): string {
  const head = JSON.stringify([sender, namesOf(to), in_reply_to ?? '', priority ?? 'normal']);
  return hash('sha1', `${head}\n${body}`);
}

function namesOf(to: SendParams['to']): string {
  return typeof to === 'string' ? to : toNames([...new Set(to)].toSorted());
}
