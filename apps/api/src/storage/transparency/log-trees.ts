import {
  addSignatures,
  encodeNote,
  HASH_BYTES,
  isFault,
  type NoteSignature,
  parseNote,
  parseVerifierKey,
  type Tile,
  type TileId,
  type TileReader,
  tileBytes,
} from '@verbatim/transparency';
import type { Sql } from 'postgres';

/** A tree over the events of the log. The one with the highest number grows. */
export interface LogTree {
  readonly number: number;
  readonly origin: string;
  /** Events that it covers. */
  readonly size: number;
  /** The position of the last one in the event store, and its hash; null for an empty tree. */
  readonly last: { readonly position: bigint; readonly hash: string } | null;
  /** The size of the newest checkpoint that reached its quorum. */
  readonly published: number | null;
  /** Since when newer ones have lacked a quorum. */
  readonly belowQuorumSince: Date | null;
  /** Why signing is halted, in one sentence; null when it is not. */
  readonly halted: string | null;
  /** The verifier key of a witness that has a larger checkpoint than the newest one here. */
  readonly witnessAhead: string | null;
}

/** The growth of a tree: the tiles that are new or wider, and the new size with its root. */
export interface Growth {
  readonly size: number;
  readonly root: Buffer;
  readonly last: NonNullable<LogTree['last']>;
  /** Entry bundles carry the position of their first event. */
  readonly tiles: readonly (Tile & { readonly firstPosition?: bigint })[];
}

/** A checkpoint as stored. `note` is null from the decision to sign until the signature. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string | null;
}

export interface Cosignature {
  /** The verifier key of the witness. */
  readonly key: string;
  /** What follows the key ID on its line. */
  readonly signature: Buffer;
  /** Seconds since 1970 at which the witness says it saw the checkpoint. */
  readonly time: number;
}

/** The bundle that holds an event's entry: `index * 256` is the ordinal of its first entry. */
export interface EntryBundle {
  readonly index: number;
  readonly bytes: Buffer;
}

/** Level of entry bundles in the database. */
const ENTRIES = -1;

/** The trees of the transparency log in the desk. */
export class LogTrees {
  constructor(private readonly sql: Sql) {}

  /** Runs `work` on a consistent snapshot. */
  consistently<T>(work: (trees: LogTrees) => Promise<T>): Promise<T> {
    // Transactions do not nest; nothing called here needs one.
    const look = (tx: unknown) => work(new LogTrees(tx as Sql));
    return this.sql.begin('isolation level repeatable read read only', look) as Promise<T>;
  }

  /** The growing tree; null before the first one has begun. */
  async newest(): Promise<LogTree | null> {
    const [row] = await this.sql<TreeRow[]>`select * from desk.log_trees order by number desc limit 1`;
    return row ? toTree(row) : null;
  }

  async all(): Promise<LogTree[]> {
    const rows = await this.sql<TreeRow[]>`select * from desk.log_trees order by number`;
    return rows.map(toTree);
  }

  /** Begins a tree, unless another process has done so. */
  async begin(number: number, origin: string): Promise<void> {
    await this.sql`insert into desk.log_trees (number, origin) values (${number}, ${origin}) on conflict do nothing`;
  }

  /**
   * Stores a tree's growth and the checkpoint to sign, atomically. False if the tree is no longer of this size, or not the
   * newest: then another process signs, and nothing is stored. So each size of a tree gets one permanent root before it is
   * signed.
   */
  async grow({ number, size }: LogTree, { size: next, root, last, tiles }: Growth): Promise<boolean> {
    // One statement, because postgres.js ends the process when a connection is lost inside a transaction.
    const [row] = await this.sql<{ grown: boolean }[]>`
      with grown as (
        update desk.log_trees set size = ${next}, position = ${`${last.position}`}, hash = ${last.hash}
        where number = ${number} and size = ${size} and number = (select max(number) from desk.log_trees) returning number),
      stored as (
        insert into desk.log_tiles (tree, level, index, width, first_position, bytes)
        select grown.number, level::smallint, index, width::smallint, first_position, decode(hex, 'hex') from grown, unnest(
          ${tiles.map(({ level }) => `${level === 'entries' ? ENTRIES : level}`)}::bigint[],
          ${tiles.map(({ index }) => `${index}`)}::bigint[], ${tiles.map(({ width }) => `${width}`)}::bigint[],
          ${tiles.map(({ firstPosition }) => (firstPosition === undefined ? null : `${firstPosition}`))}::bigint[],
          ${tiles.map(({ bytes }) => Buffer.from(bytes).toString('hex'))}::text[]
        ) as tile (level, index, width, first_position, hex)
        on conflict (tree, level, index) do update set width = excluded.width, bytes = excluded.bytes),
      begun as (
        insert into desk.log_checkpoints (tree, size, root) select number, ${next}, ${root} from grown)
      select exists (select from grown) as grown`;
    return row?.grown ?? false;
  }

