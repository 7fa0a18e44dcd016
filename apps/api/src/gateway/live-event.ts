import { type Face, type Recorded, view, WITHHELD, withheld } from '@verbatim/domain';
import type { Person } from '@verbatim/protocol';
import { wireFrame } from './frame-text.js';

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

/** The frames that tell `events` of a room to readers of one face: as few as their size allows. */
export function eventFrames(roomId: string, events: readonly LiveEvent[], face: Face): Buffer[] {
  const frames: Buffer[] = [];
  let texts: string[] = [];
  let size = 0;
  const cut = () => {
    if (texts.length > 0)
      frames.push(wireFrame(`{"event":"events","data":{"room":"${roomId}","events":[${texts.join(',')}]}}`));
    texts = [];
    size = 0;
  };
  for (const live of events) {
    const text = JSON.stringify(shown(live, face));
    texts.push(text);
    size += text.length;
    if (size > FRAME_BYTES) cut();
  }
  cut();
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
