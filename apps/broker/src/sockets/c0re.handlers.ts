import { Injectable } from '@nestjs/common';

import type { RpcHandlers } from '#libs/ipc';
import type { BrokerC0reApi } from '#libs/protocol';
import {
  callChecks,
  CloseRestartWindowCall,
  InstanceEndedCall,
  OpenRestartWindowCall,
  PublishCall,
  PurgeAgentCall,
  PutAgentCall,
  PutRegistryCall,
  validate,
} from '#libs/requests';

import { PurgeService } from '../registry/purge.service.js';
import { RegistryService } from '../registry/registry.service.js';
import { Restarts } from '../restarts/restarts.service.js';

/** broker-c0re.sock: the registry, and what only c0re knows. */
@Injectable()
export class C0reHandlers {
  readonly table: RpcHandlers<BrokerC0reApi>;

  constructor(registry: RegistryService, purges: PurgeService, restarts: Restarts) {
    this.table = {
      put_registry: (params) => {
        const { revision, agents } = validate(PutRegistryCall, params);
        return registry.putAll(revision, agents);
      },
      put_agent: (params) => {
        const { revision, agent } = validate(PutAgentCall, params);
        return registry.putOne(revision, agent);
      },
      registry_revision: (params) => {
        callChecks.nothing(params);
        return registry.revision();
      },
      instance_ended: (params) => {
        const { agent_id, instance } = validate(InstanceEndedCall, params);
        return registry.instanceEnded(Number(agent_id), instance);
      },
      open_restart_window: (params) => restarts.open(validate(OpenRestartWindowCall, params)),
      close_restart_window: (params) =>
        restarts.close(validate(CloseRestartWindowCall, params).operation),
      purge_agent: (params) => purges.purge(Number(validate(PurgeAgentCall, params).agent_id)),
      publish: (params) => registry.publish(validate(PublishCall, params).events),
    };
  }
}
