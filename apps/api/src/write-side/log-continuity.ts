import { type Recorded, type Rejection, reject } from '@verbatim/domain';
import { type EventStore, serverName } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Gate } from './mailbox.js';

/** Milliseconds between two checks of the log. */
const LOOK_EVERY_MS = 1_000;
/** Milliseconds after which the earlier of the two checked events is replaced. */
const EARLIER_MS = 30_000;

/** Identifies an event that this process has read. */
type Read = Pick<Recorded, 'stream' | 'revision' | 'position' | 'id' | 'hash'>;

/**
 * Detects that the log was rolled back to an earlier state than this process has read, by restoring a backup or by an
 * incomplete standby. States and sockets then show lost events, and appends on top of them would break chains. So nothing
 * is recorded any more, and the process has to be restarted.
 *
 * Every second, and whenever there is reason for doubt, it checks that the newest event read is still at its place, and one
 * from up to a minute ago, because a rolled-back log may have grown past the newest again. Each check is one index look-up.
 * A missing event is checked twice, because a standby that is taking over may show it a moment later.
 */
export class LogContinuity implements Gate {
  /** Resolves with a sentence when the log was rolled back. */
  readonly broken: Promise<string>;
  private resolveBroken: (sentence: string) => void = () => undefined;
  private newest: Read | null = null;
  private earlier: Read | null = null;
  private earlierSince = 0;
  private state: 'intact' | 'in doubt' | 'broken' = 'intact';
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;

  constructor(
    private readonly store: Pick<EventStore, 'read' | 'last'>,
    private readonly url: string,
    private readonly log: Logger,
  ) {
    this.broken = new Promise((resolve) => {
      this.resolveBroken = resolve;
    });
  }

  /** Whether the log still has the events that were read, as far as is known. */
  get intact(): boolean {
    return this.state === 'intact';
  }

  /** Position of the newest event that was read; -1 before the first. */
  get position(): bigint {
    return this.newest?.position ?? -1n;
  }

  /** Nothing is recorded on top of a log that lacks what was read. */
  refusal(): Rejection | null {
    return this.intact
      ? null
      : reject('Unavailable', 'The log was put back to an earlier state. The service starts again.');
  }

  /** Treats the last event of the log as read, and starts checking. Call once, before the feed starts. */
  async start(): Promise<void> {
    this.newest = await this.store.last();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    this.newest = events.at(-1) ?? this.newest;
  }

  /** Checks now, because the log seems inconsistent. Resolves when done; never rejects. */
  look(): Promise<void> {
    this.looking ??= this.compare().finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async compare(): Promise<void> {
    const { newest, earlier } = this;
    if (!newest || this.state === 'broken') return;
    try {
      const missing = (await this.isMissing(newest))
        ? newest
        : earlier && (await this.isMissing(earlier))
          ? earlier
          : null;
      if (missing) return this.miss(missing);
    } catch {
      // The store is unavailable, which others report. Until it is back, nothing can be checked.
      return;
    }
    this.state = 'intact';
    if (performance.now() - this.earlierSince < EARLIER_MS) return;
    this.earlier = newest;
    this.earlierSince = performance.now();
  }

  private async isMissing({ stream, revision, position, id, hash }: Read): Promise<boolean> {
    const [found] = await this.store.read(stream, revision, 1);
    return found?.id !== id || found.hash !== hash || found.position !== position;
  }

  private miss({ stream, revision, position }: Read): void {
    if (this.state === 'intact') {
      this.state = 'in doubt';
      return;
    }
    this.state = 'broken';
    this.stop();
    const sentence =
      `The log in ${serverName(this.url)} is behind what this process has read: event ${revision} of ${stream}, at position ` +
      `${position}, is missing or another one. It was put back to an earlier state, so the service has to start again`;
    this.log.fatal({ stream, revision: `${revision}`, position: `${position}` }, `${sentence}.`);
    this.resolveBroken(sentence);
  }
}
