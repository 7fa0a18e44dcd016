/** Limits how much work runs concurrently; the rest queues in order. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  /** `tryRun` refuses work when nothing can run at once and this many are queued. */
  constructor(
    atOnce: number,
    private readonly maxWaiting = Number.POSITIVE_INFINITY,
  ) {
    this.free = atOnce;
  }

  /** Runs the work when its turn comes. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The slot is handed over directly so that newer work cannot overtake.
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }

  /** Like `run`, but null at once if the queue is full. */
  tryRun<T>(work: () => Promise<T>): Promise<T> | null {
    return this.free === 0 && this.waiting.length >= this.maxWaiting ? null : this.run(work);
  }
}
