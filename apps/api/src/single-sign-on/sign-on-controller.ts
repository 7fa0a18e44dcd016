import { Controller, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { AnswerOf, Session, SignInOptions } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StartSession } from '../accounts/account-commands.js';
import { Registration } from '../accounts/account-controller.js';
import { userAnswer } from '../accounts/user-answer.js';
import { Proxies } from '../browsers/proxies.js';
import type { Context } from '../mailbox/mailbox.js';
import { Call, Input, type InputOf, Trace } from '../rest/call.js';
import { ReadYourWrites } from '../rest/read-your-writes.js';
import { accepted, Refusal } from '../rest/refusal.js';
import { Identities, SIGN_ON_SECONDS } from '../vault/identities.js';
import { IdentityProvider, SIGN_ON_PATIENCE } from './identity-provider.js';
import { AdmitForeigner } from './sign-on-commands.js';

/** The browser's errand while it is at the provider, and its share of the code that ends the sign-on. */
const ERRAND = 'verbatim_sso';
const BROWSER = 'verbatim_sso_browser';

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
  async beginSignOn(@Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    redirect(reply, await this.begin(reply));
  }

  /** The code of an invitation is not to stand in an address, so this is no redirect. */
  @Call('beginInvitedSignOn')
  async beginInvitedSignOn(
    @Input('beginInvitedSignOn') { body }: InputOf<'beginInvitedSignOn'>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AnswerOf<'beginInvitedSignOn'>> {
    return { address: await this.begin(reply, body.invitation) };
  }

  @Call('finishSignOn')
  async finishSignOn(
    @Req() request: FastifyRequest,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const query = /\?.*$/s.exec(request.url)?.[0] ?? '';
    const { person, invitation } = await this.provider.finish(query, cookieOf(request, ERRAND));
    const userId = await this.commands.execute(new AdmitForeigner(person, invitation, context));
    if (typeof userId !== 'string') throw Refusal.of(userId);
    const { code, browser } = await this.identities.issueCode(userId);
    reply.header('set-cookie', [
      cookie(ERRAND, '', '/v1/auth/sso', 0, 'Lax'),
      cookie(BROWSER, browser, '/v1/auth/sso/session', SIGN_ON_SECONDS, 'Strict'),
    ]);
    // Behind the number sign, so that it is in no log of any server.
    redirect(reply, `${this.provider.returnUrl}#sso-code=${code}`);
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
    if (!userId) throw new Refusal('unauthenticated', 'The code is not good any more. Begin anew.');
    const session = { userId, how: 'sso', device: this.proxies.deviceOf(request.raw) } as const;
    const signedIn = accepted(await this.commands.execute(new StartSession(session, context)));
    const { state, accessToken, expiresIn, refreshToken, position } = signedIn;
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), accessToken, expiresIn, refreshToken };
  }

  /** Where to send the browser, which keeps its errand meanwhile. */
  private async begin(reply: FastifyReply, invitation?: string): Promise<string> {
    const { address, errand } = await this.provider.begin(invitation);
    // Lax, because the provider sends the browser back here from another site.
    reply.header('set-cookie', cookie(ERRAND, errand, '/v1/auth/sso', SIGN_ON_PATIENCE, 'Lax'));
    return address;
  }
}

function redirect(reply: FastifyReply, address: string): void {
  reply.header('location', address).header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
}

const cookie = (name: string, value: string, path: string, seconds: number, sameSite: 'Lax' | 'Strict'): string =>
  `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; Secure; SameSite=${sameSite}`;

function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([key]) => key === name)?.[1];
}
