import { Inject, Injectable, Optional } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type Rejection, type RoomCommand } from '@verbatim/domain';
import { type ClientData, type ClientEvent, maxFrameBytes, scopeOfFrame } from '@verbatim/protocol';
import { MarkReadCommand } from '../../application/messages/message-commands.js';
import { ApplyToRoomCommand, JoinRoomCommand } from '../../application/rooms/room-commands.js';
import { outOfScope } from '../../application/sessions/permission.js';
import { limited } from '../../limits/limited.js';
import { spend } from '../../limits/limits.js';
import type { Following } from '../../live/following.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { Watchers } from '../../live/watchers.js';
import { newId } from '../../new-id.js';
import { asRequest, TRACING, type Tracing } from '../../telemetry/tracing.js';
import type { Context } from '../../write-side/mailbox.js';
import { Problems } from '../problems.js';
import { accepted, answerTo, Refusal } from '../refusal.js';
import type { Connection } from './connection.js';
import { type Ref, readFrame } from './frame-text.js';

/** How often at most `typing` of one person in one room is passed on. */
const TYPING_PAUSE_MS = 1_000;

/** Handles one frame; throws what the client gets as an error. */
type Handler<E extends ClientEvent> = (
  connection: Connection,
  data: ClientData<E>,
  ref: Ref,
  context: Context,
) => unknown;
type AnyHandler = (connection: Connection, data: unknown, ref: Ref, context: Context) => unknown;

/** Translates clients' frames to commands, and outcomes to responses. */
@Injectable()
export class FrameHandlers {
  private readonly lastTyping = new WeakMap<Connection, Map<string, number>>();

  constructor(
    private readonly commands: CommandBus,
    private readonly rooms: LiveRooms,
    private readonly watchers: Watchers,
    private readonly problems: Problems,
    @Optional() @Inject(TRACING) private readonly tracing?: Tracing,
  ) {}

  /**
   * Reads, checks and answers a frame. `tooSoon` is how many milliseconds too early it came by the limit on frames, which has
   * already been counted against the connection.
   */
  async handle(connection: Connection, bytes: Buffer, isBinary: boolean, tooSoon: number): Promise<void> {
    if (bytes.length > maxFrameBytes) {
      connection.close('tooLarge');
      return;
    }
    const frame = readFrame(bytes, isBinary);
    if (tooSoon > 0) return connection.sendRefusal(answerTo(limited(tooSoon)), frame.ref);
    if ('fault' in frame) return connection.sendRefusal(frame.fault, frame.ref);
    const { event, data, ref } = frame;
    const wait = spend(connection.allowances, event);
    if (wait > 0) return connection.refuse(answerTo(limited(wait)), ref);
    const refused = outOfScope(connection.scopes, scopeOfFrame[event]);
    if (refused) return connection.refuse(answerTo(refused), ref);
    const context = { correlation: newId() };
    try {
      await (this.handlers[event] as AnyHandler)(connection, data, ref, context);
    } catch (error) {
      const place = { traceId: context.correlation, frame: event, user: connection.actor.id };
      connection.refuse(this.problems.refusal(error, place), ref);
    }
  }

