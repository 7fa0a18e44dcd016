import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/**
 * What makechat stores about a room beyond its visibility: whether a hidden room is open once shown again, and whether a
 * private room is listed for everyone.
 */
export interface Listing {
  readonly open: boolean;
  readonly listed: boolean;
}

export const notListed: Listing = { open: false, listed: false };

/** How rooms are listed in the makechat door, which has two flags instead of our visibility. */
export class RoomListing {
  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<RoomListing> {
    await migrate(sql, 'desk', 'makechat rooms', [
      `create table desk.makechat_rooms (room_id uuid primary key, open boolean not null, listed boolean not null);
       create index makechat_rooms_listed on desk.makechat_rooms (room_id) where listed`,
    ]);
    return new RoomListing(sql);
  }

  async set(roomId: string, { open, listed }: Listing): Promise<void> {
    await this.sql`
      insert into desk.makechat_rooms (room_id, open, listed) values (${roomId}, ${open}, ${listed})
      on conflict (room_id) do update set open = excluded.open, listed = excluded.listed`;
  }

  /** The listings of those rooms that have one. */
  async of(roomIds: readonly string[]): Promise<ReadonlyMap<string, Listing>> {
    const rows = await this.sql<{ room_id: string; open: boolean; listed: boolean }[]>`
      select room_id, open, listed from desk.makechat_rooms where room_id = any(${[...roomIds]}::uuid[])`;
    return new Map(rows.map(({ room_id, open, listed }) => [room_id, { open, listed }]));
  }

  /** A query for the ids of private rooms that are listed for everyone. */
  listed() {
    return this.sql`select room_id::text from desk.makechat_rooms where listed`;
  }
}
