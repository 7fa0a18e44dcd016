import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type ErasureScope, type ExportScope, roomStream } from '@verbatim/domain';
import type { PostgresKeyRing } from '@verbatim/event-store';
import { cursorKey, isPlace, type Page, type PageRequest, toPage } from '@verbatim/projections';
import type { Sql } from 'postgres';

/** Exports of one person that are not finished, all that are kept for them, and unfinished ones of everybody. */
export const exportLimits = { unfinished: 3, kept: 50, ofAll: 1_000 } as const;

export type ExportStatus = 'queued' | 'running' | 'done' | 'failed';

/** An export as far as it has come. What was asked for in words stands in the log. */
export interface StoredExport {
  readonly id: string;
  readonly userId: string;
  readonly scope: ExportScope;
  readonly status: ExportStatus;
  /** Where its request stands in the event store. */
  readonly position: bigint;
  /** Raised when somebody else takes over: whoever has a lower one writes nothing any more. */
  readonly run: number;
  /** Raised when it begins anew. */
  readonly edition: number;
  /** Against which all is proved; null until it runs. */
  readonly checkpoint: ExportCheckpoint | null;
  /** The next revision of the room, or position in the store, to be read. */
  readonly cursor: bigint;
  /** Whether it was read from the beginning. */
  readonly fromStart: boolean;
  readonly chunks: number;
  readonly done: number;
  readonly total: number | null;
  readonly events: number;
  readonly firstOrdinal: number | null;
  readonly lastOrdinal: number | null;
  readonly bytes: number;
  readonly problem: string | null;
  readonly requestedAt: Date;
  readonly finishedAt: Date | null;
  /** When the bundle is deleted; null without one. */
  readonly expiresAt: Date | null;
  /** Seconds since it was requested, by the clock of the database. */
  readonly age: number;
}

export interface ExportCheckpoint {
  readonly tree: number;
  readonly size: number;
  readonly root: Buffer;
  /** With the cosignatures that it had. */
  readonly note: string;
  /** Of the last event that it covers. */
  readonly lastPosition: bigint;
}

/** What a run has added since it last stored something. */
export interface ExportProgress {
  readonly cursor: bigint;
  readonly done: number;
  readonly events: number;
  readonly firstOrdinal: number | null;
  readonly lastOrdinal: number | null;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** What a run has come across. */
export interface Met {
  /** Each with whether events were taken from it. */
  readonly streams: ReadonlyMap<string, boolean>;
  /** Ids of those who did what was taken, or whose account it is about. */
  readonly people: ReadonlySet<string>;
}

/** Exports with their bundles in chunks in the database, so that any replica continues one and sends it. */
export class StoredExports {
  constructor(
    private readonly sql: Sql,
    private readonly keys: PostgresKeyRing,
  ) {}

  /** Makes a place for an export that is about to be requested; false when there are too many. */
  async reserve(id: string, userId: string, { room, person, from, to }: ExportScope): Promise<boolean> {
    const { unfinished, kept, ofAll } = exportLimits;
    const [row] = await this.sql<{ there: boolean }[]>`
      with reserved as (
        insert into cache.exports (id, user_id, of_room, of_person, from_time, to_time)
        select ${id}, ${userId}, ${room ?? null}, ${person ?? null}, ${from ?? null}::timestamptz, ${to ?? null}::timestamptz
        where (select count(*) < ${kept} and count(*) filter (where status in ('queued', 'running')) < ${unfinished}
               from cache.exports where user_id = ${userId})
          and (select count(*) < ${ofAll} from cache.exports where status in ('queued', 'running'))
        on conflict (id) do nothing returning id)
      select exists (select from reserved) or exists (select from cache.exports where id = ${id}) as there`;
    return row?.there ?? false;
  }

  /** Lets it begin, now that its request stands in the log. */
  async accept(id: string, position: bigint): Promise<void> {
    await this.sql`update cache.exports set position = ${`${position}`} where id = ${id} and position is null`;
  }

  /** Gives the place up again: the request was refused. */
  async withdraw(id: string): Promise<void> {
    await this.sql`delete from cache.exports where id = ${id} and position is null`;
  }

