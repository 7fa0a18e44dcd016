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

/** The text of a payload `{"author","text"}`; null if it is anything else. Who the author is, is known already. */
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

/** Who publishes, and what else they may do. */
export interface Publisher {
  readonly actor: Actor;
  readonly mayManage: boolean;
  /** Counts the creation of a room. False: that was too much, and is not done. */
  readonly spendCreation: () => boolean;
}

/** Does what publishing means: texts become messages, and names of rooms that nobody has become rooms. */
export class Publishing {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly finder: RoomFinder,
    private readonly newContext: () => Context,
    private readonly tracing?: Tracing,
  ) {}

  /**
   * The room that a text is to be said in: it is opened if there never was one of this name, and a public one is entered. Texts
   * that follow each other are to be posted after that, so that they keep their order.
   */
  async reach(publisher: Publisher, room: string): Promise<{ readonly roomId: string } | Rejection> {
    const roomId = await this.roomFor(publisher, room);
    if (typeof roomId !== 'string') return roomId;
    const { isMember } = await this.queries.execute(new RoomAtHandQuery(roomId, publisher.actor.id));
    return (isMember ? null : await this.enter(publisher.actor, roomId)) ?? { roomId };
  }

  /** Posts a text. Null: it is stored. */
  async post({ actor }: Publisher, roomId: string, messageId: string, text: string): Promise<Rejection | null> {
    const post = { type: 'PostMessage', actor, messageId, text: normalize(text), replyTo: null, kind: 'text' } as const;
    const context = this.newContext();
    const posted = await asRequest(this.tracing, context.correlation, 'mqtt publish', () =>
      this.commands.execute(new ApplyToRoomCommand(roomId, post, context)),
    );
    return isRejection(posted) ? posted : null;
  }

  /** Saying something enters a public room; but somebody who was removed from it stays out until they are let in again. */
  private async enter(actor: Actor, roomId: string): Promise<Rejection | null> {
    const before = await this.queries.execute(new HasLeftQuery(roomId, actor.id));
    if (isRejection(before)) return before;
    if (before.hasLeft) return reject('NotAllowed', 'You are not in this room any more.');
    const joined = await this.commands.execute(new JoinRoomCommand(roomId, actor, {}, this.newContext()));
    return isRejection(joined) ? joined : null;
  }

  /** Opens a room, unless there is one of this name. */
  async open(publisher: Publisher, room: string): Promise<Rejection | null> {
    const roomId = await this.roomFor(publisher, room);
    return typeof roomId === 'string' ? null : roomId;
  }

  /** The room of this name, which is opened if there never was one. */
  private async roomFor(publisher: Publisher, room: string, tries = 2): Promise<string | Rejection> {
    const found = await this.finder.find(room);
    if (isRejection(found)) return found;
    if (found.roomId !== null) return found.roomId;
    const name = normalize(room);
    const isPlain = topicName('', { name, visibility: 'public' }) === name;
    if (found.was) return reject('RoomClosed', 'The room of this name is closed.');
    if (!isPlain) return reject('NotFound', 'There is no such room.');
    if (!publisher.mayManage) return reject('NotAllowed', 'The token is not good for opening rooms.');
    if (!publisher.spendCreation()) return reject('TooSoon', 'Too many rooms were opened.', NEVER_MS);
    const roomId = newId();
    const { actor } = publisher;
    const settings = { actor, name, topic: '', visibility: 'public', history: 'full', password: null } as const;
    const created = await this.commands.execute(new CreateRoomCommand(roomId, settings, this.newContext()));
    if (!isRejection(created)) return roomId;
    // Somebody else has just opened it, or has a private room of this name.
    return created.rejected === 'NameTaken' && tries > 1 ? this.roomFor(publisher, room, tries - 1) : created;
  }
}

/** Nobody waits for this. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;
