import type { Recorded } from '@verbatim/domain';
import { timeValue } from './column-values.js';
import { type Projection, type ReadDatabase, reading } from './projection.js';
import { rowSet } from './row-set.js';

const counted = {
  UserRegistered: 'people',
  RoomCreated: 'rooms',
  ChatClosed: 'closed',
  MessagePosted: 'messages',
} as const;
type Counted = keyof typeof counted;
type Count = (typeof counted)[Counted];

const countedRows = rowSet('counts', {
  day: ['day', 'date'],
  people: ['people', 'bigint'],
  rooms: ['rooms', 'bigint'],
  closed: ['closed', 'bigint'],
  messages: ['messages', 'bigint'],
});

/** How much happened on each day, in UTC: accounts (but for the bots of webhooks) and rooms made, rooms closed, messages posted, those redacted since included. */
export const days: Projection = {
  name: 'days',

  // The row of today changes with every batch, which stays cheap while its page has space for it.
  tables: (schema) => `
    CREATE TABLE ${schema}.days (
      day date PRIMARY KEY,
      people bigint NOT NULL,
      rooms bigint NOT NULL,
      closed bigint NOT NULL,
      messages bigint NOT NULL
    ) WITH (fillfactor = 20);`,

  indexes: () => '',

  async apply(tx, schema, events) {
    const counts = countsOf(events);
    if (counts.length === 0) return;
    await tx`
      INSERT INTO ${tx(schema)}.days AS d (day, people, rooms, closed, messages)
      SELECT * FROM ${countedRows(tx, counts)}
      ON CONFLICT (day) DO UPDATE SET
        people = d.people + excluded.people, rooms = d.rooms + excluded.rooms,
        closed = d.closed + excluded.closed, messages = d.messages + excluded.messages`;
  },
};

function countsOf(events: readonly Recorded[]) {
  const counts = new Map<string, Record<Count, number>>();
  for (const event of events) {
    if (!isCounted(event.type)) continue;
    if (event.type === 'UserRegistered' && event.data.origin === 'webhook') continue;
    const day = timeValue(event).slice(0, 10);
    const count = counts.get(day) ?? { people: 0, rooms: 0, closed: 0, messages: 0 };
    count[counted[event.type]] += 1;
    counts.set(day, count);
  }
  return Array.from(counts, ([day, { people, rooms, closed, messages }]) => ({
    day,
    ...{ people: `${people}`, rooms: `${rooms}`, closed: `${closed}`, messages: `${messages}` },
  }));
}

const isCounted = (type: string): type is Counted => Object.hasOwn(counted, type);

// Queries -----------------------------------------------------------------------------------------------------------

export interface Day {
  /** As `2026-01-31`, in UTC. */
  readonly day: string;
  readonly people: number;
  readonly rooms: number;
  readonly closed: number;
  readonly messages: number;
}

/** Each of the last days up to `today` (`2026-01-31`), the oldest first, also those on which nothing happened. */
export async function lastDays(db: ReadDatabase, today: string, count: number): Promise<Day[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<DayRow[]>`
    SELECT to_char(wanted.day, 'YYYY-MM-DD') AS day, coalesce(people, 0) AS people, coalesce(rooms, 0) AS rooms,
      coalesce(closed, 0) AS closed, coalesce(messages, 0) AS messages
    FROM generate_series(${today}::date - (${count}::int - 1), ${today}::date, interval '1 day') AS wanted (day)
    LEFT JOIN ${schema}.days d ON d.day = wanted.day
    ORDER BY wanted.day`;
  return rows.map(({ day, ...counts }) => ({ day, ...numbers(counts) }));
}

/** How much happened on all days together. */
export async function allDays(db: ReadDatabase): Promise<Omit<Day, 'day'>> {
  const { sql, schema } = reading(db);
  const [row] = await sql<Omit<DayRow, 'day'>[]>`
    SELECT coalesce(sum(people), 0) AS people, coalesce(sum(rooms), 0) AS rooms, coalesce(sum(closed), 0) AS closed,
      coalesce(sum(messages), 0) AS messages
    FROM ${schema}.days`;
  return numbers(row ?? { people: '0', rooms: '0', closed: '0', messages: '0' });
}

interface DayRow {
  day: string;
  people: string;
  rooms: string;
  closed: string;
  messages: string;
}

const numbers = ({ people, rooms, closed, messages }: Omit<DayRow, 'day'>) => ({
  people: Number(people),
  rooms: Number(rooms),
  closed: Number(closed),
  messages: Number(messages),
});
