import type { QueryBus } from '@nestjs/cqrs';
import type { Recorded } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { GuestNameQuery } from '../../application/guests/guest-name.js';
import type { Person } from '../../live/live-event.js';

/** Guest names kept in memory; about 200 bytes each. */
const REMEMBERED = 50_000;
/** Only usernames of guests begin like this. */
const GUEST = /^guest-/;

/** The name of an account at this door: its username, or the name a guest chose. */
export const shownName = ({
  username,
  displayName,
}: {
  username: string | null;
  displayName: string | null;
}): string => (username === null ? '' : GUEST.test(username) ? (displayName ?? username) : username);

/** Looks up the names of people at this door. */
export class ShownNames {
  private readonly guests = new LRUCache<string, string>({ max: REMEMBERED });

  constructor(private readonly queries: QueryBus) {}

  /** Returns the name directly if it is known; it is not for guests who have been silent for a long time. */
  of({ id, username }: Person): string | Promise<string> {
    if (!GUEST.test(username)) return username;
    return this.guests.get(id) ?? this.lookUp(id, username);
  }

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type === 'UserRegistered' && event.data.origin === 'guest' && event.data.displayName !== null)
        this.guests.set(event.stream.slice('user-'.length), event.data.displayName);
      if (event.type === 'UserChanged') this.guests.delete(event.stream.slice('user-'.length));
    }
  }

  private async lookUp(id: string, username: string): Promise<string> {
    const name = (await this.queries.execute(new GuestNameQuery(id))) ?? username;
    this.guests.set(id, name);
    return name;
  }
}
