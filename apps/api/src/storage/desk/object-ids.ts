import { createHash } from 'node:crypto';
import { migrate } from '@verbatim/event-store';
import { LRUCache } from 'lru-cache';
import type { Sql } from 'postgres';

/** What has such an id. A member's own id is that of the user and the role: `<user> <role>`. */
export type WithObjectId = 'user' | 'room' | 'member';

/** Ids kept in memory; about 250 bytes each. */
const REMEMBERED = 50_000;
/** Ids that are tried before a collision of 64 bits counts as a bug. */
const ATTEMPTS = 3;

/**
 * Ids of 24 hexadecimal digits, as MongoDB has them, for what has longer ids here. They derive from these, so every replica gives the
 * same one at any time; rows lead the other way. Imports bring ids of their own.
 */
export class ObjectIds {
  private readonly known = new LRUCache<string, string>({ max: REMEMBERED });

  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<ObjectIds> {
    await migrate(sql, 'desk', 'object ids', [
      `create table desk.object_ids (
         kind text not null, object_id text not null, id text not null, primary key (kind, object_id), unique (kind, id))`,
    ]);
    return new ObjectIds(sql);
  }

  /** The object ids of all of these. */
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

  /** What has these object ids; unknown ones are absent. */
  async find(kind: WithObjectId, objectIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const wanted = objectIds.filter(isObjectId);
    if (wanted.length === 0) return new Map();
    const rows = await this.sql<{ object_id: string; id: string }[]>`
      select object_id, id from desk.object_ids where kind = ${kind} and object_id = any(${wanted}::text[])`;
    return new Map(rows.map(({ object_id, id }) => [object_id, id]));
  }

  /** Gives something the object id that it has in another system, unless it or another one has it already. */
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
