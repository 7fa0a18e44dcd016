export const inboxLimits = {
  /** Publications that are worked on together. */
  together: 64,
  /** Waiting tasks at which nothing more is read from the client, and at which reading goes on. */
  full: 64,
  free: 32,
} as const;

type Waiting<P> = { readonly publication: P } | { readonly task: () => Promise<void> };

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

  constructor(private readonly options: InboxOptions<P>) {}

  publish(publication: P): void {
    this.put({ publication });
  }

  do(task: () => Promise<void>): void {
    this.put({ task });
  }

  /** What is waiting is not done any more. */
  discard(): void {
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
          await this.options.publish(this.takePublications());
        }
      } catch (error) {
        this.options.failed(error);
      }
      this.watch();
    }
  }

  private takePublications(): P[] {
    const taken: P[] = [];
    for (let next = this.waiting[0]; next && 'publication' in next; next = this.waiting[0]) {
      if (taken.length === inboxLimits.together) break;
      taken.push(next.publication);
      this.waiting.shift();
    }
    return taken;
  }

  private watch(): void {
    const full = this.waiting.length >= (this.isFull ? inboxLimits.free : inboxLimits.full);
    if (full === this.isFull) return;
    this.isFull = full;
    this.options.full(full);
  }
}
