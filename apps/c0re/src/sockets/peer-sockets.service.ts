import { Inject, Injectable } from '@nestjs/common';

import { socketPath } from '#libs/ipc';
import { C0RE_PEERS } from '#libs/requests';
import type { Logger } from '#libs/service';

import { AuditRepository } from '../audit/audit.repository.js';
import { ManagerCredentials } from '../operators/manager-credentials.service.js';
import { OperatorCredentials } from '../operators/operator-credentials.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { LOGGER } from '../settings/tokens.js';
import { PeerServer } from './peer-server.js';
import { C0reRequestHandlers } from './request-handlers.service.js';

/** c0re's four sockets, one per peer; it has no other door. */
@Injectable()
export class PeerSockets {
  private readonly servers: PeerServer[];

  constructor(
    settings: C0reSettings,
    handlers: C0reRequestHandlers,
    operators: OperatorCredentials,
    managers: ManagerCredentials,
    audit: AuditRepository,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.servers = C0RE_PEERS.map(
      (peer) =>
        new PeerServer({
          peer,
          socketPath: socketPath(settings.runtimeDir, 'c0re', peer),
          group: settings.peerUser(peer),
          handlers: handlers.byRoute,
          requireOperator: (credential) => operators.require(credential).kind,
          requireManager: (token) => managers.require(token),
          audit: (entry) => audit.append(entry),
          logger,
        }),
    );
  }

  async listen(): Promise<void> {
    // One after the other: the file mode mask is the whole process's.
    for (const server of this.servers) await server.listen();
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