  async find(id: string): Promise<StoredExport | null> {
    const [row] = await this.sql<ExportRow[]>`
      select *, extract(epoch from now() - requested_at)::float8 as age from cache.exports
      where id = ${id} and position is not null`;
    return row ? toExport(row) : null;
  }

  /** Those of one person, the newest first. */
  async listOf(userId: string, page: PageRequest): Promise<Page<StoredExport>> {
    const last = cursorKey(page, LIST, isPlace);
    const rows = await this.sql<ExportRow[]>`
      select *, extract(epoch from now() - requested_at)::float8 as age from cache.exports
      where user_id = ${userId} and position is not null ${last ? this.sql`and position < ${last[0]}` : this.sql``}
      order by position desc limit ${page.limit + 1}`;
    return toPage(rows, page, LIST, toExport, (row) => [`${row.position}`]);
  }

  // Running -----------------------------------------------------------------------------------------------------------

  /** The unfinished export that has waited longest for its turn, after it was taken from whoever had it. */
  async takeNext(): Promise<StoredExport | null> {
    const [row] = await this.sql<ExportRow[]>`
      update cache.exports set run = case status when 'running' then run + 1 else run end, turn_at = clock_timestamp()
      where id = (
        select id from cache.exports where status in ('queued', 'running') and position is not null
        order by turn_at limit 1)
      returning *, extract(epoch from now() - requested_at)::float8 as age`;
    return row ? toExport(row) : null;
  }

  /**
   * Begins a run. `awareOf`: the erasures under way whose texts this process does not open any more. Null when it was taken
   * away meanwhile.
   */
  async begin(
    { id, run }: StoredExport,
    { tree, size, root, note, lastPosition }: ExportCheckpoint,
    first: { readonly cursor: bigint; readonly total: number; readonly awareOf: readonly string[] },
  ): Promise<StoredExport | null> {
    const [row] = await this.sql<ExportRow[]>`
      update cache.exports set status = 'running', run = run + 1, aware_of = ${[...first.awareOf]}::text[],
        tree = ${tree}, size = ${size}, root = ${root}, note = ${note}, last_position = ${`${lastPosition}`},
        cursor = ${`${first.cursor}`}, begins_at = ${`${first.cursor}`}, total = ${first.total}
      where id = ${id} and run = ${run} and status = 'queued'
      returning *, extract(epoch from now() - requested_at)::float8 as age`;
    return row ? toExport(row) : null;
  }

  /** The streams among these that it has not come across yet. */
  async newStreams({ id }: StoredExport, streams: readonly string[]): Promise<string[]> {
    const rows = await this.sql<{ stream: string }[]>`
      select stream from unnest(${[...streams]}::text[]) as asked (stream)
      where not exists (select from cache.export_streams s where s.export = ${id} and s.stream = asked.stream)`;
    return rows.map(({ stream }) => stream);
  }

  /**
   * Stores what a run has come to, all or nothing; false when the export was taken away from it.
   */
  async add(
    of: StoredExport,
    { cursor, done, events, firstOrdinal, lastOrdinal, files }: ExportProgress,
    { streams, people }: Met,
  ): Promise<boolean> {
    const { sql } = this;
    const { id, run, chunks } = of;
    const key = chunks === 0 ? await this.newKeyOf(of) : await this.keyOf(of);
    if (!key) return false;
    const parts = [...files].filter(([, bytes]) => bytes.length > 0);
    const length = parts.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const rows = parts.map(
      ([file, bytes]) => sql`
        union all select ${file}::text, ${chunks}::int, ${bytes.length}::int, ${this.bytes(seal(bytes, key, placeOf(id, file, chunks)))}`,
    );
    const [row] = await sql<{ added: boolean }[]>`
      with added as (
        update cache.exports set cursor = ${`${cursor}`}, done = ${done}, events = ${events}, chunks = chunks + 1,
          first_ordinal = ${firstOrdinal}, last_ordinal = ${lastOrdinal}, bytes = bytes + ${length}, failures = 0,
          turn_at = clock_timestamp()
        where id = ${id} and run = ${run} and status = 'running' and chunks = ${chunks} returning id),
      stored as (
        insert into cache.export_chunks (export, file, number, length, sealed)
        select added.id, chunk.* from added, (
          select null::text, null::int, null::int, null::bytea where false ${rows.length > 0 ? rows : sql``}) as chunk),
      known as (
        insert into cache.export_streams as s (export, stream, taken)
        select added.id, name, name = any(${[...streams.keys()].filter((stream) => streams.get(stream))}::text[])
        from added, unnest(${[...streams.keys()]}::text[]) as met (name)
        on conflict (export, stream) do update set taken = true where excluded.taken and not s.taken),
      written as (
        insert into cache.export_people (export, person)
        select added.id, person from added, unnest(${[...people]}::text[]) as met (person) on conflict do nothing)
      select exists (select from added) as added`;
    return row?.added ?? false;
  }

