/** Milliseconds that long work runs at a time, and from the beginning of one slice to that of the next. */
const SLICE_MS = 2;
const PERIOD_MS = 4;

/**
 * A slice of the process's one thread, for work that would block it for long:
 *
 *     const slice = new Slice();
 *     for (const item of items) {
 *       work(item);
 *       if (slice.isOver) await slice.next();
 *     }
 *
 * All such work together gets one slice in each period, so half of the time is left for everything else, such as posts.
 */
export class Slice {
  private startedAt = performance.now();

  get isOver(): boolean {
    return performance.now() - this.startedAt > SLICE_MS;
  }

  /** Resolves when it is the turn of this work again. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (paused.push(resolve) === 1) setTimeout(resumeOne, PERIOD_MS - SLICE_MS);
    });
    this.startedAt = performance.now();
  }
}

const paused: (() => void)[] = [];

function resumeOne(): void {
  paused.shift()?.();
  if (paused.length > 0) setTimeout(resumeOne, PERIOD_MS);
}
