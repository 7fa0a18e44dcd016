import type { Recorded } from '@verbatim/domain';
import { keyValue } from './column-values.js';
import { type Projection, type ReadDatabase, reading } from './projection.js';
import { rowSet } from './row-set.js';

const counted = rowSet('counted', {
  user_id: ['user', 'text'],
  messages: ['messages', 'bigint'],
});

/**
 * How many messages each person has posted, those redacted since included. Counted once for each author of a batch: an index
 * of messages by author would be changed for each message, and would have to be walked for each answer.
 */
export const posters: Projection = {
  name: 'posters',

  // Pages have space for other counts, which then need no new entry in the index.
  tables: (schema) => `
    CREATE TABLE ${schema}.posters (
      user_id text COLLATE "C" PRIMARY KEY,
      messages bigint NOT NULL
    ) WITH (fillfactor = 50);`,

  indexes: () => '',

  async apply(tx, schema, events) {
    const counts = countsOf(events);
    if (counts.length === 0) return;
    await tx`
      INSERT INTO ${tx(schema)}.posters AS p (user_id, messages)
      SELECT * FROM ${counted(tx, counts)}
      ON CONFLICT (user_id) DO UPDATE SET messages = p.messages + excluded.messages`;
  },
};

function countsOf(events: readonly Recorded[]): { user: string; messages: string }[] {
  const counts = new Map<string, number>();
  for (const event of events) {
    if (event.type !== 'MessagePosted') continue;
    const user = keyValue(event.actor);
    counts.set(user, (counts.get(user) ?? 0) + 1);
  }
  return [...counts].map(([user, messages]) => ({ user, messages: `${messages}` }));
}

// Queries -----------------------------------------------------------------------------------------------------------

/** How many messages somebody has posted in all rooms, whether the asker may read these or not. */
export async function messagesBy(db: ReadDatabase, userId: string): Promise<number> {
  const { sql, schema } = reading(db);
  const [row] = await sql<{ messages: string }[]>`
    SELECT messages FROM ${schema}.posters WHERE user_id = ${keyValue(userId)}`;
  return Number(row?.messages ?? 0);
}
