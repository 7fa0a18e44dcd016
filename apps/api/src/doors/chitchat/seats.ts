import { nameKey } from '@verbatim/domain';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import type { TextHashes } from './text-hashes.js';

export const seatLimits = {
  /** People in a room at this door. With more followers, presence announces no joins and leaves. */
  people: 100,
  /** Milliseconds between heartbeats of a replica, and of silence after which its people count as gone. */
  heartbeat: 5_000,
  lease: 15_000,
  /** Days for which the colour of a person who has left is remembered. */
  remembered: 30,
} as const;

/** Who is in which room at this door. Names are keyed hashes, and unique in a room regardless of case. */
export const seatTables: Migration = {
  schema: 'desk',
  name: 'chitchat_seats',
  statements: [
    `create table desk.chitchat_seats (
       room_id uuid not null, user_id uuid not null, name text not null, connection uuid, color text not null,
       active_at timestamptz not null default now(), alive_at timestamptz not null default now(),
       ending boolean not null default false, stay_until timestamptz, primary key (room_id, user_id));
     create unique index chitchat_seats_name on desk.chitchat_seats (room_id, name) where connection is not null;
     create index chitchat_seats_connection on desk.chitchat_seats (connection) where connection is not null;
     create index chitchat_seats_alive on desk.chitchat_seats (alive_at) where connection is not null;
     create index chitchat_seats_stay on desk.chitchat_seats (stay_until) where connection is null`,
  ],
};

/** A person in a room. */
export interface Seat {
  readonly userId: string;
  readonly color: string;
  readonly activeAt: Date;
}

/** A person who requests a seat. */
export interface Comer {
  readonly roomId: string;
  readonly userId: string;
  readonly name: string;
  readonly color: string;
  /** Id of the connection. */
  readonly connection: string;
}

/** A seat that is being released. No one has it until the membership is settled. */
export interface Ending {
  readonly roomId: string;
  readonly userId: string;
  readonly connection: string;
  /** No token for the room is left, so the membership ends too. */
  readonly leaves: boolean;
}

/**
 * The seats of all replicas. A seat belongs to one connection, and is released when that ends or its replica has been
 * silent for too long.
 */
export class Seats {
  constructor(
    private readonly sql: Sql,
    private readonly hashes: TextHashes,
  ) {}

  /** Takes a seat. False: the name is used in the room, or the room is full. */
  async take({ roomId, userId, name, color, connection }: Comer): Promise<boolean> {
    try {
      const { count } = await this.sql`
        insert into desk.chitchat_seats as seat (room_id, user_id, name, connection, color)
        select ${roomId}, ${userId}, ${this.hash(name)}, ${connection}, ${color}
        where (select count(*) from desk.chitchat_seats where room_id = ${roomId} and connection is not null)
          < ${seatLimits.people}
        on conflict (room_id, user_id) do update set
          name = excluded.name, connection = excluded.connection, color = excluded.color, active_at = now(), alive_at = now()
        where seat.connection is null`;
      return count === 1;
    } catch (error) {
      if ((error as { code?: string }).code === UNIQUE_VIOLATION) return false;
      throw error;
    }
  }

  /**
   * Why a seat was not available. `waitMs`: how long retrying makes sense, because a person who reconnects immediately, or
   * after a replica was killed, finds their own seat still taken. `isOpenHere`: whether a connection belongs to this
   * replica.
   */
  async obstacle(
    { roomId, userId, name }: Comer,
    isOpenHere: (connection: string) => boolean,
  ): Promise<{ readonly full: boolean; readonly waitMs: number }> {
    const [row] = await this.sql<{ connection: string; own: boolean; ending: boolean; silent: number }[]>`
      select connection, user_id = ${userId} as own, ending,
        extract(epoch from now() - alive_at)::float8 * 1000 as silent
      from desk.chitchat_seats
      where room_id = ${roomId} and connection is not null and (user_id = ${userId} or name = ${this.hash(name)})
      order by own desc limit 1`;
    const { heartbeat, lease } = seatLimits;
    // It is free by now, unless all seats are taken.
    if (!row) return { full: await this.isFull(roomId), waitMs: heartbeat };
    if (row.ending) return { full: false, waitMs: heartbeat };
    if (row.silent > SUSPICIOUS_MS) return { full: false, waitMs: lease + heartbeat };
    // Whether another replica is alive shows within a heartbeat.
    const waitMs = isOpenHere(row.connection) ? COMING_BACK_MS : SUSPICIOUS_MS + heartbeat / 2;
    return { full: false, waitMs: row.own ? waitMs : 0 };
  }

  private async isFull(roomId: string): Promise<boolean> {
    const [row] = await this.sql<{ count: number }[]>`
      select count(*)::int as count from desk.chitchat_seats where room_id = ${roomId} and connection is not null`;
    return (row?.count ?? 0) >= seatLimits.people;
  }

  /** The connection ends, and its seat is no longer shown. Null if it had none. */
  async giveUp(connection: string): Promise<Ending | null> {
    const [row] = await this.sql<EndingRow[]>`
      update desk.chitchat_seats set ending = true where connection = ${connection}
      returning room_id, user_id, connection, (stay_until is null or stay_until < now()) as leaves`;
    return row ? toEnding(row) : null;
  }

