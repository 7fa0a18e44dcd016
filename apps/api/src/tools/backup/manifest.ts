import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BackupRefused, BrokenBackup, replaceFile } from './backup-file.js';

const MANIFEST = 'manifest.json';

const position = z.string().regex(/^-?\d{1,19}$/);
const fileShape = {
  // Within the folder, whoever wrote the manifest.
  file: z.string().regex(/^[a-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
};

const lastEvent = z.object({ position, stream: z.string(), revision: position, hash: z.string(), at: z.string() });

const segment = z.object({ ...fileShape, from: position, events: z.int().min(1), last: lastEvent });

const table = z.object({
  ...fileShape,
  schema: z.enum(['vault', 'desk']),
  name: z.string(),
  columns: z.array(z.string()).min(1),
  rows: z.int().min(0),
});

const point = z.object({
  position,
  madeAt: z.iso.datetime(),
  release: z.string(),
  /** Migrations of each schema, as `migrationsOf` gives them. */
  steps: z.record(z.enum(['vault', 'desk']), z.string()),
  tables: z.array(table),
});

const manifestSchema = z.object({
  format: z.literal(1),
  /** For whom the files are encrypted; none: they are plain. */
  recipients: z.array(z.string()),
  /** The log, in the order of positions, each segment behind the one before. */
  log: z.array(segment),
  /** The newest state of vault and desk, and how far the log has to be restored with it. Null before the first is complete. */
  point: point.nullable(),
});

export type Manifest = z.output<typeof manifestSchema>;
export type LogSegment = z.output<typeof segment>;
export type BackedUpTable = z.output<typeof table>;
export type BackupPoint = z.output<typeof point>;

/** The manifest of the backup in a folder, or null if there is none. */
export async function readManifest(folder: string): Promise<Manifest | null> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const read = manifestSchema.safeParse(jsonIn(text));
  if (read.success) return read.data;
  throw new BrokenBackup(MANIFEST, `${read.error.issues[0]?.path.join('.')} ${read.error.issues[0]?.message}`);
}

/** The manifest of a backup that is complete, and its point. Throws BackupRefused if there is none. */
export async function readCompleteManifest(folder: string): Promise<Manifest & { readonly point: BackupPoint }> {
  const manifest = await readManifest(folder);
  if (!manifest) throw new BackupRefused(`There is no backup in ${folder}.`);
  const { point } = manifest;
  if (!point) throw new BackupRefused(`The backup in ${folder} was not completed. Run the command backup again.`);
  return { ...manifest, point };
}

export const writeManifest = (folder: string, manifest: Manifest): Promise<void> =>
  replaceFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
