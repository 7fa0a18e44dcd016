import { type ClientEvent, clientFrames, type ErrorCode, type Frame, frameSchema } from '@verbatim/protocol';
import fc from 'fast-check';
import { z } from 'zod';
import {
  type Chance,
  LONG,
  plainJson,
  referencesOf,
  rightObject,
  takes,
  written,
  wrongDocuments,
  wrongInOneField,
} from './bad-values.testing.js';
import type { Town } from './town.testing.js';

/** One frame that must not have an effect and is answered by an error. */
export interface BadFrame {
  readonly what: string;
  readonly bytes: Buffer;
  readonly binary?: boolean;
  readonly codes: readonly ErrorCode[];
  /** What the answer must name as wrong, if it lists what is wrong: `data.text`. */
  readonly names?: string;
}

const REF = 'the-ref';

/** All that can be wrong with the data of a frame, by what the table says of its event. */
export function badFrames(event: ClientEvent, town: Town, chance: Chance): BadFrame[] {
  const schema: z.ZodType = clientFrames[event];
  const wrong = [...wrongInOneField(schema, chance), ...wrongDocuments(schema, chance)];
  const frames = wrong.map(({ what, bytes, field }): BadFrame => {
    const frame = written({ event: plainJson(event), ref: plainJson(REF), data: bytes });
    return {
      what: `${event}: ${what}`,
      bytes: frame,
      codes: ['invalid_request'],
      names: field && takes(frameSchema, frame) ? `data.${field}` : undefined,
    };
  });
  // A document may hold what ends the data early, and then it is another frame.
  return [...frames.filter(({ bytes }) => !isFrame(event, schema, bytes)), ...unknownPlaces(event, town, chance)];
}

/** A frame with these data, unless its event takes them. */
export function randomFrame(event: ClientEvent, data: string): BadFrame | null {
  if (takes(clientFrames[event], Buffer.from(data))) return null;
  const bytes = Buffer.from(`{"event":"${event}","ref":"${REF}","data":${data}}`);
  return { what: `${event} ${data}`, bytes, codes: ['invalid_request'] };
}

function isFrame(event: string, schema: z.ZodType, bytes: Buffer): boolean {
  if (!takes(frameSchema, bytes)) return false;
  const frame = JSON.parse(bytes.toString()) as Frame;
  return frame.event === event && schema.safeParse(frame.data).success;
}

/** Rooms and messages that are not there or not for this person. `unfollow` says nothing of any room, so it may be asked of all. */
function unknownPlaces(event: ClientEvent, town: Town, chance: Chance): BadFrame[] {
  const fields = referencesOf(clientFrames[event]);
  if (!fields.includes('room') || event === 'unfollow') return [];
  const right = { ...rightObject(clientFrames[event]), room: town.room };
  const outside: ErrorCode[] = ['not_a_member', 'forbidden', 'not_found'];
  const places: [what: string, changes: object, codes: ErrorCode[]][] = [
    ['a room that is not there', { room: chance.one(fc.uuid()) }, outside],
    ['a hidden room of others', { room: town.hiddenRoom }, outside],
    ['a private room of others', { room: town.privateRoom }, outside],
  ];
  if (event !== 'join') places.push(['a public room of others', { room: town.publicRoom }, outside]);
  if (fields.includes('messageId')) {
    places.push(['a message that is not there', { messageId: chance.one(fc.uuid()) }, ['not_found']]);
    places.push(['a message of another room', { messageId: town.foreignMessage }, ['not_found']]);
  }
  if (fields.includes('replyTo')) places.push(['an answer to nothing', {}, ['not_found']]);
  return places.map(([what, changes, codes]) => ({
    what: `${event}: ${what}`,
    bytes: plainJson({ event, ref: REF, data: { ...right, ...changes } }),
    codes,
  }));
}

/** The mark that the answer to a frame must carry; undefined where the frame has none that can be read. */
export function markOf({ bytes, binary }: BadFrame): unknown {
  const marked = z.object({ ref: frameSchema.shape.ref });
  return !binary && takes(marked, bytes) ? (JSON.parse(bytes.toString()) as { ref?: unknown }).ref : undefined;
}

/** What is no frame at all, or a frame without an event of the table. */
export function noFrames(town: Town, chance: Chance): BadFrame[] {
  const right = plainJson({ event: 'post', ref: REF, data: { room: town.room, text: 'hello' } });
  const marks = ['null', 'true', '{}', '[]', '["a"]', '1e400', '-1e400', `"${LONG.repeat(101)}"`, '{"toString":"a"}'];
  const names = [
    'hello',
    '',
    'Post',
    'post ',
    '__proto__',
    'constructor',
    'toString',
    'hello\u0000',
    '\ud800',
    LONG.repeat(90),
    'connection',
  ];
  const events = ['null', '5', '{}', '["post"]', '{"toString":"post"}', '1e400', `"${LONG.repeat(50_000)}"`];
  const documents = wrongDocuments(frameSchema, chance).map(({ what, bytes }) => ({ what, bytes }));
  return [
    ...documents,
    { what: 'bytes that are no text', bytes: right, binary: true },
    { what: 'random bytes', bytes: Buffer.from(chance.one(fc.uint8Array({ minLength: 100 }))), binary: true },
    { what: 'no event', bytes: plainJson({ ref: REF, data: {} }) },
    ...names.map((name) => ({ what: `event ${name}`, bytes: plainJson({ event: name, ref: REF }) })),
    ...events.map((text) => ({
      what: `event ${text.slice(0, 60)}`,
      bytes: Buffer.from(`{"event":${text},"ref":"${REF}"}`),
    })),
    ...marks.map((mark) => ({
      what: `ref ${mark.slice(0, 60)}`,
      bytes: Buffer.from(right.toString().replace(`"${REF}"`, mark)),
    })),
    { what: 'ref and event of a prototype', bytes: Buffer.from(`{"__proto__":{"event":"post","ref":"${REF}"}}`) },
  ].map((frame) => ({ codes: ['invalid_request'] as const, ...frame }));
}