  /** The membership is settled, and the seat is free. */
  async free({ roomId, userId, connection }: Ending): Promise<void> {
    await this.sql`
      update desk.chitchat_seats set connection = null, ending = false,
        stay_until = case when stay_until < now() then null else stay_until end
      where room_id = ${roomId} and user_id = ${userId} and connection = ${connection}`;
  }

  /**
   * Takes the seats of silent replicas, and of those whose tokens have expired, so that no one else gets them until they are
   * settled. `connection` is the id of the process that settles them.
   */
  async takeOver(connection: string, most: number): Promise<Ending[]> {
    const rows = await this.sql<EndingRow[]>`
      update desk.chitchat_seats seat
      set connection = ${connection}, ending = true, alive_at = now(), name = seat.user_id::text
      from (
        select room_id, user_id from desk.chitchat_seats
        where (connection is not null and alive_at < now() - ${lease}::interval)
          or (connection is null and stay_until < now())
        limit ${most} for update skip locked
      ) as over
      where seat.room_id = over.room_id and seat.user_id = over.user_id
      returning seat.room_id, seat.user_id, seat.connection, (stay_until is null or stay_until < now()) as leaves`;
    return rows.map(toEnding);
  }

  /** Records that a person holds a token for a room until then, and stays a member of it. */
  async stay({ roomId, userId, name, color }: Omit<Comer, 'connection'>, until: Date): Promise<void> {
    await this.sql`
      insert into desk.chitchat_seats as seat (room_id, user_id, name, color, stay_until)
      values (${roomId}, ${userId}, ${this.hash(name)}, ${color}, ${until})
      on conflict (room_id, user_id) do update set stay_until = greatest(seat.stay_until, excluded.stay_until)`;
  }

  async setColor(connection: string, color: string): Promise<void> {
    await this.sql`update desk.chitchat_seats set color = ${color} where connection = ${connection}`;
  }

  /** Records that these connections are alive, and when they were last used. Returns those that have lost their seats. */
  async keepAlive(connections: ReadonlyMap<string, Date>): Promise<string[]> {
    const ids = [...connections.keys()];
    const times = [...connections.values()].map((at) => at.toISOString());
    if (ids.length === 0) return [];
    const rows = await this.sql<{ connection: string }[]>`
      update desk.chitchat_seats seat set alive_at = now(), active_at = greatest(seat.active_at, used.at)
      from unnest(${ids}::uuid[], ${times}::text[]::timestamptz[]) as used (connection, at)
      where seat.connection = used.connection and not seat.ending
      returning seat.connection`;
    const kept = new Set(rows.map(({ connection }) => connection));
    return ids.filter((id) => !kept.has(id));
  }

  /** Forgets the colours of those who left long ago. */
  async forget(): Promise<void> {
    await this.sql`
      delete from desk.chitchat_seats
      where connection is null and stay_until is null and alive_at < now() - make_interval(days => ${seatLimits.remembered})`;
  }

  /** The people in a room, in order of arrival. */
  async of(roomId: string): Promise<Seat[]> {
    const rows = await this.sql<{ user_id: string; color: string; active_at: Date }[]>`
      select user_id, color, active_at from desk.chitchat_seats
      where room_id = ${roomId} and connection is not null and not ending and alive_at >= now() - ${lease}::interval
      order by user_id limit ${seatLimits.people * 2}`;
    return rows.map((row) => ({ userId: row.user_id, color: row.color, activeAt: row.active_at }));
  }

  /** The number of people in each of these rooms; empty rooms are absent. */
  async counts(roomIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.sql<{ room_id: string; count: number }[]>`
      select room_id, count(*)::int as count from desk.chitchat_seats
      where room_id = any(${[...roomIds]}::uuid[]) and connection is not null and not ending and alive_at >= now() - ${lease}::interval
      group by room_id`;
    return new Map(rows.map((row) => [row.room_id, row.count]));
  }

  /** The colours that these people have, or had last, in a room. */
  async colors(roomId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (userIds.length === 0) return new Map();
    const rows = await this.sql<{ user_id: string; color: string }[]>`
      select user_id, color from desk.chitchat_seats
      where room_id = ${roomId} and user_id = any(${[...userIds]}::uuid[])`;
    return new Map(rows.map((row) => [row.user_id, row.color]));
  }

  private hash(name: string): string {
    return this.hashes.of('name', nameKey(name));
  }
}

/** Milliseconds of silence after which a replica may be gone. */
const SUSPICIOUS_MS = seatLimits.heartbeat * 1.5;
/** Milliseconds that the old connection of a returning person may take to end. */
const COMING_BACK_MS = 1_000;
const UNIQUE_VIOLATION = '23505';
const lease = `${seatLimits.lease} milliseconds`;

interface EndingRow {
  room_id: string;
  user_id: string;
  connection: string;
  leaves: boolean;
}

const toEnding = (row: EndingRow): Ending => ({
  roomId: row.room_id,
  userId: row.user_id,
  connection: row.connection,
  leaves: row.leaves,
});
