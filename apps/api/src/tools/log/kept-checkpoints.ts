import { readFile, stat } from 'node:fs/promises';
import { type NotedCheckpoint, notesIn, type WitnessFile } from '../../storage/transparency/witness-file.js';

/** A checkpoint that somebody kept outside the database. */
export interface KeptCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  /** The file it was kept in. */
  readonly from: string;
}

/** Something that is needed for a check cannot be read; the message is a sentence for the operator. */
export class CannotCheck extends Error {}

const MAX_FILE_BYTES = 268_435_456;
/** What is read of the end of the service's own file, which grows without end. */
const OWN_FILE_BYTES = 33_554_432;
/** Checkpoints of a file that are compared: evenly spread, with the last one among them. */
const MOST = 10_000;

/** The checkpoints in a file: one signed note, or many, one after the other, as in AUDIT_WITNESS_FILE. */
export async function keptCheckpoints(path: string): Promise<KeptCheckpoint[]> {
  const notes = notesIn(await textOf(path));
  if (notes.length === 0) throw new CannotCheck(`There is no checkpoint in ${path}.`);
  return spread(notes, path);
}

/** The newest checkpoints in the service's own file. */
export const ownCheckpoints = async (file: WitnessFile): Promise<KeptCheckpoint[]> =>
  spread(await file.last(OWN_FILE_BYTES), await file.file());

function spread(notes: readonly NotedCheckpoint[], path: string): KeptCheckpoint[] {
  const step = Math.ceil(notes.length / MOST);
  return notes
    .filter((_, i) => (notes.length - 1 - i) % step === 0)
    .map(({ checkpoint: { origin, size, root }, note }) => ({ origin, size, root, note, from: path }));
}

async function textOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES)
      throw new CannotCheck(`${path} is too large. Check its last part alone.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof CannotCheck) throw error;
    throw new CannotCheck(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
}
