import { readFileSync, writeFileSync } from 'node:fs';

import { Inject, Injectable } from '@nestjs/common';

import {
  HiveError,
  isoTime,
  type LoginLink,
  type OperatorCredential,
  type OperatorSession,
  type SessionCheck,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK } from '../settings/tokens.js';
import { hashOf, newSecret, sameHash } from './credential.hash.js';
import { OperatorRepository, type OperatorSessionRow } from './operator.repository.js';

/** A login token is good this long (P30), in milliseconds. */
const LOGIN_TOKEN_MS = 10 * 60_000;
/** A session that nobody used this long is over (P30), in milliseconds. */
const IDLE_MS = 12 * 3_600_000;
/** A session's last use is written at most this often: each write waits for the disk. */
const TOUCH_MS = 60_000;

/** Who the operator is: the operator token, one-time login tokens and sessions (P30). */
@Injectable()
export class OperatorCredentials {
  private tokenHash: string | undefined;

  constructor(
    private readonly settings: C0reSettings,
    private readonly repository: OperatorRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Reads the operator token, or makes one, readable by c0re's user alone. */
  prepare(): void {
    this.tokenHash = hashOf(this.settings.operatorToken ?? this.storedToken());
  }

  createLoginLink(): LoginLink {
    const token = newSecret();
    const expiresAt = this.clock.now() + LOGIN_TOKEN_MS;
    this.repository.addLoginToken(hashOf(token), expiresAt);
    return { token, expires_at: isoTime(expiresAt) };
  }

  /** Exchanges a login token for a session. A token is good once, within 10 minutes. */
  login(token: string): OperatorSession {
    const now = this.clock.now();
    if (!this.repository.takeLoginToken(hashOf(token), now)) {
      throw new HiveError(
        'operator_required',
        'this login link was used already or is older than 10 minutes; `hive login-link` makes another',
      );
    }
    this.repository.removeSessionsUnusedSince(now - IDLE_MS);
    const cookie = newSecret();
    const pageSecret = newSecret();
    this.repository.addSession({
      cookie_hash: hashOf(cookie),
      page_secret_hash: hashOf(pageSecret),
      created_at: now,
      used_at: now,
    });
    return { cookie, page_secret: pageSecret, expires_at: isoTime(now + IDLE_MS) };
  }

  /** What the credential opens. Everything in it must be right; throws `operator_required` otherwise. */
  check(credential: OperatorCredential): SessionCheck {
    const { bearer, cookie, page_secret } = credential;
    if (bearer !== undefined) {
      if (!this.tokenHash || !sameHash(hashOf(bearer), this.tokenHash)) throw refused();
      return { scope: 'api', kind: 'token' };
    }
    if (cookie === undefined) throw refused();
    const session = this.liveSession(cookie);
    if (!session) throw refused();
    if (page_secret === undefined) return { scope: 'page', kind: 'session' };
    if (!sameHash(hashOf(page_secret), session.page_secret_hash)) throw refused();
    return { scope: 'api', kind: 'session' };
  }

  /** The same, for what needs the operator: a cookie alone opens the page only. */
  require(credential: OperatorCredential): SessionCheck {
    const found = this.check(credential);
    if (found.scope !== 'api') throw refused();
    return found;
  }

  /** Ends the cookie's session. */
  logout({ cookie }: OperatorCredential): void {
    if (cookie === undefined || !this.repository.removeSession(hashOf(cookie))) throw refused();
  }

  private liveSession(cookie: string): OperatorSessionRow | undefined {
    const now = this.clock.now();
    const session = this.repository.session(hashOf(cookie));
    if (!session) return undefined;
    if (now - session.used_at >= IDLE_MS) {
      this.repository.removeSession(session.cookie_hash);
      return undefined;
    }
    if (Math.abs(now - session.used_at) >= TOUCH_MS) {
      this.repository.touchSession(session.cookie_hash, now);
    }
    return session;
  }

  private storedToken(): string {
    const file = this.settings.home.operatorToken;
    try {
      const token = readFileSync(file, 'utf8').trim();
      if (token.length > 0) return token;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const token = newSecret();
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    return token;
  }
}

function refused(): HiveError {
  return new HiveError(
    'operator_required',
    'this needs the operator: open the dashboard by a login link (`hive login-link`), or send the operator token',
  );
}
