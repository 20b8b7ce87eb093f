import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import type { Identity } from '#libs/protocol';

import { BrokerLink } from '../broker/broker-link.service.js';
import { GatewayOptions } from '../gateway.options.js';

/** How long an identity is taken from memory; the broker checks each call in its own transaction anyway (P2). */
const FRESH_MS = 30_000;
/** Identities kept; the oldest goes first. */
const MOST = 4096;

interface Known {
  identity: Identity;
  until: number;
}

/** sha-256 (hex) of a bearer token: all that the hive keeps of it. */
export function credentialOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whom a credential belongs to, as the broker says; remembered for a short time. */
@Injectable()
export class Identities {
  private readonly known = new Map<string, Known>();
  private readonly asked = new Map<string, Promise<Identity>>();
  /** Counts what was forgotten: an answer that was asked for before is not remembered after. */
  private round = 0;

  constructor(
    private readonly link: BrokerLink,
    private readonly options: GatewayOptions,
  ) {}

  /** Rejects with `unauthorized` for an unknown credential and `unavailable` when the broker is away. */
  async of(credential: string): Promise<Identity> {
    const known = this.known.get(credential);
    if (known && known.until > this.options.clock.monotonic()) return known.identity;
    return this.ask(credential);
  }

  /** The broker's own word, past what is remembered. */
  ask(credential: string): Promise<Identity> {
    const asked = this.asked.get(credential);
    if (asked) return asked;
    this.known.delete(credential);
    const answer = this.askBroker(credential, this.round).finally(() => {
      if (this.asked.get(credential) === answer) this.asked.delete(credential);
    });
    this.asked.set(credential, answer);
    return answer;
  }

  forget(credential: string): void {
    this.round += 1;
    this.known.delete(credential);
    this.asked.delete(credential);
  }

  forgetAll(): void {
    this.round += 1;
    this.known.clear();
    this.asked.clear();
  }

  private async askBroker(credential: string, round: number): Promise<Identity> {
    const identity = await this.link.call({
      method: 'authenticate',
      params: () => ({ credential }),
      patienceMs: this.options.harnessPatienceMs,
    });
    if (round === this.round) this.remember(credential, identity);
    return identity;
  }

  private remember(credential: string, identity: Identity): void {
    if (this.known.size >= MOST) {
      const oldest = this.known.keys().next();
      if (!oldest.done) this.known.delete(oldest.value);
    }
    this.known.set(credential, { identity, until: this.options.clock.monotonic() + FRESH_MS });
  }
}
