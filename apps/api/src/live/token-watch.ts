import type { PersonalToken, PersonalTokens } from '../storage/vault/personal-tokens.js';
import type { Subscriber } from './subscriber.js';

/** How often the tokens of open subscribers are checked. */
const CHECK_EVERY_MS = 500;

/** Ends subscribers that use a personal token when it expires, or when it was revoked and the feed lags. */
export class TokenWatch {
  private readonly tokens = new Map<Subscriber, PersonalToken>();
  private readonly timer = setInterval(() => void this.endExpired(), CHECK_EVERY_MS).unref();

  constructor(private readonly personalTokens: Pick<PersonalTokens, 'still' | 'expired'>) {}

  add(subscriber: Subscriber, token: PersonalToken): void {
    this.tokens.set(subscriber, token);
  }

  remove(subscriber: Subscriber): void {
    this.tokens.delete(subscriber);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async endExpired(): Promise<void> {
    if (this.tokens.size === 0) return;
    const ids = [...new Set([...this.tokens.values()].map(({ id }) => id))];
    // Without the database only expiry can be checked.
    const still = await this.personalTokens.still(ids).catch(() => null);
    for (const [subscriber, token] of this.tokens) {
      if (this.personalTokens.expired(token) || (still && ids.includes(token.id) && !still.has(token.id)))
        subscriber.close('revoked');
    }
  }
}
