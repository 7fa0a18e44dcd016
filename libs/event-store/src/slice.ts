/** Milliseconds that long work runs before everything else gets its turn. */
const SLICE_MS = 2;

/**
 * A slice of the process's one thread, for work that would block it for long:
 *
 *     const slice = new Slice();
 *     for (const item of items) {
 *       work(item);
 *       if (slice.isOver) await slice.next();
 *     }
 */
export class Slice {
  private startedAt = performance.now();

  get isOver(): boolean {
    return performance.now() - this.startedAt > SLICE_MS;
  }

  /** Resolves in a later turn of the event loop. However many wait, only one of them resumes in each turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (paused.push(resolve) === 1) setImmediate(resumeOne);
    });
    this.startedAt = performance.now();
  }
}

const paused: (() => void)[] = [];

function resumeOne(): void {
  paused.shift()?.();
  if (paused.length > 0) setImmediate(resumeOne);
}
