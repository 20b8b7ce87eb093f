import { Injectable } from '@nestjs/common';

import type { CallContext, RpcHandlers } from '#libs/ipc';
import type { BrokerGatewayApi } from '#libs/protocol';
import {
  AckCall,
  AnswerCall,
  AskCall,
  callChecks,
  CallerCall,
  CancelAskCall,
  CancelReminderCall,
  EndCall,
  EventsCall,
  HeartbeatCall,
  HelloCall,
  OpenThreadsCall,
  PollCall,
  SearchMessagesCall,
  RemindCall,
  SessionCall,
  StatusCall,
  ThreadCall,
  validate,
  WakeCall,
} from '#libs/requests';

import { AckService } from '../deliveries/ack.service.js';
import { ReceiveService } from '../deliveries/receive.service.js';
import { EndService } from '../harness/end.service.js';
import { HeartbeatService } from '../harness/heartbeat.service.js';
import { HelloService } from '../harness/hello.service.js';
import { PollService } from '../harness/poll.service.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { SendService } from '../messages/send.service.js';
import { ThreadsService } from '../messages/threads.service.js';
import { OpenThreadsService } from '../open-threads/open-threads.service.js';
import { AnswerService } from '../questions/answer.service.js';
import { AskService } from '../questions/ask.service.js';
import { AgentInfo } from '../registry/agent-info.service.js';
import { Credentials } from '../registry/credentials.service.js';
import { Reminders } from '../reminders/reminders.service.js';
import { Confirmations } from '../requests/confirmations.service.js';
import { SearchService } from '../search/search.service.js';

/** broker-gateway.sock: checks each request and passes it to the service that carries it out. */
@Injectable()
export class GatewayHandlers {
  readonly table: RpcHandlers<BrokerGatewayApi>;

  constructor(
    credentials: Credentials,
    sends: SendService,
    receives: ReceiveService,
    threads: ThreadsService,
    searches: SearchService,
    info: AgentInfo,
    acks: AckService,
    hellos: HelloService,
    polls: PollService,
    heartbeats: HeartbeatService,
    ends: EndService,
    confirmations: Confirmations,
    asks: AskService,
    answers: AnswerService,
    openThreads: OpenThreadsService,
    reminders: Reminders,
    private readonly links: GatewayLinks,
  ) {
    this.table = {
      authenticate: (params) => credentials.identify(validate(CallerCall, params).credential),
      send: (params, context) => {
        this.heard(context);
        const { credential, session: _session, ...message } = callChecks.send(params);
        return sends.fromAgent(credential, message);
      },
      recv: (params, context) => {
        this.heard(context);
        return receives.recv(callChecks.recv(params), context.signal);
      },
      get_thread: (params) => {
        const { credential, id } = validate(ThreadCall, params);
        return threads.thread(credential, id);
      },
      search_messages: (params) => {
        const { credential, query, limit } = validate(SearchMessagesCall, params);
        return searches.ofAgent(credential, query, limit);
      },
      whoami: (params) => info.whoami(validate(CallerCall, params).credential),
      list_agents: (params) => info.peers(validate(CallerCall, params).credential),
      set_status: (params) => {
        const { credential, text } = validate(StatusCall, params);
        return info.setStatus(credential, text);
      },
      request_next_turn: (params) => info.requestNextTurn(validate(CallerCall, params).credential),
      ack: (params) => {
        const { credential, session, ids } = validate(AckCall, params);
        return acks.ack(credential, session, ids);
      },
      ask: (params) => {
        const { credential, session: _session, ...question } = validate(AskCall, params);
        return asks.ask(credential, question);
      },
      answer: (params) => {
        const { credential, session: _session, ...answer } = validate(AnswerCall, params);
        return answers.answer(credential, answer);
      },
      list_my_asks: (params) => asks.openAsks(validate(CallerCall, params).credential),
      cancel_ask: (params) => {
        const { credential, id, request_id } = validate(CancelAskCall, params);
        return asks.cancel(credential, { id, request_id });
      },
      cancel_question: (params) => {
        const { credential, id, request_id } = validate(CancelAskCall, params);
        return answers.cancelByManager(credential, { id, request_id });
      },
      get_open_threads: (params) => {
        const { credential, scope } = validate(OpenThreadsCall, params);
        return openThreads.ofCaller(credential, scope ?? 'mine');
      },
      hello: (params, context) => {
        const { credential, ...request } = validate(HelloCall, params);
        return hellos.hello(credential, request, context.peer);
      },
      poll_turn: (params, context) => {
        const { credential, ...request } = validate(PollCall, params);
        return polls.poll(credential, request, context);
      },
      heartbeat: (params, context) =>
        heartbeats.heartbeat(validate(HeartbeatCall, params), context),
      turn_events: (params, context) => {
        const { credential, turn_id, ...events } = validate(EventsCall, params);
        return ends.events(credential, turn_id, events, context.peer);
      },
      end_turn: (params, context) => {
        const { credential, turn_id, end } = validate(EndCall, params);
        return ends.end(credential, turn_id, end, context.peer);
      },
      wake: (params) => {
        const { credential, ...wake } = validate(WakeCall, params);
        return sends.wake(credential, wake);
      },
      remind: (params) => reminders.remind(validate(RemindCall, params)),
      list_my_reminders: (params) => reminders.list(validate(CallerCall, params)),
      cancel_reminder: (params) => reminders.cancel(validate(CancelReminderCall, params)),
      answers_written: (params) =>
        confirmations.written(callChecks.answersWritten(params).request_ids),
      session_closed: (params) => {
        const { credential, session } = validate(SessionCall, params);
        return acks.sessionClosed(credential, session);
      },
      agent_sockets: (params) => {
        callChecks.nothing(params);
        return info.sockets();
      },
    };
  }

  /** A call over a connection that was not seen before registers it. */
  private heard({ peer }: CallContext): void {
    this.links.seen(peer);
  }
}