  /**
   * Stores the files that come first in a bundle, and says that it is done, with so many bytes, and kept for so many days;
   * false when it was taken away.
   */
  async finish(
    of: StoredExport,
    first: ReadonlyMap<string, Buffer>,
    { bytes, days }: { readonly bytes: number; readonly days: number },
  ): Promise<boolean> {
    const { sql } = this;
    const { id, run } = of;
    const key = await this.keyOf(of);
    if (!key) return false;
    const rows = [...first].map(
      ([file, content]) => sql`
        union all select ${file}::text, 0, ${content.length}::int, ${this.bytes(seal(content, key, placeOf(id, file, 0)))}`,
    );
    const [row] = await sql<{ finished: boolean }[]>`
      with finished as (
        update cache.exports set status = 'done', bytes = ${bytes}, finished_at = now(),
          expires_at = now() + make_interval(days => ${days})
        where id = ${id} and run = ${run} and status = 'running' returning id),
      stored as (
        insert into cache.export_chunks (export, file, number, length, sealed)
        select finished.id, chunk.* from finished, (
          select null::text, null::int, null::int, null::bytea where false ${rows.length > 0 ? rows : sql``}) as chunk)
      select exists (select from finished) as finished`;
    return row?.finished ?? false;
  }

  /** Streams from which events were taken. */
  async streamsIn({ id }: StoredExport): Promise<number> {
    const [row] = await this.sql<{ streams: string }[]>`
      select count(*) as streams from cache.export_streams where export = ${id} and taken`;
    return Number(row?.streams);
  }

  /** Gives an export up for good; what it has made is deleted. */
  async fail({ id, run }: StoredExport, problem: string): Promise<void> {
    const [row] = await this.sql`
      update cache.exports set status = 'failed', problem = ${problem}, finished_at = now(), bytes = 0
      where id = ${id} and run = ${run} and status in ('queued', 'running') returning id`;
    if (row) await this.empty(id);
  }

  /** Counts that a turn has failed, and answers how often it did in a row. */
  async stumbled({ id, run }: StoredExport): Promise<number> {
    const [row] = await this.sql<{ failures: number }[]>`
      update cache.exports set failures = failures + 1, turn_at = clock_timestamp()
      where id = ${id} and run = ${run} returning failures`;
    return row?.failures ?? 0;
  }

  // Bundles -----------------------------------------------------------------------------------------------------------

  /** Length of each file that there is. */
  async lengths(id: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.sql<{ file: string; length: string }[]>`
      select file, sum(length) as length from cache.export_chunks where export = ${id} group by file`;
    return new Map(rows.map(({ file, length }) => [file, Number(length)]));
  }

  /** The content of a file, chunk by chunk. Throws ExportGone when it was deleted meanwhile. */
  async *content(of: StoredExport, file: string, length: number): AsyncGenerator<Buffer> {
    const { id } = of;
    const key = await this.keyOf(of);
    if (!key && length > 0) throw new ExportGone();
    let left = length;
    for (let number = -1; left > 0; ) {
      const [chunk] = await this.sql<{ number: number; sealed: Buffer }[]>`
        select number, sealed from cache.export_chunks
        where export = ${id} and file = ${file} and number > ${number} order by number limit 1`;
      const bytes = chunk && key ? open(chunk.sealed, key, placeOf(id, file, chunk.number)) : null;
      if (!chunk || !bytes) throw new ExportGone();
      number = chunk.number;
      left -= bytes.length;
      yield bytes;
    }
  }

