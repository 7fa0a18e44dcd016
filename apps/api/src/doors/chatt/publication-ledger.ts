import { createHmac } from 'node:crypto';
import type { KeyRing } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { newId } from '../../new-id.js';
import { accountKey, type LedgerEntry } from './session-ledger.js';
import { repeatHours } from './terms.js';

export const publicationLimits = {
  /** Publications of a client that are remembered, the newest; and those after which it is looked whether there are more. */
  remembered: 2_000,
  between: 1_000,
  /** Publications, of all clients together, that are recorded in one statement. */
  together: 1_000,
} as const;

/** A text that a client published at QoS 1 or 2. */
export interface Published {
  readonly packetId: number;
  /** What makes it the same text: topic and payload. */
  readonly content: string;
}

/** The texts of one client that wait to be recorded. */
interface Asked {
  readonly entry: LedgerEntry;
  readonly texts: readonly Published[];
  /** Keyed hashes of what makes them the same. */
  readonly contents: readonly string[];
  readonly resolve: (ids: ReadonlyMap<number, string>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Which text was published under which packet id, so that one that comes again is known.
 *
 * A client sends a text again only as long as it has seen no acknowledgement of it. Acknowledgements go out in the order of the
 * texts, over a connection that keeps the order: so the texts of which the acknowledgement may have been lost are the newest
 * ones, whatever their packet ids are, and also where these begin again after 65,535. Of each client the newest 2,000 are
 * remembered. That is more than can be under way: a client of MQTT 5 may have 1,000 (`receiveMaximum`), and one of 3.1.1,
 * which knows no such limit, has what fits on the line between two acknowledgements, and usually 20. Should it have been more,
 * the oldest may become two messages. Whatever is a day old is a new text as well.
 */
export class PublicationLedger {
  private waiting: Asked[] = [];
  private recording = false;
  /** What each client has published since its rows were last counted. */
  private readonly uncounted = new Map<string, number>();

  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly limits: { readonly remembered: number; readonly between: number } = publicationLimits,
  ) {}

  /**
   * The ids under which texts are to be posted. A text gets the id that it had, if the client published it under the same packet
   * id on an earlier connection, and none of those was ended with DISCONNECT: then its acknowledgement was lost. This has
   * to be stored before the text is; that is why the commit need not wait for the disk, which the text's own will.
   *
   * A text gets none if the client has connected again meanwhile: it has sent the text on its new connection, or will. That
   * happens when this replica stood still with the text in its socket.
   */
  async messageIds(entry: LedgerEntry, texts: readonly Published[]): Promise<ReadonlyMap<number, string>> {
    const key = await accountKey(this.keys, entry.userId);
    const contents = texts.map(({ content }) => createHmac('sha256', key).update(content).digest('base64url'));
    const ids = await new Promise<ReadonlyMap<number, string>>((resolve, reject) => {
      this.waiting.push({ entry, texts, contents, resolve, reject });
      if (!this.recording) void this.record();
    });
    await this.count(entry.client, texts.length);
    return ids;
  }

  /** A connection has ended; `clean`: with DISCONNECT, after which nothing is sent again. */
  async end({ client, connection }: LedgerEntry, clean: boolean): Promise<void> {
    if (clean)
      await this.sql`delete from desk.chatt_publications where client = ${client} and connection <= ${`${connection}`}`;
    else if (this.uncounted.has(client)) await this.forgetOldest(client);
    this.uncounted.delete(client);
  }

  async sweep(): Promise<void> {
    await this.sql`delete from desk.chatt_publications where message_id < ${oldestId()}`;
  }

  /** Records what is waiting, of all clients together: while one statement is under way, the texts for the next one gather. */
  private async record(): Promise<void> {
    this.recording = true;
    while (this.waiting.length > 0) {
      const batch = this.take();
      try {
        const found = await this.store(batch);
        for (const { entry, resolve } of batch) resolve(found.get(entry.client) ?? new Map());
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.recording = false;
  }

  /** Each client once: no row can be written twice in a statement. */
  private take(): Asked[] {
    const batch = new Map<string, Asked>();
    const left: Asked[] = [];
    let size = 0;
    for (const asked of this.waiting) {
      size += asked.texts.length;
      const fits = batch.size === 0 || size <= publicationLimits.together;
      if (fits && !batch.has(asked.entry.client)) batch.set(asked.entry.client, asked);
      else left.push(asked);
    }
    this.waiting = left;
    return [...batch.values()];
  }

  private async store(batch: readonly Asked[]): Promise<Map<string, Map<number, string>>> {
    const all = batch.flatMap(({ entry, texts, contents }) =>
      texts.map(({ packetId }, i) => ({ entry, packetId: `${packetId}`, content: contents[i] as string, id: newId() })),
    );
    const rows = await this.sql<{ client: string; packet_id: number; message_id: string }[]>`
      with quick as (select set_config('synchronous_commit', 'off', true))
      insert into desk.chatt_publications as known (client, packet_id, content, message_id, connection)
      select text.* from quick, unnest(
        ${all.map(({ entry }) => entry.client)}::text[], ${all.map(({ packetId }) => packetId)}::bigint[],
        ${all.map(({ content }) => content)}::text[], ${all.map(({ id }) => id)}::uuid[],
        ${all.map(({ entry }) => `${entry.connection}`)}::bigint[]
      ) as text (client, packet_id, content, message_id, connection)
      where exists (
        select from desk.chatt_sessions as s where s.client = text.client and s.connection = text.connection)
      order by text.client, text.packet_id
      on conflict (client, packet_id) do update set
        message_id = case when known.content = excluded.content and known.connection < excluded.connection
          and known.message_id >= ${oldestId()} then known.message_id else excluded.message_id end,
        content = excluded.content, connection = excluded.connection
      where known.connection <= excluded.connection
      returning client, packet_id, message_id`;
    const found = new Map<string, Map<number, string>>();
    for (const { client, packet_id, message_id } of rows)
      found.set(client, (found.get(client) ?? new Map()).set(packet_id, message_id));
    return found;
  }

  private async count(client: string, published: number): Promise<void> {
    const count = (this.uncounted.get(client) ?? 0) + published;
    this.uncounted.set(client, count);
    if (count >= this.limits.between) await this.forgetOldest(client);
  }

  /** Ids of messages begin with the time, so they say what is older; to the millisecond, which is near enough. */
  private async forgetOldest(client: string): Promise<void> {
    this.uncounted.set(client, 0);
    await this.sql`
      delete from desk.chatt_publications where client = ${client} and packet_id in (
        select packet_id from desk.chatt_publications where client = ${client}
        order by connection desc, message_id desc offset ${this.limits.remembered})`;
  }
}

/** Ids of messages that are older than what is remembered are smaller than this. */
function oldestId(): string {
  const time = (Date.now() - repeatHours * 3_600_000).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
