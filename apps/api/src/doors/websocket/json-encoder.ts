import { type Face, view, WITHHELD, withheld } from '@verbatim/domain';
import { textFrame } from '../../host/websocket-frames.js';
import type { LiveEvent } from '../../live/live-event.js';
import type { EncodedEvents, Encoder } from '../../live/subscriber.js';
import { encode } from './frame-text.js';

/** Size of the text after which a frame of events is cut. */
const FRAME_CHARACTERS = 262_144;

/** Encodes for `/v1/ws`: JSON in whole WebSocket frames. */
export const jsonEncoder: Encoder = {
  events: (roomId, events, face) => {
    const frames: EncodedEvents[] = [];
    let texts: string[] = [];
    let size = 0;
    const cut = (through: bigint) => {
      const bytes = textFrame(`{"event":"events","data":{"room":"${roomId}","events":[${texts.join(',')}]}}`);
      frames.push({ roomId, bytes, through });
      texts = [];
      size = 0;
    };
    for (const live of events) {
      const text = JSON.stringify(shown(live, face));
      texts.push(text);
      size += text.length;
      if (size > FRAME_CHARACTERS) cut(live.revision);
    }
    const last = events.at(-1);
    if (last && texts.length > 0) cut(last.revision);
    return frames;
  },
  removed: (room, reason) => encode('removed', { room, reason }),
  presence: (room, user, online) => encode('presence', { room, user, online }),
  typing: (room, user) => encode('typing', { room, user }),
  changed: (categories) => encode('changed', { categories: [...categories] }),
  unwatched: () => encode('unwatched', {}),
};

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