  /** Called directly, because Nest's chain of guards, pipes and interceptors costs more than deciding on a post. */
  private readonly handlers = {
    follow: async (connection, { room, after, reason }, ref, context) => {
      const purpose = { reason, context };
      const from = after === undefined ? undefined : BigInt(after);
      const following = await this.rooms.follow(connection, room, from, purpose, ({ revision, recovered }) =>
        connection.send('following', { room, revision: Number(revision), recovered }, ref),
      );
      // The past takes as long as the client takes to read it, so other frames do not wait for it.
      if (following) void this.catchUp(connection, accepted(following));
    },

    unfollow: (connection, { room }, ref) => {
      this.rooms.unfollow(connection, room);
      connection.send('unfollowed', { room }, ref);
    },

    post: async (connection, { room, id, text, replyTo }, ref, context) => {
      // An id of our own can be the one that ties together what the post causes.
      const messageId = id ?? context.correlation;
      const { actor } = connection;
      const post = { type: 'PostMessage', actor, messageId, text, replyTo, kind: 'text' } as const;
      const posted = await this.apply('post', room, post, context);
      const duplicate = posted.events === 0;
      const ack = { revision: Number(posted.revision), position: Number(posted.position), id: messageId };
      connection.send('ack', duplicate ? { ...ack, duplicate } : ack, ref);
    },

    edit: (connection, { room, messageId, text }, ref, context) => {
      const { actor } = connection;
      return acknowledge(
        connection,
        ref,
        this.apply('edit', room, { type: 'EditMessage', actor, messageId, text }, context),
      );
    },

    redact: (connection, { room, messageId, reason = null }, ref, context) => {
      const { actor } = connection;
      return acknowledge(
        connection,
        ref,
        this.apply('redact', room, { type: 'RedactMessage', actor, messageId, reason }, context),
      );
    },

    react: (connection, { room, messageId, emoji, remove }, ref, context) => {
      const { actor } = connection;
      const type = remove ? 'RemoveReaction' : 'AddReaction';
      return acknowledge(connection, ref, this.apply('react', room, { type, actor, messageId, emoji }, context));
    },

    join: (connection, { room, password, invitation }, ref, context) => {
      const join = new JoinRoomCommand(room, connection.actor, { password, invitation }, context);
      return acknowledge(connection, ref, this.execute('join', join, context));
    },

    leave: (connection, { room }, ref, context) => {
      const { actor } = connection;
      const leave = { type: 'RemoveMember', actor, userId: actor.id, reason: null } as const;
      return acknowledge(connection, ref, this.apply('leave', room, leave, context));
    },

    read: async (connection, { room, revision }, ref) => {
      accepted(await this.commands.execute(new MarkReadCommand(room, connection.actor, BigInt(revision))));
      connection.send('ack', {}, ref);
    },

    typing: async (connection, { room }) => {
      const times = this.lastTyping.get(connection) ?? new Map<string, number>();
      this.lastTyping.set(connection, times);
      if (Date.now() - (times.get(room) ?? 0) < TYPING_PAUSE_MS) return;
      times.set(room, Date.now());
      refuse(await this.rooms.typing(connection, room));
    },

    watch: (connection, _, ref) => {
      refuse(this.watchers.watch(connection));
      connection.send('watching', {}, ref);
    },

    unwatch: (connection, _, ref) => {
      this.watchers.unwatch(connection);
      connection.send('unwatched', {}, ref);
    },

    ping: (connection, _, ref) => connection.send('pong', {}, ref),
  } satisfies { [E in ClientEvent]: Handler<E> };

  /** The client knows that it follows. If that fails, it has to reconnect, and resumes where this ended. */
  private async catchUp(connection: Connection, following: Following): Promise<void> {
    try {
      refuse(await this.rooms.catchUp(following));
    } catch (error) {
      this.problems.refusal(error, { frame: 'follow', user: connection.actor.id });
      connection.close('drain');
    }
  }

  private apply(frame: ClientEvent, room: string, command: RoomCommand, context: Context) {
    return this.execute(frame, new ApplyToRoomCommand(room, command, context), context);
  }

  private execute(frame: ClientEvent, command: ApplyToRoomCommand | JoinRoomCommand, { correlation }: Context) {
    return asRequest(this.tracing, correlation, `frame ${frame}`, async () =>
      accepted(await this.commands.execute(command)),
    );
  }
}

async function acknowledge(
  connection: Connection,
  ref: Ref,
  change: Promise<{ revision: bigint; position: bigint }>,
): Promise<void> {
  const { revision, position } = await change;
  connection.send('ack', { revision: Number(revision), position: Number(position) }, ref);
}

function refuse(rejection: Rejection | null): void {
  if (rejection) throw Refusal.of(rejection);
}
