import type { UserState } from '@verbatim/domain';
import { Refusal } from '../../doors/refusal.js';
import type { Attempts } from '../../storage/limits/attempts.js';
import type { Credentials } from '../../storage/vault/credentials.js';
import type { SecondFactors } from '../../storage/vault/second-factors.js';
import type { Sessions } from '../../storage/vault/sessions.js';
import type { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from '../accounts/authentication.js';

/** Minutes after a proof in which sensitive calls may be made. */
const FRESH_MINUTES = 15;

/** By what somebody proves once more who they are. */
export interface Proof {
  readonly password?: string;
  /** Six digits of the authenticator, or a recovery code. */
  readonly code?: string;
}

/** Checks proofs of who somebody is beyond their session. */
export class Proving {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly factors: SecondFactors,
    private readonly sessions: Sessions,
    private readonly attempts: Attempts,
  ) {}

  /** Whether one of what is shown is right. Refuses with `rate_limited` after too many that were not. */
  async by(userId: string, proof: Proof, context: Context): Promise<boolean> {
    const attempt = await this.attempts.proof(userId);
    const right = await this.isRight(userId, proof, context);
    if (right) await attempt.succeeded();
    return right;
  }

  /** The hash that the password fits, or null. Refuses as `by` does. */
  async byPassword(userId: string, password: string): Promise<string | null> {
    const attempt = await this.attempts.proof(userId);
    const hash = await this.credentials.check(userId, password);
    if (hash) await attempt.succeeded();
    return hash;
  }

  private async isRight(userId: string, { password, code }: Proof, context: Context): Promise<boolean> {
    if (password !== undefined && (await this.credentials.check(userId, password))) return true;
    if (code === undefined) return false;
    const { state } = await this.users.newest(userId);
    return this.bySecondFactor(userId, state, code, context);
  }

  /** Whether a code is right; it is used up then. */
  async bySecondFactor(userId: string, { totpId }: UserState, code: string, context: Context): Promise<boolean> {
    if (totpId === null) return false;
    if (/^\d{6}$/.test(code)) return this.factors.accept(totpId, code);
    if (!(await this.factors.spendRecoveryCode(totpId, code))) return false;
    await this.users.send(userId, { type: 'UseRecoveryCode', actor: null }, context);
    return true;
  }

  /**
   * Refuses what outlasts the session, such as a token or a second factor, unless the person proved lately in it who they
   * are: whoever has stolen an access token must not be able to settle in. Who has neither a password nor a second factor
   * has nothing to prove it by.
   */
  async demandProof(identity: Identity): Promise<void> {
    if (await this.provedLately(identity)) return;
    const { state } = await this.users.newest(identity.actor.id);
    if (state.totpId === null && !(await this.credentials.has(identity.actor.id))) return;
    throw proofNeeded();
  }

  /** Refuses sensitive calls of those who have a second factor, unless they proved lately in this session who they are. */
  async demandFresh(identity: Identity): Promise<void> {
    const { state } = await this.users.newest(identity.actor.id);
    if (state.totpId === null || (await this.provedLately(identity))) return;
    throw proofNeeded();
  }

  private provedLately({ sessionId }: Identity): Promise<boolean> {
    return this.sessions.provedWithin(sessionId, FRESH_MINUTES * 60);
  }
}

const proofNeeded = () => new Refusal('mfa_required', 'Prove once more who you are: POST /v1/auth/step-up.');
