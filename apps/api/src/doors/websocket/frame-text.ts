import { isUtf8 } from 'node:buffer';
import {
  type ClientEvent,
  clientFrames,
  type Frame,
  frameSchema,
  isClientEvent,
  issuesToErrors,
  type ServerData,
  type ServerEvent,
} from '@verbatim/protocol';
import { textFrame } from '../../host/websocket-frames.js';
import { isPlain } from '../plain-json.js';
import { Refusal } from '../refusal.js';

/** A client's reference for a frame, which is returned in the response. */
export type Ref = string | number | undefined;

/** A client's frame with data that fits its event. */
export interface CheckedFrame {
  readonly event: ClientEvent;
  readonly ref?: string | number;
  readonly data: unknown;
}

/** A frame that cannot be handled; `ref` is the client's, if it could be read. */
export class BadFrame extends Error {
  constructor(
    readonly ref: Ref,
    readonly refusal: Refusal,
  ) {
    super(refusal.message);
  }
}

/** Reads one frame. Throws BadFrame, which says what is wrong with it. */
export function readFrame(bytes: Buffer, isBinary: boolean): CheckedFrame {
  if (isBinary) throw bad(undefined, 'Send frames as text.');
  if (!isUtf8(bytes)) throw bad(undefined, 'The frame is not valid UTF-8.');
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw bad(undefined, 'The frame is not valid JSON.');
  }
  if (!isPlain(json)) throw bad(refOf(json), 'The frame is nested too deeply, or a number in it is too large.');
  const envelope = frameSchema.safeParse(json);
  if (!envelope.success) {
    throw bad(refOf(json), 'The frame does not have the right form.', issuesToErrors(envelope.error, 'frame'));
  }
  const { event, ref, data }: Frame = envelope.data;
  if (!isClientEvent(event)) throw bad(ref, 'There is no such event.');
  const checked = clientFrames[event].safeParse(data);
  if (!checked.success) throw bad(ref, 'The data does not have the right form.', issuesToErrors(checked.error, 'data'));
  return { event, ...(ref !== undefined && { ref }), data: checked.data };
}

function bad(ref: Ref, detail: string, errors?: ReturnType<typeof issuesToErrors>): BadFrame {
  return new BadFrame(ref, new Refusal('invalid_request', detail, errors ? { errors } : {}));
}

function refOf(json: unknown): Ref {
  return frameSchema.shape.ref.safeParse((json as { ref?: unknown } | null)?.ref).data;
}

/** A frame of the server as it goes over the wire. */
export const encode = <E extends ServerEvent>(event: E, data: ServerData<E>, ref?: Ref): Buffer =>
  textFrame(JSON.stringify(ref === undefined ? { event, data } : { event, ref, data }));
