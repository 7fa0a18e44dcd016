/** Runs a limited amount of work at a time; the rest waits in order. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  /** Work for which there is no place either at once or in the queue is refused by `tryRun`. */
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
      // Handing over the turn keeps work that comes later from getting in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }

  /** The same, or null at once if too much is waiting already. */
  tryRun<T>(work: () => Promise<T>): Promise<T> | null {
    return this.free === 0 && this.waiting.length >= this.maxWaiting ? null : this.run(work);
  }
}
