import { type Face, type Recorded, type RoomEvent, view, WITHHELD, withheld } from '@verbatim/domain';
import type { Person } from '@verbatim/protocol';
import { wireFrame } from '../doors/websocket/frame-text.js';

/** An event of a room on its way to followers. */
export interface LiveEvent {
  readonly event: Recorded;
  readonly revision: bigint;
  readonly actor: Person | null;
  /** A later edit or redaction has replaced the text. */
  readonly replaced: boolean;
}

/** Bytes after which a frame of past events is cut. */
const FRAME_BYTES = 262_144;

/**
 * The same events, where texts that a later one among them replaces count as replaced: who is told of both at once
 * must not get the first text.
 */
export function withReplaced(events: readonly LiveEvent[]): readonly LiveEvent[] {
  if (!events.some(({ event }) => event.type === 'MessageEdited' || event.type === 'MessageRedacted')) return events;
  const changed = new Set<string>();
  return events
    .toReversed()
    .map((live) => {
      const { type, data } = live.event as RoomEvent;
      if (type !== 'MessagePosted' && type !== 'MessageEdited' && type !== 'MessageRedacted') return live;
      const replaced = live.replaced || changed.has(data.messageId);
      if (type !== 'MessagePosted') changed.add(data.messageId);
      return { ...live, replaced };
    })
    .reverse();
}

/** A frame, and the revision of the last event in it. */
export interface EventFrame {
  readonly bytes: Buffer;
  readonly through: bigint;
}

/** The frames that tell `events` of a room to readers of one face: as few as their size allows. */
export function eventFrames(roomId: string, events: readonly LiveEvent[], face: Face): EventFrame[] {
  const frames: EventFrame[] = [];
  let texts: string[] = [];
  let size = 0;
  const cut = (through: bigint) => {
    const bytes = wireFrame(`{"event":"events","data":{"room":"${roomId}","events":[${texts.join(',')}]}}`);
    frames.push({ bytes, through });
    texts = [];
    size = 0;
  };
  for (const live of events) {
    const text = JSON.stringify(shown(live, face));
    texts.push(text);
    size += text.length;
    if (size > FRAME_BYTES) cut(live.revision);
  }
  const last = events.at(-1);
  if (last && texts.length > 0) cut(last.revision);
  return frames;
}

function shown({ event, actor, replaced }: LiveEvent, face: Face): object {
  const { at } = event;
  if (withheld(event, face)) return { revision: Number(event.revision), type: WITHHELD, at, actor: null, data: {} };
  return {
    revision: Number(event.revision),
    type: event.type,
    at,
    occurredAt: event.occurredAt,
    actor,
    data: view(event, face, replaced),
  };
}
