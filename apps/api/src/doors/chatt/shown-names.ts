import type { QueryBus } from '@nestjs/cqrs';
import type { Recorded } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { GuestNameQuery } from '../../application/guests/guest-name.js';
import type { Person } from '../../live/live-event.js';

/** Guests whose names are kept in memory; about 200 bytes each. */
const REMEMBERED = 50_000;
/** How the usernames of guests begin. Nobody else's do. */
const GUEST = /^guest-/;

/** What an account is called at this door: by its username, a guest by the name under which they came. */
export const shownName = ({
  username,
  displayName,
}: {
  username: string | null;
  displayName: string | null;
}): string => (username === null ? '' : GUEST.test(username) ? (displayName ?? username) : username);

/** Finds out what people are called at this door. */
export class ShownNames {
  private readonly guests = new LRUCache<string, string>({ max: REMEMBERED });

  constructor(private readonly queries: QueryBus) {}

  /** At once if it is known, as it is for all but guests who have not said anything for a long time. */
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
