import { Injectable } from '@nestjs/common';
import { isRejection, type Rejection, reject, type UserState } from '@verbatim/domain';
import { Attempts } from '../../storage/limits/attempts.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { SecondFactors } from '../../storage/vault/second-factors.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from './authentication.js';

/** How long after a proof sensitive commands are accepted. */
const FRESH_SECONDS = 15 * 60;

/** How a user proves their identity again. */
export interface Proof {
  readonly password?: string;
  /** Six digits of the authenticator, or a recovery code. */
  readonly code?: string;
}

/** Checks proofs of identity beyond the session. */
@Injectable()
export class Proving {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly factors: SecondFactors,
    private readonly sessions: Sessions,
    private readonly attempts: Attempts,
  ) {}

  /** Null if the password or code is correct; otherwise `NotAllowed`, or `TooSoon` after too many failures. */
  async check(userId: string, proof: Proof, context: Context): Promise<Rejection | null> {
    const attempt = await this.attempts.proof(userId);
    if (isRejection(attempt)) return attempt;
    if (!(await this.isCorrect(userId, proof, context))) return incorrect;
    await attempt.succeeded();
    return null;
  }

  /** The hash of the password if it is correct; otherwise `WrongPassword`, or `TooSoon` after too many failures. */
  async checkPassword(userId: string, password: string): Promise<string | Rejection> {
    const attempt = await this.attempts.proof(userId);
    if (isRejection(attempt)) return attempt;
    const hash = await this.credentials.check(userId, password);
    if (!hash) return reject('WrongPassword', 'The current password is incorrect.');
    await attempt.succeeded();
    return hash;
  }

  private async isCorrect(userId: string, { password, code }: Proof, context: Context): Promise<boolean> {
    if (password !== undefined && (await this.credentials.check(userId, password))) return true;
    if (code === undefined) return false;
    const { state } = await this.users.newest(userId);
    return this.bySecondFactor(userId, state, code, context);
  }

  /** Whether a code is correct; uses it up. */
  async bySecondFactor(userId: string, { totpId }: UserState, code: string, context: Context): Promise<boolean> {
    if (totpId === null) return false;
    if (/^\d{6}$/.test(code)) return this.factors.accept(totpId, code);
    if (!(await this.factors.spendRecoveryCode(totpId, code))) return false;
    await this.users.send(userId, { type: 'UseRecoveryCode', actor: null }, context);
    return true;
  }

  /**
   * Rejects commands whose effect outlasts the session, such as creating a token, unless the user proved their identity
   * recently: a stolen access token must not give lasting access. Users with neither password nor second factor cannot
   * prove it.
   */
  async demandProof(identity: Identity): Promise<Rejection | null> {
    if (await this.provedRecently(identity)) return null;
    const { state } = await this.users.newest(identity.actor.id);
    if (state.totpId === null && !(await this.credentials.has(identity.actor.id))) return null;
    return proofNeeded;
  }

  /** Rejects sensitive commands of users with a second factor, unless they proved their identity recently in this session. */
  async demandFresh(identity: Identity): Promise<Rejection | null> {
    const { state } = await this.users.newest(identity.actor.id);
    return state.totpId === null || (await this.provedRecently(identity)) ? null : proofNeeded;
  }

  private provedRecently({ sessionId }: Identity): Promise<boolean> {
    return this.sessions.provedWithin(sessionId, FRESH_SECONDS);
  }
}

const incorrect = reject('NotAllowed', 'The password or code is incorrect.');
const proofNeeded = reject('SecondFactorNeeded', 'Prove your identity again: POST /v1/auth/step-up.');
