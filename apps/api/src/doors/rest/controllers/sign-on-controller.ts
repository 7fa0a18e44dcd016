import { Controller, Req, Res, UseFilters } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection } from '@verbatim/domain';
import type { AnswerOf, Session, SignInOptions } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Departure } from '../../../application/single-sign-on/identity-provider.js';
import {
  BeginSignOnCommand,
  EndSignOnCommand,
  FinishSignOnCommand,
  GetSignInOptionsQuery,
} from '../../../application/single-sign-on/sign-on-commands.js';
import { Proxies } from '../../../host/proxies.js';
import { userAnswer } from '../../../wire/user-answer.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { Call, Input, type InputOf, Trace } from '../call.js';
import { BackToApplication } from './back-to-application.js';
import { BROWSER, cookie, cookieOf, ERRAND, redirect } from './cookies.js';

@Controller()
export class SignOnController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
    private readonly proxies: Proxies,
  ) {}

  @Call('getSignInOptions')
  getSignInOptions(): Promise<SignInOptions> {
    return this.queries.execute(new GetSignInOptionsQuery());
  }

  @Call('beginSignOn')
  @UseFilters(BackToApplication)
  async beginSignOn(
    @Input('beginSignOn') { query }: InputOf<'beginSignOn'>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    redirect(reply, await this.begin(reply, { returnTo: query.return }));
  }

  /** No redirect, because the code of an invitation must not appear in an address. */
  @Call('beginInvitedSignOn')
  async beginInvitedSignOn(
    @Input('beginInvitedSignOn') { body }: InputOf<'beginInvitedSignOn'>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AnswerOf<'beginInvitedSignOn'>> {
    return { address: await this.begin(reply, body) };
  }

  @Call('finishSignOn')
  @UseFilters(BackToApplication)
  async finishSignOn(
    @Req() request: FastifyRequest,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const query = /\?.*$/s.exec(request.url)?.[0] ?? '';
    const finish = new FinishSignOnCommand(query, cookieOf(request, ERRAND), context);
    const { code, browser, codeSeconds, returnTo } = accepted(await this.commands.execute(finish));
    reply.header('set-cookie', [cookie(ERRAND, '', 0, 'Lax'), cookie(BROWSER, browser, codeSeconds, 'Strict')]);
    // In the fragment, which no server logs.
    redirect(reply, `${returnTo}#sso-code=${code}`);
  }

  @Call('endSignOn')
  async endSignOn(
    @Input('endSignOn') { body }: InputOf<'endSignOn'>,
    @Req() request: FastifyRequest,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const code = { code: body.code, browser: cookieOf(request, BROWSER) ?? '' };
    const end = new EndSignOnCommand(code, this.proxies.clientOf(request.raw), context);
    const outcome = await this.commands.execute(end);
    reply.header('set-cookie', cookie(BROWSER, '', 0, 'Strict'));
    const { userId, state, position, accessToken, expiresIn, refreshToken } = accepted(outcome);
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), accessToken, expiresIn, refreshToken };
  }

  /** Where to send the browser, which keeps its errand meanwhile. */
  private async begin(reply: FastifyReply, departure: Departure): Promise<string> {
    const begun = await this.commands.execute(new BeginSignOnCommand(departure));
    if (isRejection(begun) && begun.rejected === 'Invalid') throw badReturn(begun.detail);
    const { address, errand, errandSeconds } = accepted(begun);
    // Lax, because the provider sends the browser back from another site.
    reply.header('set-cookie', cookie(ERRAND, errand, errandSeconds, 'Lax'));
    return address;
  }
}

const badReturn = (detail: string) =>
  new Refusal('invalid_request', detail, {
    errors: [
      { path: 'query.return', message: 'must be /admin/ here or at an allowed origin, or the address of the settings' },
    ],
  });
