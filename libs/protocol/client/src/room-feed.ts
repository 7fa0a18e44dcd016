import type { LiveEvent, ServerData, ServerFrame } from '@verbatim/protocol';
import { type Backoff, pauseAfter } from './backoff.js';
import type { Connection } from './connection.js';
import { Unanswered, VerbatimError } from './verbatim-error.js';

/** Receives what the feed delivers. */
export interface FeedReader {
  /** The server accepted, and sends the events after this revision. Called again for each connection. */
  agreed(revision: number): void;
  /** Continues where the previous events ended. `size` is in characters, roughly. */
  events(events: readonly LiveEvent[], size: number): void;
  /** The events after `after` are skipped; the feed continues after `revision`. */
  reset(after: number, revision: number): void;
  removed(reason: ServerData<'removed'>['reason']): void;
  presence(presence: ServerData<'presence'>): void;
  typing(typing: ServerData<'typing'>): void;
  /** Following was refused permanently. */
  refused(error: VerbatimError): void;
}

/** A frame about a room that is not an answer. */
export type RoomFrame = Extract<ServerFrame, { event: 'events' | 'presence' | 'typing' | 'removed' }>;

const again: Backoff = { first: 250, most: 5_000 };
/** Milliseconds for which a server that does not know a revision yet is assumed to be catching up. */
const CATCHING_UP = 10_000;
/** After this many consecutive `internal` errors it is a bug, not an accident. */
const MOST_INTERNAL = 5;

/**
 * The events of one room, over successive connections: each one is asked for the events after the last revision
 * received. Known revisions are skipped; after a gap, everything is requested again.
 */
export class RoomFeed {
  /** `asked`: the server has not answered yet, and anything before its answer is outdated. */
  private state: 'waiting' | 'asked' | 'live' | 'paused' | 'ended' = 'waiting';
  private connection: Connection | null = null;
  private turn = 0;
  private takeBack: () => unknown = () => undefined;
  /**
   * Nothing has come yet since the server agreed. What a reader may not see, because it was before their time, is left
   * out at this place and nowhere else; every other gap is a fault.
   */
  private atStart = false;
  private failures = 0;
  private behindSince: number | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;

  /** @param received the last revision received; null: from now on. */
  constructor(
    readonly room: string,
    private received: number | null,
    private readonly reader: FeedReader,
    private readonly reason?: string,
  ) {}

  /** There is a new connection, on which nothing is followed yet. */
  connect(connection: Connection): void {
    this.connection = connection;
    this.failures = 0;
    if (this.state !== 'paused' && this.state !== 'ended') this.ask();
  }

  /** Takes a frame about this room. */
  hear(frame: RoomFrame): void {
    if (this.state !== 'live') return;
    if (frame.event === 'events') this.takeEvents(frame.data.events);
    else if (frame.event === 'presence') this.reader.presence(frame.data);
    else if (frame.event === 'typing') this.reader.typing(frame.data);
    else this.expelled(frame.data.reason);
  }

  /** Pauses the server until `resume`, which requests the skipped events. */
  pause(): void {
    if (this.state === 'ended' || this.state === 'paused') return;
    this.leave('paused');
    this.connection?.send('unfollow', { room: this.room });
  }

  resume(): void {
    if (this.state === 'paused') this.ask();
  }

  close(): void {
    if (this.state === 'ended') return;
    const following = this.state === 'asked' || this.state === 'live';
    this.leave('ended');
    if (following) this.connection?.send('unfollow', { room: this.room });
  }

  private ask(): void {
    if (this.state === 'ended') return;
    this.leave('asked');
    const { connection, room, received, reason, turn } = this;
    if (!connection?.open) {
      this.leave('waiting');
      return;
    }
    const wished = { room, ...(received !== null && { after: received }), ...(reason !== undefined && { reason }) };
    this.takeBack = connection.ask('follow', wished, (answer) => {
      if (turn !== this.turn) return;
      if (answer instanceof VerbatimError) this.refused(answer);
      else if (answer instanceof Unanswered || answer.event !== 'following') this.leave('waiting');
      else this.agreed(answer.data);
    });
  }

  private agreed({ revision, recovered }: ServerData<'following'>): void {
    const { received } = this;
    if (recovered || received === null) {
      this.state = 'live';
      this.atStart = true;
      this.failures = 0;
      this.behindSince = null;
      this.received ??= revision;
      this.reader.agreed(this.received);
    } else if (received > revision && this.mayCatchUp()) {
      this.askLater();
    } else {
      this.behindSince = null;
      this.received = revision;
      this.reader.reset(received, revision);
      this.ask();
    }
  }

  /** Another server may have sent a revision that this one has not received yet. */
  private mayCatchUp(): boolean {
    this.behindSince ??= Date.now();
    return Date.now() - this.behindSince < CATCHING_UP;
  }

  private refused(error: VerbatimError): void {
    const accident = error.code === 'internal' && this.failures < MOST_INTERNAL;
    // `conflict`: another frame about this room came in between, for example from following that was just closed.
    if (error.retryable || accident || error.code === 'conflict') {
      this.askLater();
    } else {
      this.leave('ended');
      this.reader.refused(error);
    }
  }

  private takeEvents(events: readonly LiveEvent[]): void {
    const fresh: LiveEvent[] = [];
    let whole = Array.isArray(events);
    let size = 0;
    for (const event of whole ? events : []) {
      const received = this.received as number;
      if (event.revision <= received) continue;
      whole = event.revision === received + 1 || this.atStart;
      if (!whole) break;
      this.atStart = false;
      this.received = event.revision;
      fresh.push(event);
      size += sizeOf(event);
    }
    if (!whole) this.askLater();
    if (fresh.length > 0) this.reader.events(fresh, size);
  }

  private expelled(reason: ServerData<'removed'>['reason']): void {
    this.leave('ended');
    this.reader.removed(reason);
  }

  private askLater(): void {
    this.leave('waiting');
    this.failures += 1;
    this.retry = setTimeout(() => this.ask(), pauseAfter(this.failures, again));
  }

  /** Discards earlier requests and plans. */
  private leave(state: typeof this.state): void {
    clearTimeout(this.retry);
    // A `follow` that has not been sent yet would be overtaken by an `unfollow`.
    this.takeBack();
    this.turn += 1;
    this.state = state;
  }
}

/** Only the texts of an event can be long. */
function sizeOf({ data }: LiveEvent): number {
  let size = 200;
  for (const value of Object.values(data)) if (typeof value === 'string') size += value.length;
  return size;
}
