import { Injectable } from '@nestjs/common';

import type { RpcHandlers } from '#libs/ipc';
import type { BrokerC0reApi } from '#libs/protocol';
import {
  callChecks,
  CallerCall,
  CloseRestartWindowCall,
  InstanceEndedCall,
  OpenRestartWindowCall,
  PublishCall,
  PurgeAgentCall,
  PutAgentCall,
  PutRegistryCall,
  PutWaitingCall,
  TellManagerCall,
  validate,
} from '#libs/requests';

import { ManagerNews } from '../manager/manager-news.service.js';
import { WaitingAtC0re } from '../manager/waiting-at-c0re.js';
import { AgentSigns } from '../registry/agent-signs.service.js';
import { Credentials } from '../registry/credentials.service.js';
import { PurgeService } from '../registry/purge.service.js';
import { RegistryService } from '../registry/registry.service.js';
import { Restarts } from '../restarts/restarts.service.js';

/** broker-c0re.sock: the registry, and what only c0re knows. */
@Injectable()
export class C0reHandlers {
  readonly table: RpcHandlers<BrokerC0reApi>;

  constructor(
    registry: RegistryService,
    purges: PurgeService,
    restarts: Restarts,
    signs: AgentSigns,
    news: ManagerNews,
    waiting: WaitingAtC0re,
    credentials: Credentials,
  ) {
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
      restart_window: (params) =>
        restarts.openFor(validate(CloseRestartWindowCall, params).operation),
      close_restart_window: (params) =>
        restarts.close(validate(CloseRestartWindowCall, params).operation),
      purge_agent: (params) => purges.purge(Number(validate(PurgeAgentCall, params).agent_id)),
      tell_manager: (params) => news.tell(validate(TellManagerCall, params)),
      put_waiting: (params) => waiting.replace(validate(PutWaitingCall, params).approvals),
      agent_signs: (params) => {
        callChecks.nothing(params);
        return signs.signs();
      },
      identify: (params) => credentials.acting(validate(CallerCall, params).credential),
      publish: (params) => registry.publish(validate(PublishCall, params).events),
    };
  }
}
