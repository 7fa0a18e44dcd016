import { view } from '@verbatim/domain';
import { z } from 'zod';
import type { EncodedEvents, Encoder } from '../../live/subscriber.js';
import { frameOf, joinText, type Look, leaveText, type ServerFrame } from './frames.js';
import type { People } from './people.js';

const person = z.object({ id: z.string(), username: z.string() });

/**
 * An event of a room, before it is known how the people appear to clients. Live delivery encodes synchronously, but names
 * and colours may have to be looked up.
 */
const note = z.discriminatedUnion('what', [
  z.object({ what: z.literal('said'), by: z.string(), text: z.string(), at: z.string() }),
  z.object({ what: z.literal('moved'), person, online: z.boolean() }),
  z.object({ what: z.literal('over') }),
]);
type Note = z.infer<typeof note>;
const notes = z.array(note);

const write = (...all: Note[]): Buffer => Buffer.from(JSON.stringify(all));

/** Encodes for connections of this door: notes, which a `Translator` turns into frames. */
export const noteEncoder: Encoder = {
  events(roomId, events, face): EncodedEvents[] {
    const last = events.at(-1);
    if (!last) return [];
    const found = events.flatMap(({ event, replaced }): Note[] => {
      if (event.type === 'ChatClosed') return [{ what: 'over' }];
      if (event.type !== 'MessagePosted' || replaced) return [];
      const { text, kind } = view(event, face, replaced) as { text?: string | null; kind?: string };
      if (typeof text !== 'string') return [];
      return [{ what: 'said', by: event.actor ?? '', text: kind === 'action' ? `* ${text}` : text, at: event.at }];
    });
    return [{ roomId, bytes: write(...found), through: last.revision }];
  },
  presence: (_room, { id, username }, online) => write({ what: 'moved', person: { id, username }, online }),
  /** Left, removed or revoked: the connection ends. */
  removed: () => write({ what: 'over' }),
  ...{ typing: () => null, changed: () => null, unwatched: () => null },
};

/** Whether these bytes only announce a join or leave. */
export const isMove = (bytes: Buffer): boolean => readNotes(bytes).every(({ what }) => what === 'moved');

const readNotes = (bytes: Buffer): Note[] => notes.parse(JSON.parse(bytes.toString('utf8')));

/** The frames that a connection sends, and whether it ends after them. */
export interface Translated {
  readonly frames: readonly Buffer[];
  readonly over: boolean;
}

/** Turns notes into frames, once for all connections that get the same bytes. */
export class Translator {
  private readonly known = new WeakMap<Buffer, Promise<Translated>>();

  constructor(private readonly people: People) {}

  translate(bytes: Buffer, room: { readonly roomId: string; readonly number: number }): Promise<Translated> {
    const known = this.known.get(bytes) ?? this.read(readNotes(bytes), room);
    this.known.set(bytes, known);
    return known;
  }

  private async read(all: readonly Note[], room: { roomId: string; number: number }): Promise<Translated> {
    for (const note of all) if (note.what === 'moved') this.people.forget(room.roomId, note.person.id);
    const looks = await this.people.look(
      room.roomId,
      all.map(personIn).filter((id) => id !== ''),
    );
    const frames = all.flatMap((note) => {
      const look = looks.get(personIn(note));
      const frame = look && look.name !== '' ? frameIn(note, look, room.number) : null;
      return frame ? [Buffer.from(JSON.stringify(frame))] : [];
    });
    return { frames, over: all.some(({ what }) => what === 'over') };
  }
}

/** The people that a note is about; may be empty. */
const personIn = (note: Note): string => (note.what === 'said' ? note.by : note.what === 'moved' ? note.person.id : '');

function frameIn(note: Note, look: Look, room: number): ServerFrame | null {
  if (note.what === 'said') return frameOf('send', look, note.text, room, note.at);
  if (note.what === 'over') return null;
  const [event, text] = note.online ? (['join', joinText] as const) : (['leave', leaveText] as const);
  return frameOf(event, look, text(look.name), room, new Date().toISOString());
}
