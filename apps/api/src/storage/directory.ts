import type { Recorded } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import type { Names } from './vault/names.js';

/** A user's id and username. */
export interface Person {
  readonly id: string;
  readonly username: string;
}

/** Usernames kept in memory; about 150 bytes each. */
const CACHE_SIZE = 100_000;

/** Finds the users behind ids. Usernames never change, so they are cached without expiry. */
export class Directory {
  private readonly usernames = new LRUCache<string, string>({ max: CACHE_SIZE });

  constructor(private readonly names: Names) {}

  /** A sink of the feed: caches the usernames of new accounts. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type === 'UserRegistered') this.usernames.set(event.stream.slice('user-'.length), event.data.username);
    }
  }

  /** The user with this id; null for null. A user without a known name has an empty one. */
  async person(id: string | null): Promise<Person | null> {
    if (id === null) return null;
    return (await this.people([id])).get(id) ?? { id, username: '' };
  }

  /** The users with these ids, if all of them are cached; null otherwise. */
  cached(ids: Iterable<string | null>): ReadonlyMap<string, Person> | null {
    const people = new Map<string, Person>();
    for (const id of ids) {
      if (id === null) continue;
      const username = this.usernames.get(id);
      if (username === undefined) return null;
      people.set(id, { id, username });
    }
    return people;
  }

  /** The users with these ids; unknown ids are absent. Queries the database only for users that are not cached. */
  async people(ids: Iterable<string | null>): Promise<ReadonlyMap<string, Person>> {
    const people = new Map<string, Person>();
    const unknown = new Set<string>();
    for (const id of ids) {
      if (id === null) continue;
      const username = this.usernames.get(id);
      if (username === undefined) unknown.add(id);
      else people.set(id, { id, username });
    }
    if (unknown.size === 0) return people;
    for (const [id, username] of await this.names.usernames([...unknown])) {
      this.usernames.set(id, username);
      people.set(id, { id, username });
    }
    return people;
  }
}
