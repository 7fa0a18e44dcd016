import type { LiveEvent, ServerData } from '@verbatim/protocol';
import { Backlog } from './backlog.js';
import { type FeedReader, RoomFeed } from './room-feed.js';
import { TooFarBehind } from './verbatim-error.js';

/** The events after `after` up to `revision` are too many to send. Page through them with `listEvents` or `listMessages`. */
export interface Reset {
  readonly room: string;
  /** The last revision known before. */
  readonly after: number;
  /** The newest revision of the room at that time. Following continues after it automatically. */
  readonly revision: number;
}

export interface FollowOptions {
  /** The last revision already known, -1 for none; absent: from now on. */
  readonly after?: number;
  /** Why an administrator or auditor follows a room that they are not in. It is recorded in the room. */
  readonly reason?: string;
  /** Receives events in order, one or more at a time. If it returns a promise, the next ones follow when that resolves. */
  onEvents?(events: readonly LiveEvent[]): unknown;
  /** Called in order between events, which continue when its promise resolves. If absent, following ends with TooFarBehind. */
  onReset?(reset: Reset): unknown;
  /** The last callback: the person left, was removed, or lost access to the room. */
  onRemoved?(reason: ServerData<'removed'>['reason']): unknown;
  /** Who came and went. May be late or missing, and is not ordered with events. */
  onPresence?(presence: ServerData<'presence'>): unknown;
  /** Who is typing. As lossy as presence. */
  onTyping?(typing: ServerData<'typing'>): unknown;
  /** The last callback: following was refused, the session has ended, or a callback has thrown. */
  onError?(error: unknown): unknown;
  /** Events kept for a slow reader, 1,000 if absent. At this number, the server is asked to stop until half are read. */
  readonly buffer?: number;
}

type Item =
  | { readonly kind: 'events'; readonly events: readonly LiveEvent[] }
  | { readonly kind: 'reset'; readonly reset: Reset }
  | { readonly kind: 'removed'; readonly reason: ServerData<'removed'>['reason'] }
  | { readonly kind: 'failed'; readonly error: unknown };

const BUFFER = 1_000;
/** Characters of text kept for a slow reader, 8 MiB in memory. */
const MOST_SIZE = 4_194_304;

/**
 * Follows one room over any number of connections. Each revision that its reader may see is delivered once and in order,
 * either to `onEvents` or to the iterator.
 */
export class Following implements AsyncIterable<LiveEvent> {
  /** @internal Input from the connections. */
  readonly feed: RoomFeed;
  private readonly backlog: Backlog<Item>;
  private handedOver: number | null;
  private over = false;
  /** The reader has stopped. */
  private left = false;
  private begin: () => void = () => undefined;
  private readonly begun = new Promise<void>((resolve) => {
    this.begin = resolve;
  });

  /** @internal Made by `client.follow`; `ended` is called once. */
  constructor(
    readonly room: string,
    private readonly options: FollowOptions,
    private readonly ended: () => void,
  ) {
    this.handedOver = options.after ?? null;
    this.feed = new RoomFeed(room, this.handedOver, this.feedReader(), options.reason);
    this.backlog = new Backlog({ events: options.buffer ?? BUFFER, size: MOST_SIZE }, () => this.feed.resume());
    if (options.onEvents) void this.callBack();
  }

  /**
   * The last revision delivered, or the one after which following began; null until that is known. With `onEvents` it
   * advances when the callback is done, so that resuming from here repeats events rather than skips some.
   */
  get revision(): number | null {
    return this.handedOver;
  }

  /** Whether nothing more is received. Earlier events may still be delivered. */
  get closed(): boolean {
    return this.over;
  }

  /** Resolves when a server has agreed for the first time, or following has ended. */
  ready(): Promise<void> {
    return this.begun;
  }

  /** Ends following; nothing more is delivered. */
  close(): void {
    this.left = true;
    this.backlog.discard();
    this.finish();
  }

  /** @internal Ends following with an error, after the earlier events. */
  fail(error: unknown): void {
    if (this.over) return;
    this.backlog.put({ kind: 'failed', error });
    this.finish();
  }

  /** The events one by one, for a single reader. Ends after a removal, throws any other reason for ending; leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LiveEvent, void, undefined> {
    const items = this.backlog.read();
    try {
      for await (const item of items) {
        if (item.kind === 'events') {
          for (const event of item.events) {
            if (this.left) return;
            this.handedOver = event.revision;
            yield event;
          }
        } else if (item.kind === 'failed') throw item.error;
        else await this.deliver(item);
      }
    } finally {
      this.close();
    }
  }

  private async callBack(): Promise<void> {
    const { options } = this;
    try {
      for await (const item of this.backlog.read()) {
        if (item.kind === 'events') {
          await options.onEvents?.(item.events);
          this.handedOver = item.events.at(-1)?.revision ?? this.handedOver;
        } else if (item.kind === 'failed') await options.onError?.(item.error);
        else await this.deliver(item);
      }
    } catch (error) {
      this.close();
      if (!options.onError) throw error;
      await options.onError(error);
    }
  }

  private async deliver(item: Extract<Item, { kind: 'reset' | 'removed' }>): Promise<void> {
    if (item.kind === 'removed') await this.options.onRemoved?.(item.reason);
    else {
      await this.options.onReset?.(item.reset);
      this.handedOver = item.reset.revision;
    }
  }

  private feedReader(): FeedReader {
    const { options, room } = this;
    return {
      agreed: (revision) => {
        this.handedOver ??= revision;
        this.begin();
      },
      events: (events, size) => {
        this.backlog.put({ kind: 'events', events }, events.length, size);
        if (this.backlog.full) this.feed.pause();
      },
      reset: (after, revision) => {
        if (options.onReset) this.backlog.put({ kind: 'reset', reset: { room, after, revision } });
        else this.fail(new TooFarBehind(room, after, revision));
      },
      removed: (reason) => {
        this.backlog.put({ kind: 'removed', reason });
        this.finish();
      },
      presence: (presence) => this.pass(() => options.onPresence?.(presence)),
      typing: (typing) => this.pass(() => options.onTyping?.(typing)),
      refused: (error) => this.fail(error),
    };
  }

  private async pass(callback: () => unknown): Promise<void> {
    try {
      await callback();
    } catch (error) {
      this.fail(error);
    }
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.backlog.end();
    this.feed.close();
    this.begin();
    this.ended();
  }
}
