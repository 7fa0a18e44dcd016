import { Injectable } from '@nestjs/common';
import { isRejection, type Rejection, reject, shutOutSince, type UserState } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { newId } from '../../new-id.js';
import { ACCESS_SECONDS, AccessTokens } from '../../storage/vault/access-tokens.js';
import { type Device, type NewSession, type SessionRef, Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { SessionRevoker } from './session-revoker.js';

/** Where a request comes from: the address that limits count, and the device that is listed with the session. */
export interface Client {
  readonly address: string;
  readonly device: Device;
  /** Seconds after which the session ends for good; absent: it can be renewed. */
  readonly sessionSeconds?: number;
}

/** A user who has signed in, with the tokens of the session. */
export interface SignedIn {
  readonly userId: string;
  readonly sessionId: string;
  readonly state: UserState;
  readonly accessToken: string;
  /** Lifetime of the access token in seconds. */
  readonly expiresIn: number;
  readonly refreshToken: string;
  readonly position: bigint;
}

/** Starts sessions of users who have been authenticated. */
@Injectable()
export class SessionStarter {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly time: Time,
    private readonly revoker: SessionRevoker,
  ) {}

  /** Rejects with `NotFound` if the password has changed since it was checked. */
  async start(session: Omit<NewSession, 'sessionId'>, context: Context): Promise<SignedIn | Rejection> {
    const { userId, how } = session;
    const sessionId = newId();
    const started = await this.users.send(userId, { type: 'StartSession', actor: null, sessionId, how }, context);
    if (isRejection(started)) return started;
    const refreshToken = await this.sessions.start({ ...session, sessionId });
    if (refreshToken === null) {
      const revoke = { type: 'RevokeSessions', actor: null, sessionIds: [sessionId], cause: 'password' } as const;
      await this.users.send(userId, revoke, context);
      return reject('NotFound', 'The password has just been changed.');
    }
    // A user who loses access after this point loses this session too; one who lost it before would keep it.
    const { state } = await this.users.newest(userId);
    if (shutOutSince(state, started.revision)) {
      const ended = await this.revoker.revoke(userId, { only: sessionId }, null, 'revoked', context);
      return isRejection(ended) ? ended : reject('NotAllowed', 'This account has just lost access.');
    }
    const { state: begun, position } = started;
    return { ...(await this.tokensFor({ userId, sessionId }, refreshToken)), state: begun, position };
  }

  /** The tokens of a renewed session. */
  async tokensFor(
    { userId, sessionId }: SessionRef,
    refreshToken: string,
  ): Promise<Omit<SignedIn, 'state' | 'position'>> {
    const accessToken = await this.tokens.sign({ userId, sessionId }, this.time.now());
    return { userId, sessionId, accessToken, expiresIn: ACCESS_SECONDS, refreshToken };
  }
}
