import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { BackupRefused, BrokenBackup } from './backup-file.js';
import { type BackupPlace, MissingFile } from './backup-place.js';

const MANIFEST = 'manifest.json';

const position = z.string().regex(/^-?\d{1,19}$/);
const fileShape = {
  // Within the place, whoever wrote the manifest.
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

/** The manifest of the backup in a place, or null if there is none. */
export async function readManifest(place: BackupPlace): Promise<Manifest | null> {
  const json = await textOf(place, MANIFEST);
  if (json === null) return null;
  const read = manifestSchema.safeParse(jsonIn(json));
  if (read.success) return read.data;
  throw new BrokenBackup(MANIFEST, `${read.error.issues[0]?.path.join('.')} ${read.error.issues[0]?.message}`);
}

/** The manifest of a backup that is complete, and its point. Throws BackupRefused if there is none. */
export async function readCompleteManifest(place: BackupPlace): Promise<Manifest & { readonly point: BackupPoint }> {
  const manifest = await readManifest(place);
  if (!manifest) throw new BackupRefused(`There is no backup in ${place.name}.`);
  const { point } = manifest;
  if (!point) throw new BackupRefused(`The backup in ${place.name} was not completed. Run the command backup again.`);
  return { ...manifest, point };
}

export const writeManifest = (place: BackupPlace, manifest: Manifest): Promise<void> =>
  place.write(MANIFEST, Readable.from([Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)]));

async function textOf(place: BackupPlace, path: string): Promise<string | null> {
  try {
    return await text(place.read(path));
  } catch (error) {
    if (error instanceof MissingFile) return null;
    throw error;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
