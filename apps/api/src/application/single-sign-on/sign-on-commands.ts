import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { isRejection, type Rejection, reject } from '@verbatim/domain';
import { CODE_SECONDS, Identities, type SignOnCode } from '../../storage/vault/identities.js';
import type { Context } from '../../write-side/mailbox.js';
import { Registration } from '../registration/registration.js';
import { type Client, SessionStarter, type SignedIn } from '../sessions/session-starter.js';
import { ExternalIdentityLinker } from './external-identity-linker.js';
import { type Departure, ERRAND_SECONDS, IdentityProvider } from './identity-provider.js';

/** A browser on its way to the identity provider. */
export interface BegunSignOn {
  /** Where to send the browser. */
  readonly address: string;
  /** What the browser keeps meanwhile, and for how many seconds. */
  readonly errand: string;
  readonly errandSeconds: number;
}

/** Starts single sign-on. Rejects with `Invalid` if browsers may not be sent to the requested return address. */
export class BeginSignOnCommand extends Command<BegunSignOn | Rejection> {
  constructor(readonly departure: Departure) {
    super();
  }
}

@CommandHandler(BeginSignOnCommand)
export class BeginSignOnHandler implements ICommandHandler<BeginSignOnCommand> {
  constructor(private readonly provider: IdentityProvider) {}

  async execute({ departure }: BeginSignOnCommand): Promise<BegunSignOn | Rejection> {
    const { returnTo } = departure;
    if (returnTo !== undefined && !this.provider.returnsTo(returnTo)) return notThere;
    const begun = await this.provider.begin(departure);
    return isRejection(begun) ? begun : { ...begun, errandSeconds: ERRAND_SECONDS };
  }
}

const notThere = reject('Invalid', 'Browsers are not sent to this address.');

/** A user back from the provider; the browser receives the two halves of a code that starts a session. */
export interface FinishedSignOn extends SignOnCode {
  readonly returnTo: string;
  /** Lifetime of the code in seconds. */
  readonly codeSeconds: number;
}

/** Handles a user's return from the identity provider: finds, links or opens their account. */
export class FinishSignOnCommand extends Command<FinishedSignOn | Rejection> {
  constructor(
    /** The query string of the callback, including the question mark. */
    readonly query: string,
    readonly errand: string | undefined,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(FinishSignOnCommand)
export class FinishSignOnHandler implements ICommandHandler<FinishSignOnCommand> {
  constructor(
    private readonly provider: IdentityProvider,
    private readonly linker: ExternalIdentityLinker,
    private readonly identities: Identities,
  ) {}

  async execute({ query, errand, context }: FinishSignOnCommand): Promise<FinishedSignOn | Rejection> {
    const arrival = await this.provider.finish(query, errand);
    if (isRejection(arrival)) return arrival;
    const { person, invitation, returnTo } = arrival;
    const userId = await this.linker.link(person, invitation, context);
    if (typeof userId !== 'string') return userId;
    return { ...(await this.identities.issueCode(userId)), returnTo, codeSeconds: CODE_SECONDS };
  }
}

/** Starts a session for a user authenticated by the identity provider. */
export class EndSignOnCommand extends Command<SignedIn | Rejection> {
  constructor(
    readonly code: SignOnCode,
    readonly client: Client,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(EndSignOnCommand)
export class EndSignOnHandler implements ICommandHandler<EndSignOnCommand> {
  constructor(
    private readonly identities: Identities,
    private readonly starter: SessionStarter,
  ) {}

  async execute({ code, client, context }: EndSignOnCommand): Promise<SignedIn | Rejection> {
    const userId = await this.identities.redeemCode(code);
    if (!userId) return reject('Unauthenticated', 'The code is no longer valid. Start again.');
    return this.starter.start({ userId, how: 'sso', device: client.device }, context);
  }
}

/** How people can register and sign in. */
export interface SignInOptions {
  readonly registration: Registration['mode'];
  /** Null: there is no single sign-on. */
  readonly singleSignOn: { readonly label: string } | null;
}

export class GetSignInOptionsQuery extends Query<SignInOptions> {}

@QueryHandler(GetSignInOptionsQuery)
export class GetSignInOptionsHandler implements IQueryHandler<GetSignInOptionsQuery> {
  constructor(
    private readonly provider: IdentityProvider,
    private readonly registration: Registration,
  ) {}

  async execute(): Promise<SignInOptions> {
    const { label } = this.provider;
    return { registration: this.registration.mode, singleSignOn: label === null ? null : { label } };
  }
}

/** Where to send a browser after an error: to the address it asks for or its errand names; null: nowhere. */
export class GetReturnAddressQuery extends Query<string | null> {
  constructor(
    readonly wanted: string | undefined,
    readonly errand: string | undefined,
  ) {
    super();
  }
}

@QueryHandler(GetReturnAddressQuery)
export class GetReturnAddressHandler implements IQueryHandler<GetReturnAddressQuery> {
  constructor(private readonly provider: IdentityProvider) {}

  async execute({ wanted, errand }: GetReturnAddressQuery): Promise<string | null> {
    return wanted !== undefined && this.provider.returnsTo(wanted) ? wanted : this.provider.returnAddressIn(errand);
  }
}

export const signOnCommandHandlers = [
  ExternalIdentityLinker,
  BeginSignOnHandler,
  FinishSignOnHandler,
  EndSignOnHandler,
  GetSignInOptionsHandler,
  GetReturnAddressHandler,
];
