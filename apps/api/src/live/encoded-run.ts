import { type Face, sameForMembers } from '@verbatim/domain';
import type { Following } from './following.js';
import type { LiveEvent } from './live-event.js';
import { type EncodedEvents, type Encoder, PerEncoder } from './subscriber.js';

/** Events of a room (at least one) for many subscribers, encoded once per encoder and face. */
export class EncodedRun {
  /** Revision before the first event. */
  readonly after: bigint;
  private readonly through: bigint;
  private readonly oneForMembers: boolean;
  private readonly all = new PerEncoder<Partial<Record<Face, readonly EncodedEvents[]>>>(() => ({}));
  // Consecutive subscribers mostly share an encoder and a face.
  private encoder: Encoder | null = null;
  private face: Face | null = null;
  private pieces: readonly EncodedEvents[] = [];

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
    if (encoder !== this.encoder || face !== this.face) {
      const byFace = this.all.get(encoder);
      byFace[face] ??= encoder.events(this.roomId, this.events, face);
      this.encoder = encoder;
      this.face = face;
      this.pieces = byFace[face];
    }
    return this.pieces;
  }
}
