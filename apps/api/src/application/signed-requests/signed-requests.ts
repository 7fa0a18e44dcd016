import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { isRejection, type Rejection, reject } from '@verbatim/domain';
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { Time } from '../../clock.js';
import { type IssuedKeyPair, type KeyPair, KeyPairs } from '../../storage/vault/key-pairs.js';
import type { Context } from '../../write-side/mailbox.js';
import { Authentication, type Identity } from '../sessions/authentication.js';
import { SessionRevoker } from '../sessions/session-revoker.js';

/** A key pair as issued to its holder, once. */
export interface SigningKeys extends IssuedKeyPair {
  /** When the session expires, and the key pair with it. */
  readonly expiresAt: Date;
}

/**
 * Issues the key pair of a session, for clients that sign their requests. It replaces an earlier one and expires with the
 * session. Users who still have to set up a second factor get none, and their session is ended.
 */
export class IssueKeyPairCommand extends Command<SigningKeys | Rejection> {
  constructor(
    readonly sessionId: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(IssueKeyPairCommand)
export class IssueKeyPairHandler implements ICommandHandler<IssueKeyPairCommand> {
  constructor(
    private readonly authentication: Authentication,
    private readonly keyPairs: KeyPairs,
    private readonly revoker: SessionRevoker,
  ) {}

  async execute({ sessionId, context }: IssueKeyPairCommand): Promise<SigningKeys | Rejection> {
    const identity = await this.authentication.bySession(sessionId);
    if (!identity?.expiresAt) return reject('Unauthenticated', 'The session has ended.');
    const { actor, expiresAt, lacksSecondFactor } = identity;
    if (lacksSecondFactor) {
      const ended = await this.revoker.revoke(actor.id, { only: sessionId }, null, 'revoked', context);
      return isRejection(ended) ? ended : secondFactorMissing;
    }
    return { ...(await this.keyPairs.issue({ sessionId, userId: actor.id })), expiresAt };
  }
}

const secondFactorMissing = reject(
  'SecondFactorNeeded',
  'Your role requires a second factor. Set it up in the dashboard first.',
);

/** Maximum length of a JWT in characters. */
const MAX_JWT = 8_192;
/** Seconds by which the client's clock may be ahead. */
const LEEWAY_SECONDS = 60;

/**
 * The signer of a JWT (RFC 7519) with HS256, HS384 or HS512 and the secret of their key pair, which the header member
 * `access_key` names. `exp`, `nbf` and `iat` are checked if present; `jti` or `nonce` makes the JWT single-use. Null if
 * it is invalid or used up, or the session has ended.
 */
export class AuthenticateSignatureQuery extends Query<Identity | null> {
  constructor(readonly jwt: string) {
    super();
  }
}

@QueryHandler(AuthenticateSignatureQuery)
export class AuthenticateSignatureHandler implements IQueryHandler<AuthenticateSignatureQuery> {
  constructor(
    private readonly keyPairs: KeyPairs,
    private readonly authentication: Authentication,
    private readonly time: Time,
  ) {}

  async execute({ jwt }: AuthenticateSignatureQuery): Promise<Identity | null> {
    const accessKey = jwt.length > MAX_JWT ? null : accessKeyIn(jwt);
    const pair = accessKey === null ? null : await this.keyPairs.find(accessKey);
    const claims = pair && (await this.verify(jwt, pair));
    if (!pair || !claims) return null;
    const identity = await this.authentication.bySession(pair.sessionId);
    if (!identity?.expiresAt || identity.lacksSecondFactor) return null;
    return (await this.isFirstUse(pair, claims, identity.expiresAt)) ? identity : null;
  }

  private async verify(jwt: string, { secret }: KeyPair): Promise<JWTPayload | null> {
    const now = this.time.now();
    try {
      const { payload } = await jwtVerify(jwt, Buffer.from(secret), {
        algorithms: ['HS256', 'HS384', 'HS512'],
        currentDate: now,
      });
      const latest = now.getTime() / 1_000 + LEEWAY_SECONDS;
      return payload.iat === undefined || payload.iat <= latest ? payload : null;
    } catch {
      return null;
    }
  }

  private async isFirstUse(pair: KeyPair, { jti, nonce, exp }: JWTPayload, sessionEnds: Date): Promise<boolean> {
    const nonces: string[] = [];
    for (const [name, value] of Object.entries({ jti, nonce })) {
      if (value === undefined) continue;
      if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return false;
      nonces.push(`${name} ${value}`);
    }
    if (nonces.length === 0) return true;
    const expires = exp === undefined ? sessionEnds : new Date(Math.min(exp * 1_000, sessionEnds.getTime()));
    return this.keyPairs.useNonces(pair, nonces, expires);
  }
}

function accessKeyIn(jwt: string): string | null {
  try {
    const { access_key: accessKey } = decodeProtectedHeader(jwt) as { access_key?: unknown };
    return typeof accessKey === 'string' ? accessKey : null;
  } catch {
    return null;
  }
}
