import { createHmac } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { type KeyRing, openOwn, ownKey, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import { addressKey } from '../../limits/address-key.js';
import { longestKept, repeatHours } from './terms.js';

const WHEREABOUTS_KEY = 'chatt whereabouts';
/** Seconds by which `used_at` may lag behind the end of a connection if its replica was killed. */
const UNNOTED_SECONDS = 180;
/** Minutes after which a client counts as disconnected if its replica has not confirmed it. */
const CONNECTED_MINUTES = 10;
/** Kept sessions per account. Beyond this the least recently used are deleted. */
const MAX_KEPT = 100;

export const sessionMigration: Migration = {
  schema: 'desk',
  name: 'chatt sessions',
  statements: [
    `create sequence desk.chatt_connections;
     create table desk.chatt_sessions (
       client text primary key, user_id uuid not null, connection bigint not null, replica uuid, former uuid,
       kept boolean not null, sealed text, whereabouts text, guest boolean not null, used_at timestamptz not null default now());
     create index chatt_sessions_user on desk.chatt_sessions (user_id);
     create index chatt_sessions_whereabouts on desk.chatt_sessions (whereabouts);
     create index chatt_sessions_used on desk.chatt_sessions (used_at);
     create table desk.chatt_places (
       client text not null references desk.chatt_sessions on delete cascade, room_id uuid not null, revision bigint not null,
       primary key (client, room_id));
     create table desk.chatt_publications (
       client text not null references desk.chatt_sessions on delete cascade, packet_id int not null, content text not null,
       message_id uuid not null, connection bigint not null, primary key (client, packet_id))`,
    'alter table desk.chatt_sessions add column keep_seconds int not null default 2592000',
  ],
};

/** A stored subscription. */
export interface KeptSubscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  /** Without the client's own publications (No Local). */
  readonly others?: boolean;
}

/** A connection in the ledger. Each has a higher number than the client's previous one. */
export interface LedgerEntry {
  readonly client: string;
  readonly userId: string;
  readonly connection: bigint;
}

export interface BegunConnection {
  readonly entry: LedgerEntry;
  /** The replica where the client may still be connected; null if none. */
  readonly former: string | null;
  /** The subscriptions of the resumed session; null if there is none. */
  readonly subscriptions: readonly KeptSubscription[] | null;
}

/** How far a session has acknowledged rooms, by room id. */
export interface Move {
  readonly entry: LedgerEntry;
  readonly places: ReadonlyMap<string, bigint>;
}

/** A client that connects. */
export interface Connecting {
  readonly userId: string;
  readonly clientId: string;
  readonly guest: boolean;
  readonly address: string;
  /** See `Terms`. */
  readonly cleanStart: boolean;
  /** See `Terms`. */
  readonly keepSeconds: number;
  /** The replica it connects to. */
  readonly replica: string;
}

/**
 * Stores what outlives connections and processes: the subscriptions of sessions, and how far each has acknowledged each room.
 * Client ids are hashed and topics are sealed.
 */
export class SessionLedger {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  /** The key of a client in the ledger. It depends on the account, so client ids of different accounts never collide. */
  async clientKey(userId: string, clientId: string): Promise<string> {
    return createHmac('sha256', await ownKey(this.keys, userStream(userId)))
      .update(clientId)
      .digest('base64url');
  }

  /** Begins a connection. A clean start deletes the previous session. */
  async begin(client: string, connecting: Connecting): Promise<BegunConnection> {
    const { userId, clientId, guest, address, cleanStart, keepSeconds, replica } = connecting;
    const whereabouts = await this.whereabouts(address, clientId);
    // One statement, because postgres.js ends the process when a connection is lost inside a transaction.
    const [row] = await this.sql<{ connection: string; former: string | null; sealed: string | null }[]>`
      with begun as (
        insert into desk.chatt_sessions as known
          (client, user_id, connection, replica, kept, keep_seconds, whereabouts, guest)
        values (
          ${client}, ${userId}, nextval('desk.chatt_connections'), ${replica}, ${keepSeconds > 0}, ${keepSeconds},
          ${whereabouts}, ${guest})
        on conflict (client) do update set
          connection = nextval('desk.chatt_connections'), former = known.replica, replica = excluded.replica, used_at = now(),
          whereabouts = excluded.whereabouts, kept = excluded.kept, keep_seconds = excluded.keep_seconds,
          sealed = case when not ${cleanStart} and known.kept and known.used_at > now() - make_interval(
            secs => known.keep_seconds + case when known.replica is null then 0 else ${UNNOTED_SECONDS}::int end)
            then known.sealed end
        returning connection, former, sealed),
      cleared as (delete from desk.chatt_places where client = ${client} and (select sealed is null from begun))
      select * from begun`;
    if (!row) throw new Error('The connection was not recorded.');
    const entry = { client, userId, connection: BigInt(row.connection) };
    const text = row.sealed === null ? null : await openOwn(this.keys, userStream(userId), row.sealed, client);
    return { entry, former: row.former, subscriptions: text === null ? null : JSON.parse(text) };
  }

