import { type Face, happenedAt, view } from '@verbatim/domain';
import { messageText } from '@verbatim/protocol';
import { z } from 'zod';
import type { LiveEvent } from '../../live/live-event.js';
import type { EncodedEvents, Encoder } from '../../live/subscriber.js';
import { isPlain } from '../plain-json.js';
import { nanoseconds } from './envelope.js';

/** A packet of a client. The member `author` of the original is ignored: the author is the signed-in person. */
export interface Packet {
  readonly recipient: string;
  /** A valid message text. */
  readonly message: string;
  /** Our addition: a UUID; packets with the same id are posted once. */
  readonly id?: string | undefined;
}

/** A packet that cannot be posted. */
export interface RefusedPacket {
  /** The reason, for the client. */
  readonly refused: string;
  readonly id?: string | undefined;
}

/** Code units of a recipient, far above those of any username. */
const RECIPIENT_UNITS = 256;

const packet = z.object({ recipient: z.string(), message: z.string(), id: z.uuid().optional().catch(undefined) });

/** Reads a packet. The result is small, however long the packet was. */
export function readPacket(bytes: Buffer): Packet | RefusedPacket {
  const read = packet.safeParse(plainJson(bytes)).data;
  if (!read) return { refused: 'please send an object with a recipient and a message' };
  const { recipient, id } = read;
  const { data: message, error } = messageText.safeParse(read.message);
  if (message === undefined) return { refused: `the message ${error.issues[0]?.message}`, id };
  if (recipient.length > RECIPIENT_UNITS) return { refused: unknownUsername, id };
  return { recipient, message, id };
}

export const unknownUsername = 'unknown username';

/** Undefined if it is not one. */
function plainJson(bytes: Buffer): unknown {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    return isPlain(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** A message as clients get it, live and in threads. `message_type` 0 is a text; there is no other type. */
export interface SentMessage {
  readonly author: string;
  readonly recipient: string;
  readonly message: string;
  readonly message_type: 0;
  readonly created_at: string;
}

export const sentMessage = (author: string, recipient: string, message: string, at: string): SentMessage => ({
  author,
  recipient,
  message,
  message_type: 0,
  created_at: nanoseconds(at),
});

/** Encodes the messages to one person, each as the JSON of a packet. Their own messages are not sent to them. */
export class PacketEncoder implements Encoder {
  constructor(
    private readonly userId: string,
    private readonly username: string,
  ) {}

  events(roomId: string, events: readonly LiveEvent[], face: Face): readonly EncodedEvents[] {
    return events.map((live) => ({ roomId, through: live.revision, bytes: this.packet(live, face) }));
  }

  private packet({ event, actor, replaced }: LiveEvent, face: Face): Buffer {
    if (event.type !== 'MessagePosted' || actor === null || actor.id === this.userId) return nothing;
    const { text } = view(event, face, replaced);
    if (typeof text !== 'string') return nothing;
    return Buffer.from(JSON.stringify(sentMessage(actor.username, this.username, text, happenedAt(event))));
  }

  removed = () => null;
  presence = () => null;
  typing = () => null;
  changed = () => null;
  unwatched = () => null;
}

const nothing = Buffer.alloc(0);
