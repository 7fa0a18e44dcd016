import type { Actor, Face, StreamCategory } from '@verbatim/domain';
import type { LiveEvent, Person } from './live-event.js';

/** Why a subscriber is ended. */
export type EndReason =
  /** Something could not be delivered. The client may reconnect at once and resume after the last revision it has. */
  | 'drain'
  /** The account was suspended or deactivated, or the session or token was revoked. */
  | 'revoked'
  /** The person has to sign in again, because their role now requires a second factor. */
  | 'unauthenticated';

/** Why a room is no longer followed: the person left, was removed, or lost the right to read it. */
export type RemovalReason = 'left' | 'removed' | 'revoked';

/** Encoded events of one room, in order, up to and including revision `through`. */
export interface EncodedEvents {
  readonly roomId: string;
  readonly bytes: Buffer;
  readonly through: bigint;
}

/**
 * Encodes live events as the bytes of one protocol. All subscribers of a protocol share one encoder, so that everyone who
 * sees the same gets the same bytes. Null: the protocol has no such message, and nothing is written.
 */
export interface Encoder {
  /** `events` of a room as `face` sees them, in as few chunks as their size allows. */
  events(roomId: string, events: readonly LiveEvent[], face: Face): readonly EncodedEvents[];
  /** The room is no longer followed. */
  removed(roomId: string, reason: RemovalReason): Buffer | null;
  /** A follower of the room came or went. */
  presence(roomId: string, person: Person, online: boolean): Buffer | null;
  /** A follower of the room is typing. */
  typing(roomId: string, person: Person): Buffer | null;
  /** Streams of these categories have changed; for subscribers that watch the whole service. */
  changed(categories: readonly StreamCategory[]): Buffer | null;
  /** The person may no longer watch the whole service. */
  unwatched(): Buffer | null;
}

/** Receives live events: a WebSocket, a long-polling client, an MQTT session. */
export interface Subscriber {
  /** Changes with the person's role on the server. */
  actor: Actor;
  readonly username: string;
  /** The session that the subscriber belongs to, or the personal token used instead. */
  readonly sessionId: string;
  readonly encoder: Encoder;
  /** False as soon as nothing more can be written. */
  readonly open: boolean;
  /** Whether so much is waiting to be sent that catching up has to pause. */
  readonly congested: boolean;
  /** Never blocks and never throws. `events` describes the bytes if they are room events, so that positions can be kept. */
  write(bytes: Buffer, events?: EncodedEvents): void;
  /** Resolves when everything written has been sent, or the subscriber has ended. */
  drained(): Promise<void>;
  close(reason: EndReason): void;
}

/** One value per encoder, computed when it is first needed. */
export class PerEncoder<T> {
  private readonly values = new Map<Encoder, T>();
  /** Consecutive subscribers mostly share an encoder. */
  private last: { readonly encoder: Encoder; readonly value: T } | null = null;

  constructor(private readonly compute: (encoder: Encoder) => T) {}

  get(encoder: Encoder): T {
    if (this.last?.encoder === encoder) return this.last.value;
    const value = this.values.has(encoder) ? (this.values.get(encoder) as T) : this.compute(encoder);
    this.values.set(encoder, value);
    this.last = { encoder, value };
    return value;
  }
}
