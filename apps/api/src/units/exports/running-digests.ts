import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { StoredExport } from '../../storage/exports/stored-exports.js';

/** Bundles whose digests are remembered. */
const MOST = 100;

/** Which chunks of which edition, whose contents never change. */
type Written = Pick<StoredExport, 'id' | 'edition' | 'chunks'>;

/**
 * SHA-256 of the files of bundles while they grow, so that a bundle need not be read once more at its end. A process has them
 * only if it has made all chunks of a bundle itself.
 */
export class RunningDigests {
  private readonly kept = new LRUCache<string, { edition: number; chunks: number; hashes: Map<string, Hash> }>({
    max: MOST,
  });

  /** Adds a chunk to those before it. */
  add({ id, edition, chunks }: Written, files: ReadonlyMap<string, Buffer>): void {
    const before = chunks === 0 ? { edition, chunks, hashes: new Map<string, Hash>() } : this.kept.get(id);
    if (before?.edition !== edition || before.chunks !== chunks) {
      this.kept.delete(id);
      return;
    }
    for (const [file, bytes] of files) {
      const hash = before.hashes.get(file) ?? createHash('sha256');
      before.hashes.set(file, hash.update(bytes));
    }
    this.kept.set(id, { ...before, chunks: chunks + 1 });
  }

  /** The digest of a file as far as it is written, 64 hexadecimal digits; null where this process does not know it. */
  of({ id, edition, chunks }: Written, file: string): string | null {
    const kept = this.kept.get(id);
    if (kept?.edition !== edition || kept.chunks !== chunks) return null;
    return kept.hashes.get(file)?.copy().digest('hex') ?? null;
  }

  drop(id: string): void {
    this.kept.delete(id);
  }
}
