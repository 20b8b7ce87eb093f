import { Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';

import { newRequestId } from '#libs/ipc';
import type {
  BrokerGatewayApi,
  EndAnswer,
  EndRequest,
  EventsAnswer,
  EventsRequest,
  HeartbeatAnswer,
  HeartbeatRequest,
  HelloAnswer,
  HelloRequest,
  PollAnswer,
  PollRequest,
  SendResult,
  WakeRequest,
} from '#libs/protocol';
import { EndDto, EventsDto, HeartbeatDto, HelloDto, PollDto, WakeDto } from '#libs/requests';

import { BrokerLink } from '../broker/broker-link.service.js';
import { Caller } from '../door/caller.decorator.js';
import type { AuthenticatedCaller } from '../door/door.js';
import { GatewayOptions } from '../gateway.options.js';
import { AgentTokenGuard } from './agent-token.guard.js';
import { CheckedBody } from './body.decorator.js';
import { ConnectionSignal } from './connection-signal.decorator.js';
import { LongPolls } from './long-polls.service.js';
import { TurnIdPipe } from './turn-id.pipe.js';

/** The harness API; docs/harness-protocol.md explains each call. The broker decides, the gateway checks shapes. */
@Controller('harness/v1')
@UseGuards(AgentTokenGuard)
export class HarnessController {
  constructor(
    private readonly options: GatewayOptions,
    private readonly link: BrokerLink,
    private readonly polls: LongPolls,
  ) {}

  @Post('hello')
  @HttpCode(200)
  hello(
    @Caller() { credential }: AuthenticatedCaller,
    @CheckedBody(HelloDto) body: HelloRequest,
  ): Promise<HelloAnswer> {
    return this.ask('hello', { credential, ...body });
  }

  @Post('turns')
  @HttpCode(200)
  poll(
    @Caller() caller: AuthenticatedCaller,
    @CheckedBody(PollDto) { wait_seconds: waitSeconds, ...rest }: PollRequest,
    @ConnectionSignal() connection: AbortSignal,
  ): Promise<PollAnswer> {
    return this.polls.wait(caller, connection, 'poll_turn', waitSeconds, rest);
  }

  @Post('turns/:id/heartbeat')
  @HttpCode(200)
  heartbeat(
    @Caller() caller: AuthenticatedCaller,
    @Param('id', TurnIdPipe) turnId: string,
    @CheckedBody(HeartbeatDto) { wait_seconds: waitSeconds, ...rest }: HeartbeatRequest,
    @ConnectionSignal() connection: AbortSignal,
  ): Promise<HeartbeatAnswer> {
    return this.polls.wait(caller, connection, 'heartbeat', waitSeconds, {
      turn_id: turnId,
      ...rest,
    });
  }

  @Post('turns/:id/events')
  @HttpCode(200)
  events(
    @Caller() { credential }: AuthenticatedCaller,
    @Param('id', TurnIdPipe) turnId: string,
    @CheckedBody(EventsDto) body: EventsRequest,
  ): Promise<EventsAnswer> {
    return this.ask('turn_events', { credential, turn_id: turnId, ...body });
  }

  @Post('turns/:id/end')
  @HttpCode(200)
  end(
    @Caller() { credential }: AuthenticatedCaller,
    @Param('id', TurnIdPipe) turnId: string,
    @CheckedBody(EndDto) end: EndRequest,
  ): Promise<EndAnswer> {
    return this.ask('end_turn', { credential, turn_id: turnId, end });
  }

  @Post('wake')
  @HttpCode(200)
  wake(
    @Caller() { credential }: AuthenticatedCaller,
    @CheckedBody(WakeDto) body: WakeRequest,
  ): Promise<SendResult> {
    return this.ask('wake', {
      credential,
      request_id: newRequestId(this.options.clock.now()),
      ...body,
    });
  }

  private ask<K extends keyof BrokerGatewayApi>(
    method: K,
    params: BrokerGatewayApi[K][0],
  ): Promise<BrokerGatewayApi[K][1]> {
    return this.link.call({
      method,
      params: () => params,
      patienceMs: this.options.harnessPatienceMs,
    });
  }
}