  /** Bytes of all bundles that are kept, or are being made. */
  async storedBytes(): Promise<number> {
    const [row] = await this.sql<{ bytes: string }[]>`select coalesce(sum(bytes), 0) as bytes from cache.exports`;
    return Number(row?.bytes);
  }

  async unfinished(): Promise<number> {
    const [row] = await this.sql<{ waiting: string }[]>`
      select count(*) as waiting from cache.exports where status in ('queued', 'running') and position is not null`;
    return Number(row?.waiting);
  }

  // Forgetting --------------------------------------------------------------------------------------------------------

  /**
   * Deletes bundles that hold something of the scope of an erasure that has begun, of which nothing can be taken out: finished
   * ones are of no use any more, and those that may come across it begin anew. Those whose run was aware of the erasure hold
   * nothing of it. Doing it again changes nothing more.
   */
  async forget(erasureId: string, scope: ErasureScope): Promise<void> {
    const rows = await this.sql<{ id: string }[]>`
      update cache.exports set run = run + 1, edition = edition + 1, chunks = 0, cursor = 0, done = 0, total = null, events = 0, bytes = 0,
        first_ordinal = null, last_ordinal = null, aware_of = '{}',
        status = case status when 'done' then 'failed' else 'queued' end,
        problem = case status when 'done' then ${ERASED} end
      where not ${erasureId} = any(aware_of) and ${this.mayHold(scope)}
        and (status = 'running' or (status = 'done' and ${this.holds(scope)}))
      returning id`;
    for (const { id } of rows) await this.empty(id);
    if (scope.kind === 'person') await this.forgetRequestsOf(scope.userId);
  }

  private async forgetRequestsOf(userId: string): Promise<void> {
    const rows = await this.sql<{ id: string }[]>`delete from cache.exports where user_id = ${userId} returning id`;
    for (const { id } of rows) await this.destroyKeys(id);
  }

  /** Deletes exports that have expired, those that failed a week ago, and those that were never requested after all. */
  async sweep(): Promise<void> {
    const rows = await this.sql<{ id: string }[]>`
      delete from cache.exports
      where coalesce(expires_at, finished_at + interval '7 days') < now()
        or (position is null and requested_at < now() - interval '1 hour')
      returning id`;
    for (const { id } of rows) await this.destroyKeys(id);
    // Of exports that a restored backup does not have, or a process that was cut off made once more.
    const orphans = await this.sql<{ name: string }[]>`
      select name from vault.keys k where name like ${`${KEY}|%`}
        and not exists (select from cache.exports e where e.id::text = split_part(k.name, '|', 2)) limit 10000`;
    await this.keys.destroy(orphans.map(({ name }) => name));
  }

  private mayHold(scope: ErasureScope) {
    const { sql } = this;
    const room = (id: string) => sql`(of_room is null or of_room = ${id})`;
    switch (scope.kind) {
      case 'person':
        return sql`(of_person is null or of_person = ${scope.userId})`;
      case 'room':
        return room(scope.roomId);
      case 'message':
        return sql`${room(scope.roomId)} and (of_person is null or of_person = ${scope.authorId})`;
      case 'days':
        return sql`${room(scope.roomId)}
          and (from_time is null or (from_time at time zone 'utc')::date <= ${scope.to}::date)
          and (to_time is null or (to_time at time zone 'utc')::date >= ${scope.from}::date)`;
    }
  }

  /** Whether a bundle that is done has something of the room or the person. */
  private holds(scope: ErasureScope) {
    return scope.kind === 'person'
      ? this.sql`exists (select from cache.export_people p where p.export = id and p.person = ${scope.userId})`
      : this.sql`exists (
          select from cache.export_streams s where s.export = id and s.taken and s.stream = ${roomStream(scope.roomId)})`;
  }

