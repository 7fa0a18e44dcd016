/** Limits above which a backlog is full. It accepts one more item than these; then stop adding. */
export interface BacklogLimits {
  readonly events: number;
  /** Characters, roughly. */
  readonly size: number;
}

interface Kept<Item> {
  readonly item: Item;
  readonly events: number;
  readonly size: number;
}

/** Received items that were not read yet, in order, for one reader at its own pace. */
export class Backlog<Item> {
  private readonly kept: Kept<Item>[] = [];
  private events = 0;
  private size = 0;
  private ended = false;
  private taken = false;
  private wake: () => void = () => undefined;

  /** `onRoom` is called when something was read and at most half of the limits is in use. */
  constructor(
    private readonly limits: BacklogLimits,
    private readonly onRoom: () => void,
  ) {}

  get full(): boolean {
    return this.events >= this.limits.events || this.size >= this.limits.size;
  }

  /** `events` and `size` are what the item counts against the limits. */
  put(item: Item, events = 0, size = 0): void {
    if (this.ended) return;
    this.kept.push({ item, events, size });
    this.events += events;
    this.size += size;
    this.wake();
  }

  /** Ends the backlog; remaining items can still be read. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  /** The same, and drops remaining items. */
  discard(): void {
    this.kept.length = 0;
    this.end();
  }

  /** All items in order, to the end. An item counts against the limits until the next one is requested. */
  read(): AsyncGenerator<Item, void, undefined> {
    if (this.taken) throw new Error('Events are handed over once: somebody reads them already.');
    this.taken = true;
    return this.items();
  }

  private async *items(): AsyncGenerator<Item, void, undefined> {
    for (;;) {
      const next = this.kept.shift();
      if (next) {
        yield next.item;
        this.events -= next.events;
        this.size -= next.size;
        if (this.events <= this.limits.events / 2 && this.size <= this.limits.size / 2) this.onRoom();
      } else if (this.ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }
}
