import { isUtf8 } from 'node:buffer';
import { isPlain } from '../plain-json.js';
import { colorOf } from './colors.js';

/** Bytes of a client's frame; a longer one ends the connection. */
export const MAX_FRAME_BYTES = 512;

/** How a person appears to clients of this door. */
export interface Look {
  readonly name: string;
  readonly color: string;
  /** Whether this is a registered person, not a guest or a bot. */
  readonly verified: boolean;
}

/** A frame of a client. All its other claims are ignored. */
export interface ClientFrame {
  readonly event: 'join' | 'send' | 'leave';
  readonly name: string;
  readonly color: string;
  readonly msg: string;
}

/** Reads a frame; null if it is invalid, and then ignored as in chitchat. */
export function readFrame(bytes: Buffer): ClientFrame | null {
  if (bytes.length === 0 || !isUtf8(bytes)) return null;
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null || !isPlain(json)) return null;
  const { event_type: event, name, color, msg = '' } = json as Record<string, unknown>;
  if (event !== 'join' && event !== 'send' && event !== 'leave') return null;
  if (typeof name !== 'string' || name === '' || typeof msg !== 'string') return null;
  if (event === 'send' && msg === '') return null;
  return { event, name, color: colorOf(color), msg };
}

/** An event of a room, as sent to clients. */
export interface ServerFrame {
  readonly event_type: ClientFrame['event'];
  readonly name: string;
  readonly color: string;
  readonly msg: string;
  readonly room_id: number;
  /** RFC 3339. */
  readonly time: string;
  /** Only where the author is a registered person. */
  readonly verified?: true;
}

export const frameOf = (
  event: ClientFrame['event'],
  { name, color, verified }: Look,
  msg: string,
  room: number,
  time: string,
): ServerFrame => ({ event_type: event, name, color, msg, room_id: room, time, ...(verified && { verified }) });

export const joinText = (name: string): string => `${name} entered the room.`;
export const leaveText = (name: string): string => `${name} has left the room.`;
