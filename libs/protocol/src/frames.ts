import { type StreamCategory, streamCategories } from '@verbatim/domain';
import { z } from 'zod';
import { userSchema } from './accounts.js';
import { errorFrameSchema } from './errors.js';
import { liveEventSchema } from './events.js';
import {
  emoji,
  formerReaction,
  id,
  inspectionReason,
  invitation,
  messageText,
  position,
  reason,
  revision,
  roomPassword,
  whole,
} from './fields.js';
import { postMessageBody } from './messages.js';
import { maintenanceNow, protocol } from './operation.js';
import { personSchema } from './person.js';
import type { Scope } from './scopes.js';

/** The server pings this often; two beats without an answer end the connection. */
export const heartbeatSeconds = 25;

/** Longer frames end the connection. */
export const maxFrameBytes = 131_072;

/** What every frame is, both ways. `data` is checked by the schema of its event. */
export const frameSchema = z.object({
  event: z.string().max(100),
  ref: z
    .union([z.string().max(100), z.number()], 'must be a number or a string of at most 100 characters')
    .optional()
    .describe("Any value of the client's choice, returned in the answer to this frame."),
  data: z.unknown().optional(),
});
export type Frame = z.output<typeof frameSchema>;

// Client to server --------------------------------------------------------------------------------------------------

const room = id.describe('Id of the room.');
const messageId = id.describe('Id of the message.');

/** Everything there is to know about one frame that clients send. */
interface FrameEntry {
  /** The data that it carries. */
  readonly data: z.ZodType;
  /** The scope that a personal token needs in order to send it over the socket that it opened. */
  readonly scope: Scope;
  /** What answers it, unless an `error` does; null: nothing. */
  readonly answer: ServerEvent | null;
  /** The limit that it counts against, in addition to the limit on frames. */
  readonly spends: 'posts' | 'writes' | null;
}

/** All frames that clients may send. Schemas, scopes, answers and limits are read from here and stated nowhere else. */
const frames = {
  follow: {
    data: z
      .object({
        room,
        after: whole(-1).optional().describe('The last known revision; -1 for none; if absent, from now on.'),
        reason: inspectionReason.optional(),
      })
      .describe('Receive the events of a room: those after a revision, then all new ones, without gaps or duplicates.'),
    scope: 'read',
    answer: 'following',
    spends: null,
  },
  unfollow: {
    data: z.object({ room }).describe('Stop receiving events of a room.'),
    scope: 'read',
    answer: 'unfollowed',
    spends: null,
  },
  post: {
    data: z
      .object({ room, ...postMessageBody.shape })
      .describe('Post a message. Repeated with the same `id` and content, it is posted once.'),
    scope: 'post',
    answer: 'ack',
    spends: 'posts',
  },
  edit: {
    data: z.object({ room, messageId, text: messageText }).describe('Edit one of your messages.'),
    scope: 'post',
    answer: 'ack',
    spends: 'posts',
  },
  redact: {
    data: z.object({ room, messageId, reason }).describe('Remove the text of a message for all readers.'),
    scope: 'post',
    answer: 'ack',
    spends: 'posts',
  },
  react: {
    data: z
      .object({
        room,
        messageId,
        emoji: formerReaction.describe('One emoji.'),
        remove: z.boolean().default(false).describe('Remove the reaction.'),
      })
      .superRefine(({ emoji: wanted, remove }, context) => {
        if (remove) return;
        for (const { message } of emoji.safeParse(wanted).error?.issues ?? [])
          context.addIssue({ code: 'custom', message, path: ['emoji'] });
      })
      .describe('Add or remove a reaction.'),
    scope: 'post',
    answer: 'ack',
    spends: 'posts',
  },
  join: {
    data: z.object({ room, password: roomPassword.optional(), invitation }).describe('Become a member of a room.'),
    scope: 'manage',
    answer: 'ack',
    spends: 'writes',
  },
  leave: {
    data: z.object({ room }).describe('Stop being a member of a room.'),
    scope: 'manage',
    answer: 'ack',
    spends: 'writes',
  },
  read: {
    data: z.object({ room, revision }).describe('Set your read mark. Nobody else sees it.'),
    scope: 'read',
    answer: 'ack',
    spends: null,
  },
  typing: {
    data: z.object({ room }).describe('Tell others in the room that you are typing. Has no answer.'),
    scope: 'read',
    answer: null,
    spends: null,
  },
  watch: {
    data: z
      .object({})
      .prefault({})
      .describe('Get notified when something changes anywhere in the service. For administrators and auditors.'),
    scope: 'read',
    answer: 'watching',
    spends: null,
  },
  unwatch: {
    data: z.object({}).prefault({}).describe('Stop these notifications.'),
    scope: 'read',
    answer: 'unwatched',
    spends: null,
  },
  ping: {
    data: z.object({}).prefault({}).describe('Check the connection.'),
    scope: 'read',
    answer: 'pong',
    spends: null,
  },
} as const satisfies Record<string, FrameEntry>;

export type ClientEvent = keyof typeof frames;
export const clientEvents = Object.keys(frames) as ClientEvent[];

/** One property of every entry, by event. */
const column = <K extends keyof FrameEntry>(key: K) =>
  Object.fromEntries(clientEvents.map((event) => [event, frames[event][key]])) as {
    readonly [E in ClientEvent]: (typeof frames)[E][K];
  };

/** The schema of the data of each frame. */
export const clientFrames = column('data');
/** The scope that a personal token needs for each frame. */
export const scopeOfFrame = column('scope');
/** What answers each frame, unless an `error` does; null: nothing. */
export const answerTo = column('answer');
/** The limit that each frame counts against, in addition to the limit on frames. */
export const spentByFrame = column('spends');

