export const inboxLimits = {
  /** Publications that are worked on together. */
  together: 64,
  /** Waiting tasks at which nothing more is read from the client, and at which reading goes on. */
  full: 64,
  free: 32,
  /** Bytes of publications that are waiting or worked on at which nothing more is read from the client. */
  bytes: 524_288,
} as const;

interface Published<P> {
  readonly publication: P;
  readonly bytes: number;
}

type Waiting<P> = Published<P> | { readonly task: () => Promise<void> };

export interface InboxOptions<P> {
  /** Does publications that came in a row. */
  readonly publish: (publications: readonly P[]) => Promise<void>;
  /** Called with what a task or `publish` threw; the rest goes on. */
  readonly failed: (error: unknown) => void;
  /** Whether the client has to wait. */
  readonly full: (full: boolean) => void;
}

/** What a client asked for, done in its order: publications in a row together, everything else by itself. */
export class Inbox<P> {
  private waiting: Waiting<P>[] = [];
  private working: Promise<void> | null = null;
  private isFull = false;
  /** Bytes of the publications that are waiting or worked on. */
  heldBytes = 0;

  constructor(private readonly options: InboxOptions<P>) {}

  publish(publication: P, bytes: number): void {
    this.heldBytes += bytes;
    this.put({ publication, bytes });
  }

  do(task: () => Promise<void>): void {
    this.put({ task });
  }

  /** What is waiting is not done any more. */
  discard(): void {
    this.heldBytes -= bytesOf(this.waiting);
    this.waiting = [];
  }

  /** What is waiting is not done any more, except for publications. */
  discardTasks(): void {
    this.waiting = this.waiting.filter((one) => 'publication' in one);
  }

  /** Resolves when nothing is left to do. */
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
