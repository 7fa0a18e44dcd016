import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, nameKey, type Rejection } from '@verbatim/domain';
import { RegisterUserCommand } from '../../application/registration/register-user.js';
import { AuthenticateQuery } from '../../application/sessions/authentication.js';
import { RenewSessionCommand, SignOutCommand } from '../../application/sessions/session-commands.js';
import type { Client, SignedIn } from '../../application/sessions/session-starter.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import { newId } from '../../new-id.js';
import type { Attempts } from '../../storage/limits/attempts.js';
import { accepted } from '../refusal.js';
import { fromBase32, toBase32 } from './base32.js';
import type { ContactClaims } from './contact-claims.js';
import { context } from './context.js';
import { authenticationError, nanoseconds, notUnique } from './envelope.js';
import type { Registrant } from './forms.js';
import type { KeyPairs } from './key-pairs.js';

/** What clients get to sign their requests with; times are RFC 3339. */
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
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly keyPairs: KeyPairs,
    private readonly contacts: ContactClaims,
    private readonly attempts: Attempts,
  ) {}

  /** Opens an account and signs its holder in. */
  async register(registrant: Registrant, client: Client): Promise<PublicToken> {
    const { username, password, firstName, lastName, email } = registrant;
    const userId = newId();
    if (!(await this.contacts.claim(userId, registrant))) {
      // It counts as a registration, or phone numbers could be tried one after the other.
      const tooMany = await this.attempts.registration(client.address);
      if (tooMany) accepted(tooMany);
      throw notUnique;
    }
    const form = { username, password, displayName: `${firstName} ${lastName}`, email };
    const signedIn = await this.commands.execute(new RegisterUserCommand(form, client, context(), userId));
    // If it is unknown whether the account was opened, the claims stay until that is known.
    if (isRejection(signedIn) && signedIn.rejected !== 'Unavailable') await this.contacts.release(userId);
    return this.tokenOf(signedIn);
  }

  async signIn(shown: { username: string; password: string; code?: string }, client: Client): Promise<PublicToken> {
    const signedIn = await this.commands.execute(
      new SignInCommand({ ...shown, username: nameKey(shown.username) }, client, context()),
    );
    return this.tokenOf(signedIn);
  }

  /** Exchanges a refresh token. With it the whole public token is replaced, and the earlier key pair is invalid. */
  async refresh(refreshToken: string): Promise<PublicToken> {
    const bytes = fromBase32(refreshToken.trim());
    if (bytes?.length !== 32) throw authenticationError();
    return this.tokenOf(await this.commands.execute(new RenewSessionCommand(bytes.toString('base64url'), context())));
  }

  /** A refresh token is that of the session in another alphabet: both are 32 bytes. */
  private async tokenOf(signedIn: SignedIn | Rejection): Promise<PublicToken> {
    if (isRejection(signedIn)) {
      if (signedIn.rejected === 'NotAllowed') throw authenticationError(signedIn.detail);
      return accepted<PublicToken>(signedIn);
    }
    const { sessionId, userId, refreshToken } = signedIn;
    const identity = await this.queries.execute(new AuthenticateQuery({ session: sessionId }));
    if (!identity?.expiresAt) throw authenticationError();
    if (identity.lacksSecondFactor) {
      await this.commands.execute(new SignOutCommand(identity, context()));
      throw authenticationError('This role requires a second factor. Set it up in the dashboard first.');
    }
    const pair = await this.keyPairs.issue({ sessionId, userId });
    return {
      access_key_id: pair.accessKey,
      secret_access_key: pair.secret,
      refresh_token: toBase32(Buffer.from(refreshToken, 'base64url')),
      created_at: nanoseconds(pair.createdAt),
      expires_at: nanoseconds(identity.expiresAt),
      modified_at: nanoseconds(pair.modifiedAt),
      is_refreshable: true,
    };
  }
}
