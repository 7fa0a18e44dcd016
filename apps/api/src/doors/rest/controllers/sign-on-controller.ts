import { Controller, Req, Res, UseFilters } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { AnswerOf, Session, SignInOptions } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StartSessionCommand } from '../../../application/accounts/account-commands.js';
import { Registration } from '../../../application/accounts/registration.js';
import {
  type Departure,
  ERRAND_SECONDS,
  IdentityProvider,
} from '../../../application/single-sign-on/identity-provider.js';
import { LinkExternalIdentityCommand } from '../../../application/single-sign-on/sign-on-commands.js';
import { Proxies } from '../../../host/proxies.js';
import { Identities, SIGN_ON_SECONDS } from '../../../storage/vault/identities.js';
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
    private readonly provider: IdentityProvider,
    private readonly identities: Identities,
    private readonly registration: Registration,
    private readonly readYourWrites: ReadYourWrites,
    private readonly proxies: Proxies,
  ) {}

  @Call('getSignInOptions')
  getSignInOptions(): SignInOptions {
    const { label } = this.provider;
    return { registration: this.registration.mode, singleSignOn: label === null ? null : { label } };
  }

  @Call('beginSignOn')
  @UseFilters(BackToApplication)
  async beginSignOn(
    @Input('beginSignOn') { query }: InputOf<'beginSignOn'>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { return: returnTo } = query;
    if (returnTo !== undefined && !this.provider.returnsTo(returnTo)) throw notThere;
    redirect(reply, await this.begin(reply, { returnTo }));
  }

  /** The code of an invitation is not to stand in an address, so this is no redirect. */
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
    const { person, invitation, returnTo } = await this.provider.finish(query, cookieOf(request, ERRAND));
    const userId = await this.commands.execute(new LinkExternalIdentityCommand(person, invitation, context));
    if (typeof userId !== 'string') throw Refusal.of(userId);
    const { code, browser } = await this.identities.issueCode(userId);
    reply.header('set-cookie', [cookie(ERRAND, '', 0, 'Lax'), cookie(BROWSER, browser, SIGN_ON_SECONDS, 'Strict')]);
    // Behind the number sign, so that it is in no log of any server.
    redirect(reply, `${returnTo}#sso-code=${code}`);
  }

  @Call('endSignOn')
  async endSignOn(
    @Input('endSignOn') { body }: InputOf<'endSignOn'>,
    @Req() request: FastifyRequest,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const browser = cookieOf(request, BROWSER) ?? '';
    const userId = await this.identities.redeemCode({ code: body.code, browser });
    reply.header('set-cookie', cookie(BROWSER, '', 0, 'Strict'));
    if (!userId) throw new Refusal('unauthenticated', 'The code is not good any more. Begin anew.');
    const session = { userId, how: 'sso', device: this.proxies.deviceOf(request.raw) } as const;
    const signedIn = accepted(await this.commands.execute(new StartSessionCommand(session, context)));
    const { state, accessToken, expiresIn, refreshToken, position } = signedIn;
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), accessToken, expiresIn, refreshToken };
  }

  /** Where to send the browser, which keeps its errand meanwhile. */
  private async begin(reply: FastifyReply, departure: Departure): Promise<string> {
    const { address, errand } = await this.provider.begin(departure);
    // Lax, because the provider sends the browser back here from another site.
    reply.header('set-cookie', cookie(ERRAND, errand, ERRAND_SECONDS, 'Lax'));
    return address;
  }
}

const notThere = new Refusal('invalid_request', 'Nobody is led to this address.', {
  errors: [
    { path: 'query.return', message: 'must be /admin/ here or at an allowed origin, or the address of the settings' },
  ],
});
