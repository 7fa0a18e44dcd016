import { ChainCheck } from '@verbatim/event-store';
import { BackedUpLog } from './backed-up-log.js';
import { type BackupFile, BackupReader, BrokenBackup } from './backup-file.js';
import type { BackupPlace } from './backup-place.js';
import { type BackedUpTable, type BackupPoint, readCompleteManifest } from './manifest.js';

export interface VerifiedBackup {
  readonly point: BackupPoint;
  readonly check: ChainCheck;
  /** When the last event was recorded; null without any. */
  readonly at: string | null;
  readonly rows: number;
}

/**
 * Reads a whole backup without restoring it: every file is the one that was written, opens with one of the identities and holds as many
 * events and rows as it should, and all hash chains are intact. Throws BrokenBackup, naming the file, or BackupRefused.
 */
export async function verifyBackup(
  place: BackupPlace,
  identities: readonly string[],
  onProgress: (progress: { events: number; total: number }) => void,
): Promise<VerifiedBackup> {
  const { log, point } = await readCompleteManifest(place);
  const reader = new BackupReader(place, identities);
  await checkFiles(reader, [...log, ...point.tables]);
  let rows = 0;
  for (const table of point.tables) rows += await checkRows(reader, table);
  const backedUp = new BackedUpLog(reader, log, { position: BigInt(point.position) });
  const check = new ChainCheck();
  const total = log.reduce((sum, { events }) => sum + events, 0);
  for await (const event of backedUp.events()) {
    check.add(event);
    if (check.events % 500 === 0) onProgress({ events: check.events, total });
  }
  if (`${backedUp.reached?.position ?? -1}` !== point.position)
    throw new BrokenBackup(
      'manifest.json',
      `the log ends at position ${backedUp.reached?.position} instead of ${point.position}`,
    );
  return { point, check, at: backedUp.reached?.at ?? null, rows };
}

/** Throws BrokenBackup for the first file that is not the one that was written. */
export async function checkFiles(reader: BackupReader, files: readonly BackupFile[]): Promise<void> {
  for (const file of files) await reader.check(file);
}

/** Rows of COPY's text format are lines. */
async function checkRows(reader: BackupReader, table: BackedUpTable): Promise<number> {
  let rows = 0;
  for await (const chunk of reader.contentOf(table))
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++;
  if (rows !== table.rows) throw new BrokenBackup(table.file, `it has ${rows} rows instead of ${table.rows}`);
  return rows;
}
