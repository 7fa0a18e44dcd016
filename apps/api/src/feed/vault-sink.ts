import { parseStream, type Recorded } from '@verbatim/domain';
import { endsAllTokens, type PersonalTokens } from '../storage/vault/personal-tokens.js';
import { letsInAgain, type Sessions } from '../storage/vault/sessions.js';
import type { Feed, Sink } from './feed.js';

/** Accounts that may be queued, and those handled concurrently. */
const MAX_WAITING = 10_000;
const AT_ONCE = 2;

/**
 * Vault reads and writes that follow when an account loses or regains access. Memory is correct without them: the sinks
 * of sessions and tokens update it at once, and assume the worst where only the vault knows.
 */
export function vaultSink(
  feed: Pick<Feed, 'queue'>,
  sessions: Pick<Sessions, 'reload'>,
  tokens: Pick<PersonalTokens, 'deleteAll'>,
): Sink {
  const reloads = feed.queue<null>({
    name: 'sessions of people let in again',
    capacity: MAX_WAITING,
    atOnce: AT_ONCE,
    attempts: Number.POSITIVE_INFINITY,
    handle: (userId) => sessions.reload(userId),
    // Their sessions, old and new, stay rejected for as long as an access token could be valid.
    giveUp: () => undefined,
  });
  const deletions = feed.queue<string>({
    name: 'tokens of people shut out',
    capacity: MAX_WAITING,
    atOnce: AT_ONCE,
    attempts: Number.POSITIVE_INFINITY,
    handle: async (userId, times) => tokens.deleteAll(userId, times.at(-1) as string),
    // Leftover rows are harmless: the streams of their owners no longer have the tokens.
    giveUp: () => undefined,
  });
  return (events: readonly Recorded[]) => {
    for (const event of events) {
      if (letsInAgain(event)) reloads.enqueue(parseStream(event.stream).id, null, event.position);
      if (endsAllTokens(event)) deletions.enqueue(parseStream(event.stream).id, event.at, event.position);
    }
  };
}