  /** The newest checkpoint, signed or not. */
  async newestCheckpoint(tree: number): Promise<StoredCheckpoint | null> {
    const [row] = await this.sql<CheckpointRow[]>`
      select size, root, note from desk.log_checkpoints where tree = ${tree} order by size desc limit 1`;
    return row ? toCheckpoint(row) : null;
  }

  async checkpoint(tree: number, size: number): Promise<StoredCheckpoint | null> {
    const [row] = await this.sql<CheckpointRow[]>`
      select size, root, note from desk.log_checkpoints where tree = ${tree} and size = ${size}`;
    return row ? toCheckpoint(row) : null;
  }

  /** All checkpoints by size. */
  async checkpoints(tree: number): Promise<StoredCheckpoint[]> {
    const rows = await this.sql<CheckpointRow[]>`
      select size, root, note from desk.log_checkpoints where tree = ${tree} order by size`;
    return rows.map(toCheckpoint);
  }

  /** Stores the signed checkpoint of a size whose root is stored. */
  async sign(tree: number, size: number, note: string): Promise<void> {
    await this.sql`update desk.log_checkpoints set note = ${note} where tree = ${tree} and size = ${size}`;
  }

  /** The checkpoint of this size with its cosignatures so far; null if it is not signed. */
  async signedNote(tree: number, size: number): Promise<string | null> {
    const [checkpoint, cosignatures] = await Promise.all([this.checkpoint(tree, size), this.cosignatures(tree, size)]);
    if (!checkpoint?.note) return null;
    const note = parseNote(checkpoint.note);
    if (isFault(note)) return checkpoint.note;
    return encodeNote(
      addSignatures(
        note,
        cosignatures.map(toSignature).filter((one) => one !== null),
      ),
    );
  }

  async cosign(tree: number, size: number, { key, signature, time }: Cosignature): Promise<void> {
    await this.sql`
      insert into desk.log_cosignatures (tree, size, verifier_key, signature, time)
      values (${tree}, ${size}, ${key}, ${signature}, ${time})
      on conflict (tree, size, verifier_key) do update set signature = excluded.signature, time = excluded.time
      where log_cosignatures.time < excluded.time`;
  }

  async cosignatures(tree: number, size: number): Promise<Cosignature[]> {
    const rows = await this.sql<{ verifier_key: string; signature: Buffer; time: string }[]>`
      select verifier_key, signature, time from desk.log_cosignatures
      where tree = ${tree} and size = ${size} order by verifier_key`;
    return rows.map((row) => ({ key: row.verifier_key, signature: row.signature, time: Number(row.time) }));
  }

  /** All cosignatures, each with the text that it signs. */
  async cosignedNotes(tree: number): Promise<{ size: number; key: string; note: string }[]> {
    const rows = await this.sql<
      { size: string; verifier_key: string; signature: Buffer; time: string; note: string }[]
    >`
      select size, verifier_key, signature, time, note from desk.log_cosignatures join desk.log_checkpoints using (tree, size)
      where tree = ${tree} and note is not null order by size`;
    return rows.flatMap((row) => {
      const note = parseNote(row.note);
      const own = toSignature({ key: row.verifier_key, signature: row.signature, time: Number(row.time) });
      if (isFault(note) || !own) return [];
      return [
        { size: Number(row.size), key: row.verifier_key, note: encodeNote({ text: note.text, signatures: [own] }) },
      ];
    });
  }

