import { createHmac } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { type KeyRing, ownKeyName, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import { addressKey } from '../../limits/address-key.js';
import { newId } from '../../new-id.js';
import { openOwn } from '../../storage/vault/own-key.js';

const WHEREABOUTS_KEY = 'chatt whereabouts';
/** Days after which a session that nobody uses is forgotten, and hours for what a client may send again. */
const KEEP_DAYS = 30;
const REPEAT_HOURS = 24;
/** Minutes after which somebody is not taken for connected any more, if their replica has not noted it again. */
const CONNECTED_MINUTES = 10;
/** Kept sessions of an account. Past these the longest unused one goes. */
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
  ],
};

/** A subscription as it is kept. */
export interface KeptSubscription {
  readonly filter: string;
  readonly qos: 0 | 1;
}

/** A connection of a client, as the ledger knows it. Each has a higher number than the one before it. */
export interface LedgerEntry {
  readonly client: string;
  readonly userId: string;
  readonly connection: bigint;
}

export interface BegunConnection {
  readonly entry: LedgerEntry;
  /** The replica at which the client was connected and may still be; null: at none. */
  readonly former: string | null;
  /** The subscriptions of the session; null if there is no session to be continued. */
  readonly subscriptions: readonly KeptSubscription[] | null;
}

/** Who connects, and how. */
export interface Connecting {
  readonly userId: string;
  readonly clientId: string;
  readonly guest: boolean;
  /** Of the client. */
  readonly address: string;
  /** Whether it wants no session to be kept. */
  readonly clean: boolean;
  /** Where it connects. */
  readonly replica: string;
}

/** A text that a client published at QoS 1 or 2. */
export interface Published {
  readonly packetId: number;
  /** What makes it the same text: topic and payload. */
  readonly content: string;
}

/**
 * What has to outlive connections and processes: the subscriptions of sessions that are kept, how far each has acknowledged
 * each room, and which text was published under which packet id. Neither client ids nor topics are in the database in plain form.
 */
export class SessionLedger {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  /** What stands for a client. Client ids are apart for each account, so nobody can end the connections of another. */
  async clientKey(userId: string, clientId: string): Promise<string> {
    return createHmac('sha256', await this.keyOf(userId))
      .update(clientId)
      .digest('base64url');
  }

  /** Begins a connection. A clean one ends the session before it. */
  async begin(client: string, connecting: Connecting): Promise<BegunConnection> {
    const { userId, clientId, guest, address, clean, replica } = connecting;
    const whereabouts = await this.whereabouts(address, clientId);
    // One statement, because postgres.js ends the process when a connection is lost inside a transaction.
    const [row] = await this.sql<{ connection: string; former: string | null; kept: boolean; sealed: string | null }[]>`
      with begun as (
        insert into desk.chatt_sessions as known (client, user_id, connection, replica, kept, whereabouts, guest)
        values (
          ${client}, ${userId}, nextval('desk.chatt_connections'), ${replica}, ${!clean}, ${whereabouts}, ${guest})
        on conflict (client) do update set
          connection = nextval('desk.chatt_connections'), former = known.replica, replica = excluded.replica, used_at = now(),
          whereabouts = excluded.whereabouts,
          kept = excluded.kept, sealed = case when excluded.kept and known.kept then known.sealed end
        returning connection, former, kept, sealed),
      cleared as (delete from desk.chatt_places where client = ${client} and ${clean})
      select * from begun`;
    if (!row) throw new Error('The connection was not recorded.');
    const entry = { client, userId, connection: BigInt(row.connection) };
    const text = row.sealed === null ? null : await openOwn(this.keys, userStream(userId), row.sealed, client);
    return { entry, former: row.former, subscriptions: text === null ? null : JSON.parse(text) };
  }

  /** Keeps the subscriptions of a session. */
  async keep({ client, userId, connection }: LedgerEntry, subscriptions: readonly KeptSubscription[]): Promise<void> {
    const sealed = sealText(JSON.stringify(subscriptions), await this.keyOf(userId), client);
    await this.sql`
      update desk.chatt_sessions set sealed = ${sealed}, used_at = now()
      where client = ${client} and connection = ${`${connection}`} and kept`;
    await this.sql`
      delete from desk.chatt_sessions where client in (
        select client from desk.chatt_sessions where user_id = ${userId} and kept and replica is null
        order by used_at desc offset ${MAX_KEPT})`;
  }

  /** The revision of each room through which the session has acknowledged everything. */
  async places({ client }: LedgerEntry): Promise<Map<string, bigint>> {
    const rows = await this.sql<{ room_id: string; revision: string }[]>`
      select room_id, revision from desk.chatt_places where client = ${client}`;
    return new Map(rows.map(({ room_id, revision }) => [room_id, BigInt(revision)]));
  }

