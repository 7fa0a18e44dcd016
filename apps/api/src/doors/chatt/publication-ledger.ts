import { createHmac } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { type KeyRing, ownKey } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { newId } from '../../new-id.js';
import type { LedgerEntry } from './session-ledger.js';
import { repeatHours } from './terms.js';

export const publicationLimits = {
  /** Rows kept per client: its newest publications. */
  perClient: 2_000,
  /** Publications of a client after which its older rows are deleted. */
  between: 1_000,
  /** Rows kept in total, about 250 MB with their index. The oldest are deleted first. */
  total: 1_000_000,
  /** Rows per statement. */
  batch: 1_000,
} as const;

/** A text that a client published at QoS 1 or 2. */
export interface Published {
  readonly packetId: number;
  /** Topic and payload: a repeated text has the same. */
  readonly content: string;
}

/** The texts of one client that wait to be recorded. */
interface Waiting {
  readonly entry: LedgerEntry;
  readonly texts: readonly Published[];
  /** Keyed hashes of the contents. */
  readonly hashes: readonly string[];
  readonly resolve: (ids: ReadonlyMap<number, string>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Recognizes texts that a client sends again because it has seen no acknowledgement.
 *
 * Acknowledgements go out in the order of the texts, so those that may have been lost belong to the client's newest texts,
 * even after packet ids wrap around at 65,535. The ledger therefore keeps the newest 2,000 texts per client. A client of
 * MQTT 5 can have 1,000 in flight (`receiveMaximum`); MQTT 3.1.1 has no such limit, but its clients usually have 20. If one
 * had more than 2,000 in flight, its oldest could become two messages. After a day a repeated text is a new message.
 *
 * A row has a fixed size, because it holds a hash of the content.
 */
export class PublicationLedger {
  private waiting: Waiting[] = [];
  private recording = false;
  /** Publications per client since its older rows were last deleted. */
  private readonly uncounted = new Map<string, number>();

  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly limits: Readonly<Record<'perClient' | 'between' | 'total', number>> = publicationLimits,
  ) {}

  /**
   * The message id for each text, by packet id. A text keeps its id if the client published it under the same packet id on an
   * earlier connection that did not end with DISCONNECT. The ids are stored before the texts are. Their commit does not wait
   * for the disk, because the commit of the texts does.
   *
   * The result is empty if the client has connected again since: it sends the texts on the new connection. This happens when
   * a replica stalled with texts in its socket.
   */
  async messageIds(entry: LedgerEntry, texts: readonly Published[]): Promise<ReadonlyMap<number, string>> {
    const key = await ownKey(this.keys, userStream(entry.userId));
    const hashes = texts.map(({ content }) => createHmac('sha256', key).update(content).digest('base64url'));
    const ids = await new Promise<ReadonlyMap<number, string>>((resolve, reject) => {
      this.waiting.push({ entry, texts, hashes, resolve, reject });
      if (!this.recording) void this.record();
    });
    await this.count(entry.client, texts.length);
    return ids;
  }

  /** Call when a connection has ended. `clean`: with DISCONNECT, so nothing will be sent again. */
  async end({ client, connection }: LedgerEntry, clean: boolean): Promise<void> {
    if (clean)
      await this.sql`delete from desk.chatt_publications where client = ${client} and connection <= ${`${connection}`}`;
    else if (this.uncounted.has(client)) await this.deleteOlder(client);
    this.uncounted.delete(client);
  }

  /** Deletes what is a day old, and the oldest rows beyond the total. */
  async sweep(): Promise<void> {
    await this.sql`delete from desk.chatt_publications where message_id < ${expiredId()}`;
    await this.sql`
      delete from desk.chatt_publications where message_id <= (
        select message_id from desk.chatt_publications order by message_id desc offset ${this.limits.total} limit 1)`;
  }

  /** Records the waiting texts of all clients together. The next batch gathers while a statement is running. */
  private async record(): Promise<void> {
    this.recording = true;
    while (this.waiting.length > 0) {
      const batch = this.takeBatch();
      try {
        const ids = await this.store(batch);
        for (const { entry, resolve } of batch) resolve(ids.get(entry.client) ?? new Map());
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.recording = false;
  }

  /** Takes each client once, because a statement cannot write the same row twice. */
  private takeBatch(): Waiting[] {
    const batch = new Map<string, Waiting>();
    const left: Waiting[] = [];
    let size = 0;
    for (const one of this.waiting) {
      size += one.texts.length;
      const fits = batch.size === 0 || size <= publicationLimits.batch;
      if (fits && !batch.has(one.entry.client)) batch.set(one.entry.client, one);
      else left.push(one);
    }
    this.waiting = left;
    return [...batch.values()];
  }

  private async store(batch: readonly Waiting[]): Promise<Map<string, Map<number, string>>> {
    const rows = batch.flatMap(({ entry, texts, hashes }) =>
      texts.map(({ packetId }, i) => ({ entry, packetId: `${packetId}`, hash: hashes[i] as string, id: newId() })),
    );
    const stored = await this.sql<{ client: string; packet_id: number; message_id: string }[]>`
      with quick as (select set_config('synchronous_commit', 'off', true))
      insert into desk.chatt_publications as known (client, packet_id, content, message_id, connection)
      select text.* from quick, unnest(
        ${rows.map(({ entry }) => entry.client)}::text[], ${rows.map(({ packetId }) => packetId)}::bigint[],
        ${rows.map(({ hash }) => hash)}::text[], ${rows.map(({ id }) => id)}::uuid[],
        ${rows.map(({ entry }) => `${entry.connection}`)}::bigint[]
      ) as text (client, packet_id, content, message_id, connection)
      where exists (
        select from desk.chatt_sessions as s where s.client = text.client and s.connection = text.connection)
      order by text.client, text.packet_id
      on conflict (client, packet_id) do update set
        message_id = case when known.content = excluded.content and known.connection < excluded.connection
          and known.message_id >= ${expiredId()} then known.message_id else excluded.message_id end,
        content = excluded.content, connection = excluded.connection
      where known.connection <= excluded.connection
      returning client, packet_id, message_id`;
    const ids = new Map<string, Map<number, string>>();
    for (const { client, packet_id, message_id } of stored)
      ids.set(client, (ids.get(client) ?? new Map()).set(packet_id, message_id));
    return ids;
  }

  private async count(client: string, published: number): Promise<void> {
    const count = (this.uncounted.get(client) ?? 0) + published;
    this.uncounted.set(client, count);
    if (count >= this.limits.between) await this.deleteOlder(client);
  }

  /** Message ids begin with their time, so they sort by age. */
  private async deleteOlder(client: string): Promise<void> {
    this.uncounted.set(client, 0);
    await this.sql`
      delete from desk.chatt_publications where client = ${client} and packet_id in (
        select packet_id from desk.chatt_publications where client = ${client}
        order by connection desc, message_id desc offset ${this.limits.perClient})`;
  }
}

/** Smaller than the ids of messages that are still remembered, and larger than those of older ones. */
function expiredId(): string {
  const time = (Date.now() - repeatHours * 3_600_000).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
