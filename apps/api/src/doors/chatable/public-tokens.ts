import type { CommandBus } from '@nestjs/cqrs';
import { isRejection, nameKey, type Rejection } from '@verbatim/domain';
import { RegisterUserCommand } from '../../application/registration/register-user.js';
import { RenewSessionCommand } from '../../application/sessions/session-commands.js';
import type { Client, SignedIn } from '../../application/sessions/session-starter.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import { IssueKeyPairCommand } from '../../application/signed-requests/signed-requests.js';
import { fromBase32, toBase32 } from '../../base32.js';
import { accepted } from '../refusal.js';
import { context } from './context.js';
import { authenticationError, formError, nanoseconds } from './envelope.js';
import type { Registrant } from './forms.js';

/** The keys with which clients sign their requests; times are RFC 3339. */
export interface PublicToken {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly refresh_token: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly modified_at: string;
  readonly is_refreshable: true;
}

/** Issues public tokens. Each is a session: it is listed among the sessions of its owner, and ends as they do. */
export class PublicTokens {
  constructor(private readonly commands: CommandBus) {}

  /** Creates an account and signs the person in. */
  async register(registrant: Registrant, client: Client): Promise<PublicToken> {
    const { username, password, firstName, lastName, email, phone } = registrant;
    const form = { username, password, displayName: `${firstName} ${lastName}`, email, unique: { email, phone } };
    const registered = await this.commands.execute(new RegisterUserCommand(form, client, context()));
    // Everything else about the fields was checked before.
    if (isRejection(registered) && registered.rejected === 'Invalid')
      throw formError({ password: 'please enter a password that is harder to guess' });
    return this.tokenOf(accepted(registered));
  }

  async signIn(shown: { username: string; password: string; code?: string }, client: Client): Promise<PublicToken> {
    const named = { ...shown, username: nameKey(shown.username) };
    return this.tokenOf(signedInBy(await this.commands.execute(new SignInCommand(named, client, context()))));
  }

  /** Exchanges a refresh token. With it the whole public token is replaced, and the earlier key pair is invalid. */
  async refresh(refreshToken: string): Promise<PublicToken> {
    const bytes = fromBase32(refreshToken.trim());
    if (bytes?.length !== 32) throw authenticationError();
    const renewed = await this.commands.execute(new RenewSessionCommand(bytes.toString('base64url'), context()));
    return this.tokenOf(signedInBy(renewed));
  }

  /** A refresh token is that of the session in another alphabet: both are 32 bytes. */
  private async tokenOf({ sessionId, refreshToken }: SignedIn): Promise<PublicToken> {
    const pair = accepted(await this.commands.execute(new IssueKeyPairCommand(sessionId, context())));
    return {
      access_key_id: pair.accessKey,
      secret_access_key: pair.secret,
      refresh_token: toBase32(Buffer.from(refreshToken, 'base64url')),
      created_at: nanoseconds(pair.createdAt),
      expires_at: nanoseconds(pair.expiresAt),
      modified_at: nanoseconds(pair.modifiedAt),
      is_refreshable: true,
    };
  }
}

/** People who know the password but may not sign in count as not authenticated. */
function signedInBy(outcome: SignedIn | Rejection): SignedIn {
  if (isRejection(outcome) && outcome.rejected === 'NotAllowed') throw authenticationError(outcome.detail);
  return accepted(outcome);
}
