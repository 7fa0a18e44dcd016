import { type Face, sameForMembers } from '@verbatim/domain';
import type { Following } from './following.js';
import type { LiveEvent } from './live-event.js';
import type { EncodedEvents, Encoder } from './subscriber.js';

/** Events of a room (at least one) for many subscribers, encoded once per encoder and face. */
export class EncodedRun {
  /** Revision before the first event. */
  readonly after: bigint;
  private readonly through: bigint;
  private readonly oneForMembers: boolean;
  private readonly encoded: Encoded[] = [];
  // Consecutive subscribers mostly share an encoder and a face.
  private last: Encoded | undefined;

  constructor(
    private readonly roomId: string,
    readonly events: readonly LiveEvent[],
  ) {
    this.after = (events[0] as LiveEvent).revision - 1n;
    this.through = (events.at(-1) as LiveEvent).revision;
    this.oneForMembers = events.every(({ event }) => sameForMembers(event));
  }

  /** For a live subscriber that already has everything up to `after`. */
  sendTo(following: Following): void {
    const { subscriber } = following;
    const face = this.oneForMembers && following.face !== 'auditor' ? 'member' : following.face;
    const pieces = this.encodedFor(subscriber.encoder, face);
    // No iterator: this runs once per delivery.
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i] as EncodedEvents;
      subscriber.write(piece.bytes, piece);
    }
    following.sent = this.through;
  }

  private encodedFor(encoder: Encoder, face: Face): readonly EncodedEvents[] {
    if (this.last?.encoder !== encoder || this.last.face !== face) {
      this.last = this.encoded.find((known) => known.encoder === encoder && known.face === face);
      if (!this.last) {
        this.last = { encoder, face, pieces: encoder.events(this.roomId, this.events, face) };
        this.encoded.push(this.last);
      }
    }
    return this.last.pieces;
  }
}

interface Encoded {
  readonly encoder: Encoder;
  readonly face: Face;
  readonly pieces: readonly EncodedEvents[];
}
