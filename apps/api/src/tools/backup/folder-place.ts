import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BackupPlace, MissingFile } from './backup-place.js';

const DRAFT = '.draft';

/** A backup in a folder of this machine, which nobody else may read. */
export class FolderPlace implements BackupPlace {
  constructor(readonly name: string) {}

  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const target = join(this.name, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const draft = await open(`${target}${DRAFT}`, 'w', 0o600);
    try {
      await writeFile(draft, content);
      await draft.sync();
    } finally {
      await draft.close();
    }
    await rename(`${target}${DRAFT}`, target);
  }

  async *read(path: string): AsyncGenerator<Buffer> {
    try {
      yield* createReadStream(join(this.name, path)) as AsyncIterable<Buffer>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new MissingFile(path, { cause: error });
      throw error;
    }
  }

  async folders(path: string): Promise<string[]> {
    const entries = await readdir(join(this.name, path), { withFileTypes: true }).catch(missingIsEmpty);
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  }

  async removeFolder(path: string): Promise<void> {
    await rm(join(this.name, path), { recursive: true, force: true });
  }

  async removeUnfinished(): Promise<void> {
    const names = await readdir(this.name, { recursive: true }).catch(missingIsEmpty);
    for (const name of names.filter((each) => each.endsWith(DRAFT))) await rm(join(this.name, name), { force: true });
  }
}

function missingIsEmpty(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
