import type { Session as SessionAnswer, User } from '@verbatim/protocol';
import { Unanswered, VerbatimError } from './verbatim-error.js';

/**
 * A session that can be saved across restarts. It belongs to one client at a time, because refresh tokens work once, unless
 * the clients share it (`SharedSession`).
 */
export interface SavedSession {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since 1970 at which to renew the access token, and at which it expires. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Six digits of the authenticator, or a recovery code; without it, people with a second factor get `mfa_required`. */
  readonly code?: string;
}

/** Where several clients of one person keep the session that they share, such as the tabs of a browser. */
export interface SharedSession {
  /** The session, which another client may have renewed; null: signed out. */
  read(): SavedSession | null;
  /** Runs `work` while no other client that shares the session does. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}

export interface SessionParts {
  /** Exchanges a refresh token, with one request that is certain to be sent only once. */
  refresh(refreshToken: string): Promise<SessionAnswer>;
  /** Absent: no other client has the session. */
  readonly shared?: SharedSession;
  /** Signs in again when the session has ended; if absent, the person has to. */
  readonly signInAgain?: () => Promise<SessionAnswer>;
  /** Called with every change; null: signed out. */
  changed(session: SavedSession | null): void;
}

/** Part of an access token's life after which it is renewed. */
const RENEW_AT = 0.8;

/**
 * The signed-in session. Provides valid access tokens and renews them in time, with one exchange at a time. When
 * the answer to an exchange is lost and asking again immediately returns none either, the refresh token may have been used; using
 * it later would end the session. So the current access token is used until it expires, and only then the refresh
 * token is tried once more.
 */
export class Session {
  private held: SavedSession | null = null;
  private exchangeInDoubt = false;
  /** The person signed out deliberately. */
  private left = false;
  private renewing: Promise<string> | null = null;

  constructor(private readonly parts: SessionParts) {}

  get saved(): SavedSession | null {
    return this.held;
  }

  get user(): User | null {
    return this.held?.user ?? null;
  }

  /** @param askedAt milliseconds since 1970 when the tokens were requested. */
  begin({ user, accessToken, refreshToken, expiresIn }: SessionAnswer, askedAt: number): void {
    const life = expiresIn * 1_000;
    this.restore({ user, accessToken, refreshToken, renewAt: askedAt + life * RENEW_AT, expiresAt: askedAt + life });
  }

  restore(session: SavedSession): void {
    this.held = session;
    this.left = false;
    this.exchangeInDoubt = false;
    this.parts.changed(session);
  }

  /** The person signs out. */
  leave(): void {
    this.left = true;
    this.end();
  }

  /** The service has ended the session. */
  end(): void {
    if (!this.held) return;
    this.held = null;
    this.parts.changed(null);
  }

  /**
   * An access token that should be valid. `refused` is one that was just refused.
   * Rejects with VerbatimError `unauthenticated` after signing out.
   */
  async accessToken(refused?: string): Promise<string> {
    const { held } = this;
    const now = Date.now();
    const usable = held !== null && held.accessToken !== refused && now < held.expiresAt;
    if (usable && (now < held.renewAt || this.exchangeInDoubt)) return held.accessToken;
    try {
      const { shared } = this.parts;
      this.renewing ??= (shared ? shared.exclusively(() => this.adoptOrRenew(shared)) : this.renew()).finally(() => {
        this.renewing = null;
      });
      return await this.renewing;
    } catch (error) {
      if (usable && error instanceof Unanswered) return held.accessToken;
      throw error;
    }
  }

  /** Another client may have renewed the session while this one waited for its turn. */
  private async adoptOrRenew(shared: SharedSession): Promise<string> {
    const { held } = this;
    if (!held) return this.renew();
    const newest = shared.read();
    if (newest === null || newest.user.id !== held.user.id) {
      this.end();
      throw nobody();
    }
    if (newest.refreshToken === held.refreshToken) return this.renew();
    this.restore(newest);
    return Date.now() < newest.renewAt ? newest.accessToken : this.renew();
  }

  private async renew(): Promise<string> {
    const { held } = this;
    if (!held) return this.signInAgain();
    const askedAt = Date.now();
    try {
      const answer = await this.exchange(held.refreshToken);
      // A person who signed out in the meantime stays signed out.
      if (this.held === held) this.begin(answer, askedAt);
      return this.held?.accessToken ?? (await this.signInAgain());
    } catch (error) {
      if (error instanceof VerbatimError && !error.retryable && error.code !== 'internal') {
        if (this.held === held) this.end();
        return this.signInAgain();
      }
      this.exchangeInDoubt ||= !(error instanceof Unanswered) || error.sent;
      throw error instanceof Unanswered ? error : new Unanswered(true, error);
    }
  }

  /** The service repeats an exchange for ten seconds, so after a lost response it is asked again immediately. */
  private async exchange(refreshToken: string): Promise<SessionAnswer> {
    try {
      return await this.parts.refresh(refreshToken);
    } catch (error) {
      if (!(error instanceof Unanswered) || !error.sent) throw error;
    }
    try {
      return await this.parts.refresh(refreshToken);
    } catch (error) {
      throw error instanceof Unanswered ? new Unanswered(true, error) : error;
    }
  }

  private async signInAgain(): Promise<string> {
    const { signInAgain } = this.parts;
    if (!signInAgain || this.left) throw nobody();
    const askedAt = Date.now();
    const answer = await signInAgain();
    // Signing out, or in as someone else, in the meantime takes precedence.
    if (!this.left && !this.held) this.begin(answer, askedAt);
    if (!this.held) throw nobody();
    return this.held.accessToken;
  }
}

const nobody = (): VerbatimError => new VerbatimError('unauthenticated', 'Nobody is signed in.');
