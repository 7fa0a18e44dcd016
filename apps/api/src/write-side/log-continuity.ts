import { type Recorded, type Rejection, reject } from '@verbatim/domain';
import { type EventStore, serverName } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Gate } from './mailbox.js';

/** Milliseconds between two looks at the log. */
const LOOK_EVERY_MS = 1_000;
/** Milliseconds after which the earlier of the two events that are looked at is replaced. */
const EARLIER_MS = 30_000;

/** An event that this process has read, with what identifies it. */
type Read = Pick<Recorded, 'stream' | 'revision' | 'position' | 'id' | 'hash'>;

/**
 * Finds out when the log is not the one that this process has read: it was put back to an earlier state, by a backup or by a
 * standby that had not got everything. States and sockets then show what is gone, and what was appended on top of them would
 * break chains. So from then on nothing is recorded, and the process has to be restarted.
 *
 * Each second, and whenever there is a reason to doubt, it looks whether the newest event that was read is still at its place,
 * and one from up to a minute ago: the log may have grown past the newest again. Either costs one look-up by index. What is
 * missing is looked for twice, since a standby that is just taking over may show it only a moment later.
 */
export class LogContinuity implements Gate {
  /** Resolves with a sentence when the log is another one. */
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

  /** Whether the log is the one that was read, as far as is known. */
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

  /** Takes the last event of the log for read, and begins to look. To be called once, before the feed starts. */
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

  /** Looks now: something has happened that does not happen to a log. Resolves when that is done; never rejects. */
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