  /** The newest size that each of these witnesses has cosigned, and when it last did. */
  async cosigned(tree: number, keys: readonly string[]): Promise<ReadonlyMap<string, { size: number; time: number }>> {
    const rows = await this.sql<{ verifier_key: string; size: string; time: string }[]>`
      select verifier_key, max(size) as size, max(time) as time from desk.log_cosignatures
      where tree = ${tree} and verifier_key = any(${[...keys]}::text[]) group by verifier_key`;
    return new Map(rows.map((row) => [row.verifier_key, { size: Number(row.size), time: Number(row.time) }]));
  }

  /** The newest signed size that at least `quorum` of these witnesses have cosigned; null when there is none. */
  async withQuorum(tree: number, keys: readonly string[], quorum: number): Promise<number | null> {
    const [row] = await this.sql<{ size: string | null }[]>`
      select max(c.size) as size from desk.log_checkpoints c
      where c.tree = ${tree} and c.note is not null and ${quorum} <= (
        select count(*) from desk.log_cosignatures s
        where s.tree = c.tree and s.size = c.size and s.verifier_key = any(${[...keys]}::text[]))`;
    return row?.size == null ? null : Number(row.size);
  }

  /** Records which checkpoint is published, and since when newer ones have lacked a quorum. */
  async publish(tree: number, size: number | null, belowQuorumSince: Date | null): Promise<void> {
    await this.sql`
      update desk.log_trees set published = ${size}, below_quorum_since = ${belowQuorumSince} where number = ${tree}`;
  }

  /** Records why signing is halted, and which witness is ahead of the log, if that is why; null resumes it. */
  async halt(tree: number, sentence: string | null, witnessAhead: string | null = null): Promise<void> {
    await this.sql`
      update desk.log_trees set halted = ${sentence}, witness_ahead = ${witnessAhead} where number = ${tree}`;
  }

  /** The tiles of a tree, at the requested width. */
  tiles(tree: number): TileReader {
    return async (ids) => {
      const rows = await this.sql<{ level: number; index: string; bytes: Buffer }[]>`
        select level, index, bytes from desk.log_tiles
        where tree = ${tree} and (level, index) in (
          select * from unnest(${ids.map(levelOf)}::int[], ${ids.map(({ index }) => `${index}`)}::bigint[]))`;
      const found = new Map(rows.map(({ level, index, bytes }) => [`${level} ${index}`, bytes]));
      return ids.map((id) => {
        const bytes = found.get(`${levelOf(id)} ${id.index}`);
        return bytes && bytes.length >= tileBytes(id) ? bytes.subarray(0, tileBytes(id)) : null;
      });
    };
  }

  /** All entry bundles of a tree, in order. */
  async *entryBundles(tree: number): AsyncGenerator<EntryBundle> {
    for (let from = 0; ; from += BUNDLES_AT_ONCE) {
      const rows = await this.sql<{ index: string; bytes: Buffer }[]>`
        select index, bytes from desk.log_tiles
        where tree = ${tree} and level = ${ENTRIES} and index >= ${from} and index < ${from + BUNDLES_AT_ONCE}
        order by index`;
      if (rows.length === 0) return;
      for (const { index, bytes } of rows) yield { index: Number(index), bytes };
    }
  }

  /** The bundle with the entry of the event at this position of the store, if the tree covers it. */
  async bundleAt(tree: number, position: bigint): Promise<EntryBundle | null> {
    const [row] = await this.sql<{ index: string; bytes: Buffer }[]>`
      select index, bytes from desk.log_tiles
      where tree = ${tree} and level = ${ENTRIES} and first_position <= ${`${position}`}
      order by first_position desc limit 1`;
    return row ? { index: Number(row.index), bytes: row.bytes } : null;
  }

  /** A bundle by its index, with the position of its first event. */
  async bundle(tree: number, index: number): Promise<(EntryBundle & { firstPosition: bigint }) | null> {
    const [row] = await this.sql<{ first_position: string; bytes: Buffer }[]>`
      select first_position, bytes from desk.log_tiles where tree = ${tree} and level = ${ENTRIES} and index = ${index}`;
    return row ? { index, bytes: row.bytes, firstPosition: BigInt(row.first_position) } : null;
  }

