import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, isFault, parseCheckpoint, parseNote } from '@verbatim/transparency';

/** Bytes at the end of the file to search for the newest checkpoint. */
const TAIL_BYTES = 65_536;
/** Its name if the setting names a folder. */
const NAME = 'checkpoints';

/**
 * Checkpoints outside the database, in one append-only file that a restore of the database does not touch. It belongs on
 * another disk, or on write-once storage.
 */
export class WitnessFile {
  constructor(private readonly path: string) {}

  /** Appends a signed checkpoint. Durable when it resolves. */
  async append(note: string): Promise<void> {
    const file = await this.open('a+');
    try {
      const { size } = await file.stat();
      const last = size === 0 ? '\n' : (await readFrom(file, size - 1)).toString();
      // A line that was cut off by a crash must not swallow this one.
      await file.appendFile(last === '\n' ? note : `\n${note}`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** The newest checkpoint in the file, and the note that contains it; null when there is none. Says nothing about signatures. */
  async newest(): Promise<NotedCheckpoint | null> {
    return (await this.last(TAIL_BYTES)).at(-1) ?? null;
  }

  /** The checkpoints in this many bytes at the end of the file, newest last. Says nothing about signatures. */
  async last(bytes: number): Promise<NotedCheckpoint[]> {
    const file = await this.open('r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (!file) return [];
    try {
      const { size } = await file.stat();
      return notesIn((await readFrom(file, Math.max(0, size - bytes))).toString());
    } finally {
      await file.close();
    }
  }

  /** The path of the file itself. */
  async file(): Promise<string> {
    const isFolder = await stat(this.path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return isFolder ? join(this.path, NAME) : this.path;
  }

  private async open(flags: string): Promise<FileHandle> {
    return open(await this.file(), flags, 0o644);
  }
}

async function readFrom(file: FileHandle, start: number): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size - start);
  await file.read(bytes, 0, bytes.length, start);
  return bytes;
}

/** A checkpoint, and the signed note that contains it. */
export interface NotedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: string;
}

/** The checkpoints in a text that may start in the middle of one, and in which some may be truncated. */
export function notesIn(text: string): NotedCheckpoint[] {
  const found = [];
  for (const [note] of text.matchAll(/^[^\n]+\n[0-9]+\n[^\n]+\n\n(?:\u2014 [^\n]+\n)+/gm)) {
    const parsed = parseNote(note);
    const checkpoint = isFault(parsed) ? parsed : parseCheckpoint(parsed.text);
    if (!isFault(checkpoint)) found.push({ checkpoint, note });
  }
  return found;
}
