import { createHash } from 'node:crypto';
import { PostgresKeyRing } from '@verbatim/event-store';
import { encodeCheckpoint, encodeVerifierKey, type SigningKey, signNote, TreeBuilder } from '@verbatim/transparency';
import type { Sql } from 'postgres';
import { LogKeys } from '../../storage/transparency/log-keys.js';

/** An event as it stands in the database. */
export interface Row {
  position: number;
  stream: string;
  revision: number;
  id: string;
  type: string;
  hash: string;
  sealed: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Somebody with all rights on the database of a service and, if need be, its master key. */
export class Forger {
  constructor(
    readonly sql: Sql,
    readonly master: Buffer,
  ) {}

  async rows(): Promise<Row[]> {
    return [
      ...(await this.sql<Row[]>`
        select position::int, stream, revision::int, id::text, type, hash, sealed from log.events order by position`),
    ];
  }

  /** Puts these events in the place of all others, with positions, and nothing else, made to fit. */
  async replace(rows: readonly Row[]): Promise<void> {
    await this.sql.begin(async (tx) => {
      await tx`delete from log.events`;
      const placed = rows.map((row, position) => ({ ...row, position }));
      for (let at = 0; at < placed.length; at += 1_000)
        await tx`insert into log.events ${tx(placed.slice(at, at + 1_000))}`;
    });
  }

  /** Changes the events of the log, and makes revisions, links and hashes of all streams fit again. */
  async rewrite(change: (rows: Row[]) => Row[] | Promise<Row[]>): Promise<void> {
    const heads = new Map<string, { revision: number; hash: string }>();
    const changed = (await change(await this.rows())).map((row) => {
      const head = heads.get(row.stream) ?? { revision: -1, hash: null };
      const revision = head.revision + 1;
      const envelope = { ...(JSON.parse(row.sealed) as object), revision, prev: head.hash };
      const sealed = JSON.stringify(envelope);
      const hash = sha256(sealed);
      heads.set(row.stream, { revision, hash });
      return { ...row, revision, sealed, hash };
    });
    await this.replace(changed);
  }

  /** The keys of the log, from the vault. */
  async keys(origin: string): Promise<SigningKey[]> {
    return new LogKeys(this.sql, await PostgresKeyRing.open(this.sql, this.master)).checkpointKeys(origin);
  }

  /** Builds the tree over the events that there are again, and signs it, as if it had never been another. */
  async rebuildTree(origin: string, keys?: readonly SigningKey[]): Promise<void> {
    const signers = keys ?? (await this.keys(origin));
    const rows = await this.rows();
    const builder = new TreeBuilder();
    const checkpoints: { tree: number; size: number; root: Buffer; note: string }[] = [];
    const tiles = new Map<string, object>();
    for (let at = 0; at < rows.length; at += 100) {
      builder.append(rows.slice(at, at + 100).map(({ hash }) => Buffer.from(hash, 'hex')));
      const [size, root] = [builder.size, builder.root()];
      checkpoints.push({ tree: 1, size, root, note: signNote(encodeCheckpoint({ origin, size, root }), signers) });
      for (const { level, index, width, bytes } of builder.takeTiles()) {
        const first_position = level === 'entries' ? (rows[index * 256]?.position ?? null) : null;
        const row = { tree: 1, level: level === 'entries' ? -1 : level, index, width, first_position, bytes };
        tiles.set(`${level} ${index}`, row);
      }
    }
    const last = rows.at(-1);
    await this.sql.begin(async (tx) => {
      for (const table of ['log_tiles', 'log_checkpoints', 'log_cosignatures'])
        await tx`delete from ${tx(`desk.${table}`)}`;
      await tx`insert into desk.log_tiles ${tx([...tiles.values()] as Record<string, never>[])}`;
      await tx`insert into desk.log_checkpoints ${tx(checkpoints as unknown as Record<string, never>[])}`;
      await tx`
        update desk.log_trees set size = ${rows.length}, published = ${rows.length}, position = ${last?.position ?? 0},
          hash = ${last?.hash ?? ''}`;
    });
  }

  /** Puts another key in the place of that of the log, and signs everything with it. */
  async replaceKey(origin: string, key: SigningKey): Promise<void> {
    await this.sql`update vault.log_keys set verifier_key = ${encodeVerifierKey(key)} where name = ${origin}`;
    await this.rebuildTree(origin, [key]);
  }
}
