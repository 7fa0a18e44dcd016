export const inboxLimits = {
  /** Publications per batch. */
  together: 64,
  /** Waiting entries at which reading from the client stops, and at which it continues. */
  full: 64,
  free: 32,
  /** Bytes of pending publications at which reading from the client stops. */
  bytes: 524_288,
} as const;

interface Published<P> {
  readonly publication: P;
  readonly bytes: number;
}

type Waiting<P> = Published<P> | { readonly task: () => Promise<void> };

export interface InboxOptions<P> {
  /** Processes consecutive publications. */
  readonly publish: (publications: readonly P[]) => Promise<void>;
  /** Called with what a task or `publish` threw. The rest continues. */
  readonly failed: (error: unknown) => void;
  /** Stops or continues reading from the client. */
  readonly full: (full: boolean) => void;
}

/** A client's requests, processed in order: consecutive publications in batches, everything else one by one. */
export class Inbox<P> {
  private waiting: Waiting<P>[] = [];
  private working: Promise<void> | null = null;
  private isFull = false;
  /** Bytes of pending publications. */
  heldBytes = 0;

  constructor(private readonly options: InboxOptions<P>) {}

  publish(publication: P, bytes: number): void {
    this.heldBytes += bytes;
    this.put({ publication, bytes });
  }

  do(task: () => Promise<void>): void {
    this.put({ task });
  }

  /** Drops everything that is waiting. */
  discard(): void {
    this.heldBytes -= bytesOf(this.waiting);
    this.waiting = [];
  }

  /** Drops everything that is waiting except publications. */
  discardTasks(): void {
    this.waiting = this.waiting.filter((one) => 'publication' in one);
  }

  /** Resolves when nothing is pending. */
  async idle(): Promise<void> {
    while (this.working) await this.working;
  }

  private put(one: Waiting<P>): void {
    this.waiting.push(one);
    this.watch();
    this.working ??= this.work().finally(() => {
      this.working = null;
    });
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      try {
        const next = this.waiting[0] as Waiting<P>;
        if ('task' in next) {
          this.waiting.shift();
          await next.task();
        } else {
          await this.publishSome(this.takePublications());
        }
      } catch (error) {
        this.options.failed(error);
      }
      this.watch();
    }
  }

  private async publishSome(taken: readonly Published<P>[]): Promise<void> {
    try {
      await this.options.publish(taken.map(({ publication }) => publication));
    } finally {
      this.heldBytes -= bytesOf(taken);
    }
  }

  private takePublications(): Published<P>[] {
    const taken: Published<P>[] = [];
    for (let next = this.waiting[0]; next && 'publication' in next; next = this.waiting[0]) {
      if (taken.length === inboxLimits.together) break;
      taken.push(next);
      this.waiting.shift();
    }
    return taken;
  }

  private watch(): void {
    const { bytes, free, full: most } = inboxLimits;
    const full = this.waiting.length >= (this.isFull ? free : most) || this.heldBytes >= bytes;
    if (full === this.isFull) return;
    this.isFull = full;
    this.options.full(full);
  }
}

const bytesOf = (some: readonly Waiting<unknown>[]): number =>
  some.reduce((sum, one) => sum + ('publication' in one ? one.bytes : 0), 0);
