import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { HiveError } from '#libs/protocol';

import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { DashboardEnv } from '../settings/dashboard.env.js';
import { AllowedHosts } from './allowed-hosts.js';
import { credentialHeaders, credentialOf, type Credential } from './credential.js';

/** What a credential opens: the cookie alone only the page (P30). */
export type Scope = 'page' | 'api';

/** Who may do what at the dashboard. c0re decides; nothing is remembered between requests. */
@Injectable()
export class AccessService {
  readonly hosts: AllowedHosts;
  private listeningPort = 0;

  constructor(
    env: DashboardEnv,
    private readonly c0re: C0reLink,
  ) {
    this.hosts = new AllowedHosts(env.HIVE_DASHBOARD_HOST);
  }

  get port(): number {
    return this.listeningPort;
  }

  /** To be called once the server listens: Host, Origin and the cookie's name depend on the port. */
  listensOn(port: number): void {
    this.listeningPort = port;
    this.hosts.listensOn(port);
  }

  credentialOf(request: FastifyRequest): Credential {
    return credentialOf(request.headers, request.cookies, this.port);
  }

  /** Throws `operator_required` unless c0re says that the credential opens `scope`; gives the headers for c0re. */
  async require(scope: Scope, credential: Credential): Promise<CredentialHeaders> {
    const hasPage = credential.cookie !== undefined || credential.bearer !== undefined;
    const hasApi =
      credential.bearer !== undefined ||
      (credential.cookie !== undefined && credential.page_secret !== undefined);
    if (scope === 'api' ? !hasApi : !hasPage) throw loginNeeded(scope);
    const headers = credentialHeaders(credential);
    const answer = await this.c0re.ask<{ scope: Scope }>('/v1/sessions/check', headers, 'POST');
    if (scope === 'api' && answer.scope !== 'api') throw loginNeeded(scope);
    return headers;
  }
}

function loginNeeded(scope: Scope): HiveError {
  return new HiveError(
    'operator_required',
    scope === 'api'
      ? 'log in first: send "Authorization: Bearer <operator token>", or the page\'s X-Hive-Session beside its cookie'
      : 'log in first: open the link that `npm run hive -- login-link` prints',
  );
}
