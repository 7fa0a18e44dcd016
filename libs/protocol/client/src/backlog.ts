/** When a backlog is full. It takes one more item than its limits say, and is to be spared further ones then. */
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

/** What came in and was not read yet, in order, with one reader who takes it at their own pace. */
export class Backlog<Item> {
  private readonly kept: Kept<Item>[] = [];
  private events = 0;
  private size = 0;
  private ended = false;
  private taken = false;
  private wake: () => void = () => undefined;

  /** `onRoom` is called whenever something was read, and half of the limits or less is in use. */
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

  /** Nothing comes any more; what is there can still be read. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  /** The same, and nothing more is read. */
  discard(): void {
    this.kept.length = 0;
    this.end();
  }

  /** Everything in order, to its end. An item counts against the limits until the next one is asked for. */
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
