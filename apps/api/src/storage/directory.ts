import type { Recorded } from '@verbatim/domain';
import type { Person } from '@verbatim/protocol';
import { LRUCache } from 'lru-cache';
import type { Names } from './vault/names.js';

/** Usernames kept in memory; about 150 bytes each. */
const REMEMBERED = 100_000;

/** Who is behind an id. Usernames never change, so what was once learned stays true. */
export class Directory {
  private readonly usernames = new LRUCache<string, string>({ max: REMEMBERED });

  constructor(private readonly names: Names) {}

  /** A sink of the feed: learns of new accounts before anybody can ask. */
  take(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type === 'UserRegistered') this.usernames.set(event.stream.slice('user-'.length), event.data.username);
    }
  }

  /** The people with these ids, if all of their names are in memory; null otherwise. */
  remembered(ids: Iterable<string | null>): ReadonlyMap<string, Person> | null {
    const people = new Map<string, Person>();
    for (const id of ids) {
      if (id === null) continue;
      const username = this.usernames.get(id);
      if (username === undefined) return null;
      people.set(id, { id, username });
    }
    return people;
  }

  /** The people with these ids; unknown ids are absent. Asks the database only for people not met lately. */
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