  private async empty(id: string): Promise<void> {
    await this.destroyKeys(id);
    await this.sql`delete from cache.export_chunks where export = ${id}`;
    await this.sql`delete from cache.export_streams where export = ${id}`;
    await this.sql`delete from cache.export_people where export = ${id}`;
  }

  private async destroyKeys(id: string): Promise<void> {
    await this.keys.destroy(await this.keys.namesIn({ stream: KEY, person: id }, 1_000));
  }

  /** Bytes as a text of base64, which is shorter than the digits that the client would send. */
  private bytes(content: Buffer) {
    return this.sql`decode(${content.toString('base64')}, 'base64')`;
  }

  /**
   * The key that an edition begins with; null when the export was taken away. The row is locked meanwhile: an erasure that
   * destroys the keys of an export raises its run first, so none comes to be after that.
   */
  private async newKeyOf({ id, edition, run }: StoredExport): Promise<Buffer | null> {
    const name = keyName(id, edition);
    const running = this.sql`
      exists (
        select from cache.exports
        where id = ${id} and run = ${run} and edition = ${edition} and status = 'running' and chunks = 0 for share)`;
    return (await this.keys.obtain([name], running)).get(name) ?? null;
  }

  /** Of each edition another one, because processes remember keys. Null when it was destroyed: reading creates none. */
  private async keyOf({ id, edition }: Pick<StoredExport, 'id' | 'edition'>): Promise<Buffer | null> {
    const name = keyName(id, edition);
    return (await this.keys.find([name])).get(name) ?? null;
  }
}

/** The bundle was deleted while it was read. */
export class ExportGone extends Error {
  constructor() {
    super('The bundle was deleted meanwhile.');
    this.name = 'ExportGone';
  }
}

const keyName = (id: string, edition: number): string => `${KEY}|${id}|${edition}`;

const LIST = 'exports';
const KEY = 'export';
const ERASED = 'Something that may have been in it was erased. Request the export again.';

const placeOf = (id: string, file: string, number: number): string => `${id}|${file}|${number}`;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function seal(bytes: Buffer, key: Buffer, place: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function open(sealed: Buffer, key: Buffer, place: string): Buffer | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

interface ExportRow {
  id: string;
  user_id: string;
  of_room: string | null;
  of_person: string | null;
  from_time: Date | null;
  to_time: Date | null;
  requested_at: Date;
  position: string;
  status: ExportStatus;
  run: number;
  edition: number;
  tree: number | null;
  size: string | null;
  root: Buffer | null;
  note: string | null;
  last_position: string | null;
  begins_at: string | null;
  cursor: string;
  chunks: number;
  done: string;
  total: string | null;
  events: string;
  first_ordinal: string | null;
  last_ordinal: string | null;
  bytes: string;
  problem: string | null;
  finished_at: Date | null;
  expires_at: Date | null;
  age: number;
}

const orNull = (value: string | null): number | null => (value === null ? null : Number(value));

function toExport(row: ExportRow): StoredExport {
  const { tree, size, root, note, last_position: last } = row;
  return {
    id: row.id,
    userId: row.user_id,
    scope: {
      ...(row.of_room !== null && { room: row.of_room }),
      ...(row.of_person !== null && { person: row.of_person }),
      ...(row.from_time !== null && { from: row.from_time.toISOString() }),
      ...(row.to_time !== null && { to: row.to_time.toISOString() }),
    },
    status: row.status,
    position: BigInt(row.position),
    run: row.run,
    edition: row.edition,
    checkpoint:
      tree === null || size === null || root === null || note === null || last === null
        ? null
        : { tree, size: Number(size), root, note, lastPosition: BigInt(last) },
    cursor: BigInt(row.cursor),
    fromStart: row.begins_at === '0',
    chunks: row.chunks,
    done: Number(row.done),
    total: orNull(row.total),
    events: Number(row.events),
    firstOrdinal: orNull(row.first_ordinal),
    lastOrdinal: orNull(row.last_ordinal),
    bytes: Number(row.bytes),
    problem: row.problem,
    requestedAt: row.requested_at,
    finishedAt: row.finished_at,
    expiresAt: row.status === 'done' ? row.expires_at : null,
    age: row.age,
  };
}
