import type { Face } from '@verbatim/domain';
import type { Connection } from '../doors/websocket/connection.js';
import type { LiveEvent } from './live-event.js';

/** Events held back for one connection while the past is read; past this they are read from the store instead. */
export const MOST_HELD = 2_000;

/**
 * One connection's following of one room. While the past is being sent, events that happen meanwhile are held back;
 * when too many are, they are dropped and the past is read further on instead, so memory stays bounded and nothing is
 * sent twice or left out.
 */
export class Following {
  /** `live` once the past has been sent. */
  private state: 'catching-up' | 'live' | 'ended' = 'catching-up';
  private held: LiveEvent[] = [];
  private overflowed = false;
  face: Face = 'member';
  /** Whether others were told that this person follows the room. */
  announced = false;
  private judgedAt: bigint | null = null;
  /** Revision of the last event sent; everything up to it is known to the client. */
  sent = -1n;

  constructor(
    readonly connection: Connection,
    readonly roomId: string,
  ) {}

  get live(): boolean {
    return this.state === 'live';
  }

  get ended(): boolean {
    return this.state === 'ended';
  }

  /** What may be read was decided on the room's state at `revision`. */
  judge(face: Face, revision: bigint): void {
    this.face = face;
    this.judgedAt = revision;
  }

  /**
   * Whether what happened at `revision` was not known yet when it was decided what may be read. The feed may come to it
   * later than the room's state does.
   */
  judgedBefore(revision: bigint): boolean {
    return this.judgedAt !== null && this.judgedAt < revision;
  }

  hold(events: readonly LiveEvent[]): void {
    if (this.overflowed) return;
    if (this.connection.eventsHeld + events.length > MOST_HELD) {
      this.overflowed = true;
      this.letGo();
    } else {
      this.held.push(...events);
      this.connection.eventsHeld += events.length;
    }
  }

  /**
   * The past up to `sent` is with the client. Gives the events held back since, and goes live; null when some were
   * dropped, and more of the past has to be read.
   */
  goLive(): LiveEvent[] | null {
    if (this.overflowed) {
      this.overflowed = false;
      return null;
    }
    this.state = 'live';
    return this.letGo().filter((event) => event.revision > this.sent);
  }

  end(): void {
    this.state = 'ended';
    this.letGo();
  }

  private letGo(): LiveEvent[] {
    const { held } = this;
    this.held = [];
    this.connection.eventsHeld -= held.length;
    return held;
  }
}
