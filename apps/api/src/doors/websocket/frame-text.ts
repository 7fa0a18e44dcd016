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
import type { ErrorAnswer } from '../refusal.js';

/** A client's reference for a frame, which is returned in the response. */
export type Ref = string | number | undefined;

/** A client's frame with data that fits its event. */
export interface CheckedFrame {
  readonly event: ClientEvent;
  readonly ref?: string | number;
  readonly data: unknown;
}

/** A frame that cannot be handled; `ref` is the client's, if it could be read. No Error: a flood of them has to stay cheap. */
export interface BadFrame {
  readonly ref: Ref;
  readonly fault: ErrorAnswer;
}

const notJson = 'The frame is not valid JSON.';

/** Reads one frame, or returns what is wrong with it. */
export function readFrame(bytes: Buffer, isBinary: boolean): CheckedFrame | BadFrame {
  if (isBinary) return bad(undefined, 'Send frames as text.');
  // Without the cost of an error for each frame of a flood.
  if (bytes.length === 0) return bad(undefined, notJson);
  if (!isUtf8(bytes)) return bad(undefined, 'The frame is not valid UTF-8.');
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return bad(undefined, notJson);
  }
  if (!isPlain(json)) return bad(refOf(json), 'The frame is nested too deeply, or a number in it is too large.');
  const envelope = frameSchema.safeParse(json);
  if (!envelope.success) {
    return bad(refOf(json), 'The frame does not have the right form.', issuesToErrors(envelope.error, 'frame'));
  }
  const { event, ref, data }: Frame = envelope.data;
  if (!isClientEvent(event)) return bad(ref, 'There is no such event.');
  const checked = clientFrames[event].safeParse(data);
  if (!checked.success)
    return bad(ref, 'The data does not have the right form.', issuesToErrors(checked.error, 'data'));
  return { event, ...(ref !== undefined && { ref }), data: checked.data };
}

function bad(ref: Ref, detail: string, errors?: ReturnType<typeof issuesToErrors>): BadFrame {
  return { ref, fault: { code: 'invalid_request', detail, more: errors ? { errors } : {} } };
}

function refOf(json: unknown): Ref {
  return frameSchema.shape.ref.safeParse((json as { ref?: unknown } | null)?.ref).data;
}

/** A frame of the server as it goes over the wire. */
export const encode = <E extends ServerEvent>(event: E, data: ServerData<E>, ref?: Ref): Buffer =>
  textFrame(JSON.stringify(ref === undefined ? { event, data } : { event, ref, data }));