  /** Stores the subscriptions of a session. */
  async keep({ client, userId, connection }: LedgerEntry, subscriptions: readonly KeptSubscription[]): Promise<void> {
    const sealed = sealText(JSON.stringify(subscriptions), await ownKey(this.keys, userStream(userId)), client);
    await this.sql`
      update desk.chatt_sessions set sealed = ${sealed}, used_at = now()
      where client = ${client} and connection = ${`${connection}`} and kept`;
    await this.sql`
      delete from desk.chatt_sessions where client in (
        select client from desk.chatt_sessions where user_id = ${userId} and kept and replica is null
        order by used_at desc offset ${MAX_KEPT})`;
  }

  /** The revision up to which the session has acknowledged each room. */
  async places({ client }: LedgerEntry): Promise<Map<string, bigint>> {
    const rows = await this.sql<{ room_id: string; revision: string }[]>`
      select room_id, revision from desk.chatt_places where client = ${client}`;
    return new Map(rows.map(({ room_id, revision }) => [room_id, BigInt(revision)]));
  }

  /** Stores how far sessions have acknowledged rooms, in one statement. A place never moves back. */
  async move(moves: readonly Move[]): Promise<void> {
    const rows = moves.flatMap(({ entry: { client }, places }) =>
      [...places].map(([roomId, revision]) => ({ client, roomId, revision: `${revision}` })),
    );
    if (rows.length === 0) return;
    await this.sql`
      insert into desk.chatt_places as known (client, room_id, revision)
      select place.* from unnest(
        ${rows.map(({ client }) => client)}::text[], ${rows.map(({ roomId }) => roomId)}::uuid[],
        ${rows.map(({ revision }) => revision)}::bigint[]) as place (client, room_id, revision)
      where exists (select from desk.chatt_sessions as s where s.client = place.client and s.kept)
      order by place.client, place.room_id
      on conflict (client, room_id) do update set revision = excluded.revision where known.revision < excluded.revision`;
  }

  /**
   * Ends a connection. `clean`: with DISCONNECT, so nothing will be sent again. `keepSeconds`: how long the session is kept from
   * now on.
   */
  async end({ client, connection }: LedgerEntry, clean: boolean, keepSeconds: number): Promise<void> {
    const number = `${connection}`;
    await this.sql`
      update desk.chatt_sessions set
        replica = null, used_at = now(), kept = ${keepSeconds > 0}, keep_seconds = ${keepSeconds}
      where client = ${client} and connection = ${number}`;
    if (clean)
      await this.sql`
        delete from desk.chatt_sessions where client = ${client} and connection = ${number} and not kept`;
  }

  /** Confirms that these are still connected. */
  async touch(entries: readonly LedgerEntry[]): Promise<void> {
    await this.sql`
      update desk.chatt_sessions set used_at = now() where client = any(${entries.map(({ client }) => client)}::text[])`;
  }

  /** The client connected from this address with this client id, if any. The account id is returned only for guests. */
  async connectedFrom(address: string, clientId: string): Promise<{ readonly guestId: string | null } | null> {
    const [row] = await this.sql<{ user_id: string; guest: boolean }[]>`
      select user_id, guest from desk.chatt_sessions
      where whereabouts = ${await this.whereabouts(address, clientId)} and replica is not null
        and used_at > now() - make_interval(mins => ${CONNECTED_MINUTES})
      order by guest desc limit 1`;
    return row ? { guestId: row.guest ? row.user_id : null } : null;
  }

  /** The clients among these that have a later connection. */
  async outdated(entries: readonly LedgerEntry[]): Promise<ReadonlySet<string>> {
    const rows = await this.sql<{ client: string }[]>`
      select client from unnest(
        ${entries.map(({ client }) => client)}::text[], ${entries.map(({ connection }) => `${connection}`)}::bigint[]
      ) as mine (client, connection)
      join desk.chatt_sessions s using (client) where s.connection > mine.connection`;
    return new Set(rows.map(({ client }) => client));
  }

  async sweep(): Promise<void> {
    await this.sql`
      delete from desk.chatt_sessions where used_at < now() - make_interval(secs => ${longestKept})
        or (replica is null and used_at < now() - greatest(
          make_interval(hours => ${repeatHours}),
          make_interval(secs => case when kept then keep_seconds else 0 end)))`;
  }

  private async whereabouts(address: string, clientId: string): Promise<string> {
    const key = (await this.keys.obtain([WHEREABOUTS_KEY])).get(WHEREABOUTS_KEY);
    if (!key) throw new Error('The key for whereabouts is missing.');
    return createHmac('sha256', key)
      .update(`${addressKey(address)}\n${clientId}`)
      .digest('base64url');
  }
}
