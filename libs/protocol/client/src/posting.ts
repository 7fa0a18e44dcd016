import type { ServerFrame } from '@verbatim/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Attempt, Caller } from './caller.js';
import type { Connection } from './connection.js';
import { type Patience, persist } from './persistence.js';
import { Unanswered } from './verbatim-error.js';

export interface PostOptions extends Patience {
  /** A UUID for the message; generated if absent. The same id with the same content is posted once. */
  readonly id?: string;
  /** Id of the message in the same room that is replied to. */
  readonly replyTo?: string;
}

/** A message that is stored. */
export interface Posted {
  readonly id: string;
  /** Place in the room. */
  readonly revision: number;
  /** Place in the log of the whole service; from the socket only. */
  readonly position?: number;
  /** RFC 3339, when it was posted; from REST only. */
  readonly at?: string;
  /** Whether an earlier attempt or call with this id had stored it. */
  readonly duplicate: boolean;
}

/** Milliseconds to wait for one answer. */
const ATTEMPT = 10_000;

/** Posts a message once, over the connection if there is one, despite lost connections and servers. */
export function postMessage(
  caller: Caller,
  connection: () => Connection | null,
  room: string,
  text: string,
  { id = uuidv7(), replyTo, ...patience }: PostOptions,
): Promise<Posted> {
  const body = { id, text, ...(replyTo !== undefined && { replyTo }) };
  let failedOnSocket = false;
  return persist({
    ...patience,
    closing: caller.closing,
    id,
    // A closed room still answers a post that it accepted before.
    definite: ['room_closed'],
    attempt: async (left, signal) => {
      const socket = failedOnSocket ? null : connection();
      // In case sockets are the problem, every other attempt uses REST.
      failedOnSocket = socket !== null;
      if (!socket) return overRest(caller, room, body, { left, signal });
      const { data } = await acknowledged(socket, { room, ...body }, Math.min(ATTEMPT, left), signal);
      if (data.position !== undefined) caller.wrote(data.position);
      const { revision = -1, position, duplicate = false } = data;
      return { id, revision, ...(position !== undefined && { position }), duplicate };
    },
  });
}

type Ack = Extract<ServerFrame, { event: 'ack' }>;
type Message = { readonly id: string; readonly text: string; readonly replyTo?: string };

function acknowledged(
  socket: Connection,
  message: Message & { readonly room: string },
  milliseconds: number,
  signal: AbortSignal,
): Promise<Ack> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: ServerFrame | Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      if (outcome instanceof Error) reject(outcome);
      else if (outcome.event === 'ack') resolve(outcome);
      else reject(new Unanswered(true, outcome));
    };
    // An unsent frame has a known outcome, and is withdrawn when the attempt ends.
    const giveUp = (reason: unknown) => settle(new Unanswered(!takeBack(), reason));
    const stop = () => giveUp(signal.reason);
    const timer = setTimeout(() => giveUp(new Error('No answer came in time.')), milliseconds);
    signal.addEventListener('abort', stop, { once: true });
    const takeBack = socket.ask('post', message, settle);
  });
}

async function overRest(caller: Caller, room: string, body: Message, attempt: Attempt): Promise<Posted> {
  const answer = await caller.once('postMessage', { params: { id: room }, body }, attempt);
  const { id, revision, postedAt } = answer.body;
  return { id, revision, at: postedAt, duplicate: answer.status === 200 };
}
