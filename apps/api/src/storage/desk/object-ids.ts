import { createHash } from 'node:crypto';
import { migrate } from '@verbatim/event-store';
import { LRUCache } from 'lru-cache';
import type { Sql } from 'postgres';

/** What can have an object id. A member's own id combines user and role: `<user> <role>`. */
export type WithObjectId = 'user' | 'room' | 'member';

/** Ids kept in memory; about 250 bytes each. */
const CACHE_SIZE = 50_000;
/** Candidates to try before a 64-bit collision counts as a bug. */
const ATTEMPTS = 3;

/**
 * Ids of 24 hexadecimal digits, like MongoDB's, for objects with longer ids here. They are derived from our ids, so every
 * replica computes the same one; rows map them back. Imports bring their own ids.
 */
export class ObjectIds {
  private readonly known = new LRUCache<string, string>({ max: CACHE_SIZE });

  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<ObjectIds> {
    await migrate(sql, 'desk', 'object ids', [
      `create table desk.object_ids (
         kind text not null, object_id text not null, id text not null, primary key (kind, object_id), unique (kind, id))`,
    ]);
    return new ObjectIds(sql);
  }

  /** The object ids of these objects. */
  async of(kind: WithObjectId, ids: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const unknown = new Set<string>();
    for (const id of ids) {
      const known = this.known.get(`${kind} ${id}`);
      if (known === undefined) unknown.add(id);
      else found.set(id, known);
    }
    for (let attempt = 0; unknown.size > 0; attempt++) {
      if (attempt >= ATTEMPTS) throw new Error(`There is no object id for ${[...unknown][0]}.`);
      for (const [id, objectId] of await this.given(kind, [...unknown].sort(), attempt)) {
        found.set(id, objectId);
        unknown.delete(id);
        this.known.set(`${kind} ${id}`, objectId);
      }
    }
    return found;
  }

  async one(kind: WithObjectId, id: string): Promise<string> {
    return (await this.of(kind, [id])).get(id) ?? '';
  }

  /** The objects with these object ids; unknown ones are absent. */
  async find(kind: WithObjectId, objectIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const wanted = objectIds.filter(isObjectId);
    if (wanted.length === 0) return new Map();
    const rows = await this.sql<{ object_id: string; id: string }[]>`
      select object_id, id from desk.object_ids where kind = ${kind} and object_id = any(${wanted}::text[])`;
    return new Map(rows.map(({ object_id, id }) => [object_id, id]));
  }

  /** Assigns the object id from another system, unless the object already has one or the id is taken. */
  async keep(kind: WithObjectId, objectId: string, id: string): Promise<void> {
    await this.sql`
      insert into desk.object_ids (kind, object_id, id) values (${kind}, ${objectId}, ${id}) on conflict do nothing`;
  }

  private async given(kind: WithObjectId, ids: readonly string[], attempt: number): Promise<[string, string][]> {
    const objectIds = ids.map((id) => objectIdOf(kind, id, attempt));
    await this.sql`
      insert into desk.object_ids (kind, object_id, id)
      select ${kind}, wanted.object_id, wanted.id
      from unnest(${objectIds}::text[], ${[...ids]}::text[]) as wanted (object_id, id)
      where not exists (select from desk.object_ids o where o.kind = ${kind} and o.id = wanted.id)
      order by wanted.id
      on conflict do nothing`;
    const rows = await this.sql<{ object_id: string; id: string }[]>`
      select object_id, id from desk.object_ids where kind = ${kind} and id = any(${[...ids]}::text[])`;
    return rows.map(({ object_id, id }) => [id, object_id]);
  }
}

/** Whether a text can be an object id. */
export const isObjectId = (text: string): boolean => /^[0-9a-f]{24}$/.test(text);

/** Four bytes of time in seconds, where the id begins with one (UUIDv7), and eight of a hash; else twelve of the hash. */
export function objectIdOf(kind: string, id: string, attempt = 0): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([kind, id, attempt]))
    .digest('hex');
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id) ?? [];
  if (!high || !low) return hash.slice(0, 24);
  const seconds = Math.floor(Number.parseInt(high + low, 16) / 1_000);
  return seconds.toString(16).padStart(8, '0').slice(-8) + hash.slice(0, 16);
}
