import { keyValue } from './column-values.js';
import { type ReadDatabase, reading } from './projection.js';

// Who sees what, as SQL, for lists, inbox and search. For a single room, `readerOf` of the domain decides the same from its
// events. `r` is a row of `rooms`, `me` one of `members`.

/** The revision from which the member `me` may read messages of the room `r`. */
export const visibleFrom = `CASE WHEN r.visibility <> 'public' AND r.history = 'joined' THEN me.joined_revision ELSE 0 END`;

/** Whether this person is in the room `r`. */
export function isMember(db: ReadDatabase, user: string) {
  const { sql, schema } = reading(db);
  return sql`EXISTS (SELECT FROM ${schema}.members me WHERE me.room_id = r.id AND me.user_id = ${keyValue(user)})`;
}

/** Whether this person, who is neither administrator nor auditor, finds the room `r` in lists. */
export const isListed = (db: ReadDatabase, user: string) => db.sql`(r.visibility = 'public' OR ${isMember(db, user)})`;
