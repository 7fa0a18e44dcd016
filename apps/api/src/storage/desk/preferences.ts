import { userStream } from '@verbatim/domain';
import { type KeyRing, migrate, openOwn, ownKey, ownKeysOf, sealText } from '@verbatim/event-store';
import type { Sql, TransactionSql } from 'postgres';

/**
 * Preferences that applications store for users: a text that only the application understands, sealed under the user's own
 * key.
 */
export class Preferences {
  private constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  static async open(sql: Sql, keys: KeyRing): Promise<Preferences> {
    await migrate(sql, 'desk', 'preferences', [
      'create table desk.preferences (user_id uuid primary key, preferences text not null)',
      sealPreferences(keys),
      'alter table desk.preferences rename column preferences to sealed',
    ]);
    return new Preferences(sql, keys);
  }

  /** Empty if nothing is stored. */
  async of(userId: string): Promise<string> {
    const [row] = await this.sql<{ sealed: string }[]>`
      select sealed from desk.preferences where user_id = ${userId}`;
    return (row && (await openOwn(this.keys, userStream(userId), row.sealed, associated(userId)))) ?? '';
  }

  async keep(userId: string, preferences: string): Promise<void> {
    const sealed = sealText(preferences, await this.keyOf(userId), associated(userId));
    await this.sql`
      insert into desk.preferences (user_id, sealed) values (${userId}, ${sealed})
      on conflict (user_id) do update set sealed = excluded.sealed`;
  }

  private keyOf(userId: string): Promise<Buffer> {
    return ownKey(this.keys, userStream(userId));
  }
}

const associated = (userId: string): string => `preferences|${userId}`;

/** A migration step: earlier releases stored preferences in plain text. */
const sealPreferences = (keys: KeyRing) => async (tx: TransactionSql) => {
  const rows = await tx<
    { id: string; text: string }[]
  >`select user_id as id, preferences as text from desk.preferences`;
  const byUser = await ownKeysOf(
    keys,
    rows.map(({ id }) => id),
    'obtain',
  );
  const sealed = rows.map(({ id, text }) => sealText(text, byUser.get(id) as Buffer, associated(id)));
  await tx`
    update desk.preferences p set preferences = s.sealed
    from unnest(${rows.map(({ id }) => id)}::uuid[], ${sealed}::text[]) as s (id, sealed) where p.user_id = s.id`;
};
