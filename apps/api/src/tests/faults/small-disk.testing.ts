import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own, in memory, so small that it can be filled. */
export class SmallDisk {
  private readonly ballast: string;

  private constructor(readonly folder: string) {
    this.ballast = join(folder, 'ballast');
  }

  /** Mounts it on a new folder; where that is not permitted, answers why. */
  static async mount(folder: string, bytes: number): Promise<SmallDisk | { refused: string }> {
    if (process.platform !== 'linux') return { refused: `there is no tmpfs on ${process.platform}` };
    await mkdir(folder);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'verbatim-faults', folder]);
    } catch (error) {
      return { refused: (error as Error).message.trim().replaceAll('\n', ' ') };
    }
    return new SmallDisk(folder);
  }

  /** Writes a file of ballast until nothing more fits. */
  async fill(): Promise<void> {
    const file = await open(this.ballast, 'w');
    try {
      for (let size = 4 << 20; size >= 4_096; ) {
        const { bytesWritten } = await file.write(Buffer.alloc(size)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error;
          return { bytesWritten: 0 };
        });
        if (bytesWritten < size) size /= 2;
      }
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.ballast, { force: true });
  }

  /** When nothing on it is in use any more. */
  async unmount(): Promise<void> {
    await run('umount', [this.folder]);
  }
}
