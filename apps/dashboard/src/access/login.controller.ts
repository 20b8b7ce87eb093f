import { Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { HiveError, type LoginLink, type OperatorSession } from '#libs/protocol';
import type { Logger } from '#libs/service';

import { EventSockets } from '../events/event-sockets.js';
import { LoginLinkSchema } from '../openapi/answers.schema.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { LOGGER } from '../settings/tokens.js';
import { isFromElsewhere } from './access.hook.js';
import { AccessService } from './access.service.js';
import { COOKIE_OPTIONS, cookieName } from './credential.js';
import { comingFromElsewhere, LINK_SPENT, NOT_THERE, sendNotice } from './notice.page.js';
import { Operator } from './operator.decorator.js';
import { sessionTag } from './session-tag.js';

/** Longest one-time token that is passed on, in characters. */
const LONGEST_TOKEN = 200;

/** Logging in and out (P30). The sessions themselves are c0re's. */
@Controller()
export class LoginController {
  constructor(
    private readonly c0re: C0reLink,
    private readonly access: AccessService,
    private readonly sockets: EventSockets,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Exchanges a one-time token: the cookie opens the page, the secret in the fragment its API. */
  @Get('login')
  @ApiExcludeEndpoint()
  async login(
    @Query('token') token: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (typeof token !== 'string' || token.length === 0 || token.length > LONGEST_TOKEN) {
      await sendNotice(reply, LINK_SPENT);
      return;
    }
    try {
      const session = await this.c0re.order<OperatorSession>('/v1/login', {}, { token });
      const page = `/#session=${encodeURIComponent(session.page_secret)}`;
      reply.setCookie(cookieName(this.access.port), session.cookie, COOKIE_OPTIONS);
      await (isFromElsewhere(request)
        ? sendNotice(reply, comingFromElsewhere(page))
        : reply.code(303).header('location', page).send());
    } catch (error) {
      const away = !(error instanceof HiveError) || error.code === 'unavailable';
      this.logger.info(away ? 'a login could not be tried' : 'a login link was refused');
      await sendNotice(reply, away ? NOT_THERE : LINK_SPENT);
    }
  }

  @Post('api/login-links')
  @HttpCode(200)
  @ApiOperation({ summary: 'Makes another one-time login link, good for 10 minutes' })
  @ApiOkResponse({ type: LoginLinkSchema })
  async createLoginLink(
    @Operator() operator: CredentialHeaders,
    @Req() request: FastifyRequest,
  ): Promise<LoginLinkSchema> {
    const link = await this.c0re.order<LoginLink>('/v1/login-links', operator);
    const url = `http://${request.headers.host}/login?token=${encodeURIComponent(link.token)}`;
    return { url, expires_at: link.expires_at };
  }

  @Post('api/logout')
  @ApiOperation({ summary: 'Ends the session and its event sockets' })
  @ApiNoContentResponse()
  async logout(
    @Operator() operator: CredentialHeaders,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.c0re.order('/v1/logout', operator);
    this.sockets.closeSession(sessionTag(this.access.credentialOf(request)));
    await reply.code(204).clearCookie(cookieName(this.access.port), COOKIE_OPTIONS).send();
  }
}