  /** The bundles with the entries of the events at these positions of the store, by index. */
  async bundlesAt(tree: number, positions: readonly bigint[]): Promise<(EntryBundle & { firstPosition: bigint })[]> {
    const rows = await this.sql<{ index: string; first_position: string; bytes: Buffer }[]>`
      select index, first_position, bytes from desk.log_tiles
      where tree = ${tree} and level = ${ENTRIES} and index in (
        select distinct (
          select t.index from desk.log_tiles t where t.tree = ${tree} and t.level = ${ENTRIES} and t.first_position <= asked.position
          order by t.first_position desc limit 1)
        from unnest(${positions.map(String)}::bigint[]) as asked (position))
      order by index`;
    return rows.map((row) => ({
      index: Number(row.index),
      bytes: row.bytes,
      firstPosition: BigInt(row.first_position),
    }));
  }

  /** Updates the positions of a tree's events after its log was copied to another store. */
  async relocate(tree: number, last: bigint, firstPositions: readonly bigint[]): Promise<void> {
    // Only the last step makes it count; an interrupted run is repeated in full.
    for (let from = 0; from < firstPositions.length; from += RELOCATED_AT_ONCE) {
      const some = firstPositions.slice(from, from + RELOCATED_AT_ONCE);
      await this.sql`
        update desk.log_tiles t set first_position = moved.position
        from unnest(${some.map((_, i) => `${from + i}`)}::bigint[], ${some.map(String)}::bigint[]) as moved (index, position)
        where t.tree = ${tree} and t.level = ${ENTRIES} and t.index = moved.index`;
    }
    await this.sql`update desk.log_trees set position = ${`${last}`} where number = ${tree}`;
  }

  /** Thins out checkpoints older than a day to the last of each hour; those published or last cosigned stay. */
  async sweep(): Promise<void> {
    await this.sql`
      delete from desk.log_checkpoints c using desk.log_trees t
      where t.number = c.tree and c.begun_at < now() - interval '1 day' and c.size < t.size
        and c.size is distinct from t.published
        and exists (
          select from desk.log_checkpoints later
          where later.tree = c.tree and later.size > c.size
            and date_trunc('hour', later.begun_at) = date_trunc('hour', c.begun_at))`;
    await this.sql`
      delete from desk.log_cosignatures s
      where not exists (select from desk.log_checkpoints c where c.tree = s.tree and c.size = s.size)
        and exists (
          select from desk.log_cosignatures later
          where later.tree = s.tree and later.verifier_key = s.verifier_key and later.size > s.size)`;
  }
}

const BUNDLES_AT_ONCE = 256;
const RELOCATED_AT_ONCE = 10_000;

/** The index of an entry in a bundle, or -1. */
export function indexInBundle({ bytes }: EntryBundle, entry: Buffer): number {
  for (let at = 2, index = 0; at < bytes.length; at += 2 + HASH_BYTES, index++)
    if (bytes.subarray(at, at + HASH_BYTES).equals(entry)) return index;
  return -1;
}

interface TreeRow {
  number: number;
  origin: string;
  size: string;
  position: string | null;
  hash: string | null;
  published: string | null;
  below_quorum_since: Date | null;
  halted: string | null;
  witness_ahead: string | null;
}

const toTree = (row: TreeRow): LogTree => ({
  number: row.number,
  origin: row.origin,
  size: Number(row.size),
  last: row.position === null || row.hash === null ? null : { position: BigInt(row.position), hash: row.hash },
  published: row.published === null ? null : Number(row.published),
  belowQuorumSince: row.below_quorum_since,
  halted: row.halted,
  witnessAhead: row.witness_ahead,
});

interface CheckpointRow {
  size: string;
  root: Buffer;
  note: string | null;
}

const toCheckpoint = ({ size, root, note }: CheckpointRow): StoredCheckpoint => ({ size: Number(size), root, note });

const levelOf = ({ level }: TileId): string => `${level === 'entries' ? ENTRIES : level}`;

function toSignature({ key, signature }: Cosignature): NoteSignature | null {
  const parsed = parseVerifierKey(key);
  return isFault(parsed) ? null : { name: parsed.name, keyId: parsed.id, signature };
}
