import { isUtf8 } from 'node:buffer';
import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Actor, isRejection, normalize, type Rejection, reject } from '@verbatim/domain';
import { HasLeftQuery, RoomAtHandQuery } from '../../application/rooms/reach-queries.js';
import { ApplyToRoomCommand, CreateRoomCommand, JoinRoomCommand } from '../../application/rooms/room-commands.js';
import { newId } from '../../new-id.js';
import { asRequest, type Tracing } from '../../telemetry/tracing.js';
import type { Context } from '../../write-side/mailbox.js';
import type { RoomFinder } from './room-finder.js';
import { topicName } from './room-topics.js';

/** The text of a payload `{"author","text"}`, or null. The author is ignored: it is the account that is connected. */
export function textIn(payload: Buffer | string): string | null {
  const bytes = Buffer.from(payload);
  if (!isUtf8(bytes)) return null;
  try {
    const json = JSON.parse(bytes.toString('utf8'));
    return typeof json?.text === 'string' ? json.text : null;
  } catch {
    return null;
  }
}

/** The person who publishes, and their permissions. */
export interface Publisher {
  readonly actor: Actor;
  readonly mayManage: boolean;
  /** Counts the creation of a room. False if the limit is reached. */
  readonly spendCreation: () => boolean;
}

/** Turns texts into messages, and new room names into rooms. */
export class Publishing {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly finder: RoomFinder,
    private readonly newContext: () => Context,
    private readonly tracing?: Tracing,
  ) {}

  /**
   * Finds the room for a text. Creates it if the name was never used, and joins it if it is public. Post texts only after this,
   * so that they keep their order.
   */
  async reach(publisher: Publisher, room: string): Promise<{ readonly roomId: string } | Rejection> {
    const roomId = await this.roomFor(publisher, room);
    if (typeof roomId !== 'string') return roomId;
    const { isMember } = await this.queries.execute(new RoomAtHandQuery(roomId, publisher.actor.id));
    return (isMember ? null : await this.enter(publisher.actor, roomId)) ?? { roomId };
  }

  /** Posts a text. Returns null once it is stored. */
  async post({ actor }: Publisher, roomId: string, messageId: string, text: string): Promise<Rejection | null> {
    const post = { type: 'PostMessage', actor, messageId, text: normalize(text), replyTo: null, kind: 'text' } as const;
    const context = this.newContext();
    const posted = await asRequest(this.tracing, context.correlation, 'mqtt publish', () =>
      this.commands.execute(new ApplyToRoomCommand(roomId, post, context)),
    );
    return isRejection(posted) ? posted : null;
  }

  /** Joins a public room, unless the person has left it or was removed. */
  private async enter(actor: Actor, roomId: string): Promise<Rejection | null> {
    const before = await this.queries.execute(new HasLeftQuery(roomId, actor.id));
    if (isRejection(before)) return before;
    if (before.hasLeft) return reject('NotAllowed', 'You are no longer in this room.');
    const joined = await this.commands.execute(new JoinRoomCommand(roomId, actor, {}, this.newContext()));
    return isRejection(joined) ? joined : null;
  }

  /** Creates a room unless one of this name exists. */
  async open(publisher: Publisher, room: string): Promise<Rejection | null> {
    const roomId = await this.roomFor(publisher, room);
    return typeof roomId === 'string' ? null : roomId;
  }

  /** The room of this name, created if the name was never used. */
  private async roomFor(publisher: Publisher, room: string, tries = 2): Promise<string | Rejection> {
    const found = await this.finder.find(room);
    if (isRejection(found)) return found;
    if (found.roomId !== null) return found.roomId;
    const name = normalize(room);
    const isPlain = topicName('', { name, visibility: 'public' }) === name;
    if (found.was) return reject('RoomClosed', 'The room of this name is closed.');
    if (!isPlain) return reject('NotFound', 'There is no such room.');
    if (!publisher.mayManage) return reject('NotAllowed', 'The token does not allow creating rooms.');
    if (!publisher.spendCreation()) return reject('TooSoon', 'Too many rooms were created.', NEVER_MS);
    const roomId = newId();
    const { actor } = publisher;
    const settings = { actor, name, topic: '', visibility: 'public', history: 'full', password: null } as const;
    const created = await this.commands.execute(new CreateRoomCommand(roomId, settings, this.newContext()));
    if (!isRejection(created)) return roomId;
    // It was created at the same time, or is private.
    return created.rejected === 'NameTaken' && tries > 1 ? this.roomFor(publisher, room, tries - 1) : created;
  }
}

/** Longer than any client waits. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;