/** Whether clients may send frames of this name. */
export const isClientEvent = (event: string): event is ClientEvent => Object.hasOwn(clientFrames, event);

/** The data of a client's frame once it was checked: `ClientData<'post'>`. */
export type ClientData<E extends ClientEvent> = z.output<(typeof clientFrames)[E]>;

/** The data of a frame as clients write it. */
export type ClientDataToSend<E extends ClientEvent> = z.input<(typeof clientFrames)[E]>;

// Server to client --------------------------------------------------------------------------------------------------

export { type StreamCategory, streamCategories };

/** The data of each frame that the server may send. */
export const serverFrames = {
  hello: z
    .object({
      protocol: z.literal(protocol),
      user: userSchema,
      session: id.describe('Id of the session or personal token that opened the connection.'),
      heartbeatSeconds: z.int().min(1).describe('The server pings this often.'),
      maxFrameBytes: z.int().min(1).describe('Longer frames end the connection.'),
      maintenance: maintenanceNow,
    })
    .describe('The first frame: the credential was accepted.'),
  following: z
    .object({
      room,
      revision: whole(-1).describe('The newest revision of the room when following started.'),
      recovered: z
        .boolean()
        .describe(
          'False: the gap is too long to be sent and nothing is followed. Page through the history up to `revision`, ' +
            'then send `follow` with `after` set to it.',
        ),
    })
    .describe('The answer to `follow`. The events themselves come after it.'),
  events: z
    .object({ room, events: z.array(liveEventSchema).min(1) })
    .describe('Events of a followed room, in order of revision. Senders receive their own events too.'),
  unfollowed: z.object({ room }).describe('The answer to `unfollow`.'),
  ack: z
    .object({
      revision: revision.optional().describe('Revision of the event, if there is one.'),
      position: position
        .optional()
        .describe('Position in the log of the whole service: a read that includes it includes the event.'),
      id: id.optional().describe('Id of the message, for `post`.'),
      duplicate: z.boolean().optional().describe('True: it was already stored, and this is the first result.'),
    })
    .describe('The change is stored.'),
  typing: z.object({ room, user: personSchema }).describe('Someone in a followed room is typing.'),
  presence: z
    .object({ room, user: personSchema, online: z.boolean() })
    .describe('Someone in a followed room came or went. May be late or missing.'),
  removed: z
    .object({
      room,
      reason: z
        .enum(['left', 'removed', 'revoked'])
        .describe('`left`: you left; `removed`: someone removed you; `revoked`: you lost the right to read it.'),
    })
    .describe('The room is no longer followed, because you can no longer read it.'),
  watching: z.object({}).describe('The answer to `watch`.'),
  changed: z
    .object({
      categories: z.array(z.enum(streamCategories)).min(1).describe('Categories of the streams with new events.'),
    })
    .describe(
      'Lists and accounts may have changed; read them again. Sent at most once a second, ' + 'however much happens.',
    ),
  unwatched: z.object({}).describe('The answer to `unwatch`. If unsolicited: you may no longer watch.'),
  error: errorFrameSchema.describe('The frame with this `ref` was refused. The connection stays open.'),
  maintenance: z
    .object({ maintenance: maintenanceNow })
    .describe('Maintenance started or ended, or its notice changed.'),
  drain: z
    .object({ retryAfterMs: z.int().min(0).describe('Milliseconds to wait before connecting again.') })
    .describe('The server is shutting down. Reconnect and follow from the last known revisions.'),
  pong: z.object({}).describe('The answer to `ping`.'),
} as const satisfies Record<string, z.ZodType>;

export type ServerEvent = keyof typeof serverFrames;
export const serverEvents = Object.keys(serverFrames) as ServerEvent[];

/** The data of a frame of the server: `ServerData<'ack'>`. */
export type ServerData<E extends ServerEvent> = z.output<(typeof serverFrames)[E]>;

/** Any frame of the server, distinguished by `event`. */
export type ServerFrame = { [E in ServerEvent]: { event: E; ref?: string | number; data: ServerData<E> } }[ServerEvent];

/** Any frame of a client as it is sent, distinguished by `event`. */
export type ClientFrame = {
  [E in ClientEvent]: { event: E; ref?: string | number; data: ClientDataToSend<E> };
}[ClientEvent];

// End of the connection ---------------------------------------------------------------------------------------------

/** Why the server closes a connection. `retryable`: connecting again with the same credential may succeed. */
export interface CloseReason {
  readonly code: number;
  readonly name: string;
  readonly retryable: boolean;
  readonly meaning: string;
}

export const closeReasons = {
  unauthenticated: {
    code: 4001,
    name: 'unauthenticated',
    retryable: false,
    meaning: 'The ticket or token is missing, wrong or used up. Get a new one, then connect again.',
  },
  revoked: {
    code: 4003,
    name: 'revoked',
    retryable: false,
    meaning: 'The session or token was revoked or has expired, or the person was suspended. Final: sign in again.',
  },
  tooSlow: {
    code: 4008,
    name: 'too_slow',
    retryable: true,
    meaning: 'The client did not read fast enough. Connect again and follow from the last known revisions.',
  },
  drain: {
    code: 4009,
    name: 'drain',
    retryable: true,
    meaning: 'The server shuts down. Connect again and follow from the last known revisions.',
  },
  tooLarge: {
    code: 4013,
    name: 'too_large',
    retryable: false,
    meaning: 'A frame was larger than `maxFrameBytes`. The same frame will end the next connection too.',
  },
  rateLimited: {
    code: 4029,
    name: 'rate_limited',
    retryable: true,
    meaning: 'Too many frames, or too many connections. Wait before connecting again.',
  },
} as const satisfies Record<string, CloseReason>;
