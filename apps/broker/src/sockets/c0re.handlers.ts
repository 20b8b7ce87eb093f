import { Injectable } from '@nestjs/common';

import type { RpcHandlers } from '#libs/ipc';
import type { BrokerC0reApi } from '#libs/protocol';
import {
  callChecks,
  InstanceEndedCall,
  PublishCall,
  PurgeAgentCall,
  PutAgentCall,
  PutRegistryCall,
  validate,
} from '#libs/requests';

import { PurgeService } from '../registry/purge.service.js';
import { RegistryService } from '../registry/registry.service.js';
import { notYet } from './not-yet.js';

/** broker-c0re.sock: the registry, and what only c0re knows. */
@Injectable()
export class C0reHandlers {
  readonly table: RpcHandlers<BrokerC0reApi>;

  constructor(registry: RegistryService, purges: PurgeService) {
    this.table = {
      ...notYet('open_restart_window', 'close_restart_window'),
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
      purge_agent: (params) => purges.purge(Number(validate(PurgeAgentCall, params).agent_id)),
      publish: (params) => registry.publish(validate(PublishCall, params).events),
    };
  }
}