  /** Records how far rooms are acknowledged. A place never moves back. */
  async move({ client }: LedgerEntry, places: ReadonlyMap<string, bigint>): Promise<void> {
    if (places.size === 0) return;
    await this.sql`
      insert into desk.chatt_places as known (client, room_id, revision)
      select ${client}, place.* from unnest(
        ${[...places.keys()]}::uuid[], ${[...places.values()].map(String)}::bigint[]) as place (room_id, revision)
      where exists (select from desk.chatt_sessions where client = ${client} and kept)
      on conflict (client, room_id) do update set revision = excluded.revision where known.revision < excluded.revision`;
  }

  /**
   * The ids under which texts are to be posted. A text gets the id that it had, if the client published it under the same packet
   * id on an earlier connection, and none of those was ended with DISCONNECT: then its acknowledgement was lost. This has
   * to be stored before the text is; that is why the commit need not wait for the disk, which the text's own will.
   *
   * A text gets none if the client has connected again meanwhile: it has sent the text on its new connection, or will. That
   * happens when this replica stood still with the text in its socket.
   */
  async messageIds(
    { client, userId, connection }: LedgerEntry,
    texts: readonly Published[],
  ): Promise<ReadonlyMap<number, string>> {
    const key = await this.keyOf(userId);
    const contents = texts.map(({ content }) => createHmac('sha256', key).update(content).digest('base64url'));
    const rows = await this.sql<{ packet_id: number; message_id: string }[]>`
      with quick as (select set_config('synchronous_commit', 'off', true))
      insert into desk.chatt_publications as known (client, packet_id, content, message_id, connection)
      select ${client}, text.*, ${`${connection}`}::bigint from quick, unnest(
        ${texts.map(({ packetId }) => packetId)}::int[], ${contents}::text[], ${texts.map(() => newId())}::uuid[]
      ) as text (packet_id, content, message_id)
      where exists (select from desk.chatt_sessions where client = ${client} and connection = ${`${connection}`})
      on conflict (client, packet_id) do update set
        message_id = case when known.content = excluded.content and known.connection < excluded.connection
          then known.message_id else excluded.message_id end,
        content = excluded.content, connection = excluded.connection
      where known.connection <= excluded.connection
      returning packet_id, message_id`;
    return new Map(rows.map((row) => [row.packet_id, row.message_id]));
  }

  /** A connection has ended; `clean`: with DISCONNECT, after which nothing is sent again. */
  async end({ client, connection }: LedgerEntry, clean: boolean): Promise<void> {
    const number = `${connection}`;
    if (clean) await this.sql`delete from desk.chatt_publications where client = ${client} and connection <= ${number}`;
    await this.sql`
      update desk.chatt_sessions set replica = null, used_at = now() where client = ${client} and connection = ${number}`;
    if (clean)
      await this.sql`
        delete from desk.chatt_sessions where client = ${client} and connection = ${number} and not kept`;
  }

  /** These are still connected. */
  async touch(entries: readonly LedgerEntry[]): Promise<void> {
    await this.sql`
      update desk.chatt_sessions set used_at = now() where client = any(${entries.map(({ client }) => client)}::text[])`;
  }

  /** Who is connected from this address with this client id; the id of a guest only. */
  async connectedFrom(address: string, clientId: string): Promise<{ readonly guestId: string | null } | null> {
    const [row] = await this.sql<{ user_id: string; guest: boolean }[]>`
      select user_id, guest from desk.chatt_sessions
      where whereabouts = ${await this.whereabouts(address, clientId)} and replica is not null
        and used_at > now() - make_interval(mins => ${CONNECTED_MINUTES})
      order by guest desc limit 1`;
    return row ? { guestId: row.guest ? row.user_id : null } : null;
  }

  /** Of these connections, those that are not the latest of their clients any more. */
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
      delete from desk.chatt_sessions where used_at < now() - make_interval(days => ${KEEP_DAYS})
        or (not kept and replica is null and used_at < now() - make_interval(hours => ${REPEAT_HOURS}))`;
  }

  private async whereabouts(address: string, clientId: string): Promise<string> {
    const key = (await this.keys.obtain([WHEREABOUTS_KEY])).get(WHEREABOUTS_KEY);
    if (!key) throw new Error('There is no key for whereabouts.');
    return createHmac('sha256', key)
      .update(`${addressKey(address)}\n${clientId}`)
      .digest('base64url');
  }

  /** The account's own key: once it is destroyed, nothing here can be told any more. */
  private async keyOf(userId: string): Promise<Buffer> {
    const name = ownKeyName(userStream(userId));
    const key = (await this.keys.obtain([name])).get(name);
    if (!key) throw new Error('The key of the account was destroyed.');
    return key;
  }
}
