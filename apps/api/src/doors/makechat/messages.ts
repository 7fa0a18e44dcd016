import { normalize } from '@verbatim/domain';
import type { Message } from '@verbatim/projections';
import { GetAccountQuery } from '../../application/accounts/account-queries.js';
import { ListMessagesFromQuery } from '../../application/messages/message-queries.js';
import { CreateDirectRoomCommand, directRoomId } from '../../application/rooms/direct-rooms.js';
import { ApplyToRoomCommand, JoinRoomCommand } from '../../application/rooms/room-commands.js';
import { GetRoomStateQuery } from '../../application/rooms/room-queries.js';
import { newId } from '../../new-id.js';
import { objectIdOf } from '../../storage/desk/object-ids.js';
import { accepted } from '../refusal.js';
import { type Answer, missing, occurred, Refused } from './answers.js';
import {
  date,
  fieldOf,
  fieldsOf,
  idIn,
  isRefusedFor,
  oid,
  pageAnswer,
  pageOf,
  purposeOf,
  type UserCall,
} from './call.js';
import type { Parts } from './parts.js';
import { notFound, type Rooms } from './rooms.js';

/** Rooms to which one call posts. */
const MOST_ROOMS = 10;

/** What makechat's documentation only announces: messages to rooms, and to one person. */
export class Messages {
  constructor(
    private readonly parts: Parts,
    private readonly rooms: Rooms,
  ) {}

  /** Posts to the rooms one after the other. Posting to an open room joins it, because makechat has no other way to join. */
  async post(call: UserCall): Promise<Answer> {
    const fields = fieldsOf(call.body, 'payload');
    const text = fieldOf(fields, 'text');
    if (text === undefined) throw missing('text');
    if (typeof text !== 'string')
      throw occurred("ValidationError (Message:None) (StringField only accepts string values: ['text'])");
    const [rooms, recipient] = [fieldOf(fields, 'rooms'), fieldOf(fields, 'recipient')];
    if (rooms === undefined && recipient === undefined) throw missing('rooms');
    if (rooms !== undefined && recipient !== undefined) throw occurred('A message has either rooms or a recipient.');
    return rooms === undefined ? this.postTo(call, text, recipient) : this.postIn(call, text, rooms);
  }

  private async postIn(call: UserCall, text: string, rooms: unknown): Promise<Answer> {
    const list = Array.isArray(rooms) ? rooms : [rooms];
    if (list.length === 0) throw missing('rooms');
    if (list.length > MOST_ROOMS) throw occurred(`A message can have at most ${MOST_ROOMS} rooms.`);
    const objectIds = [...new Set(list.map((room) => idIn(room) ?? ''))];
    const roomIds = await Promise.all(objectIds.map((id) => this.rooms.idOf(id)));
    const posted: Posted[] = [];
    for (const [i, roomId] of roomIds.entries()) {
      posted.push(
        await this.say(call, roomId, text, objectIds[i]).catch((error: unknown) => {
          if (posted.length === 0 || !(error instanceof Error)) throw error;
          throw occurred(`The message was posted to ${posted.length} of ${roomIds.length} rooms: ${error.message}`);
        }),
      );
    }
    return this.created(call, text, posted, { rooms: objectIds.map(oid) });
  }

  private async postTo(call: UserCall, text: string, recipient: unknown): Promise<Answer> {
    const peer = await this.personOf(idIn(recipient) ?? '');
    const { username } = await this.parts.queries.execute(new GetAccountQuery(peer.id));
    const open = new CreateDirectRoomCommand(call.actor, username, call.context);
    const { roomId } = accepted(await this.parts.commands.execute(open));
    const posted = await this.say(call, roomId, text);
    return this.created(call, text, [posted], { recipient: oid(peer.objectId), rooms: [] });
  }

  private async say(call: UserCall, roomId: string, text: string, objectId = ''): Promise<Posted> {
    const { commands, queries } = this.parts;
    const { actor, context } = call;
    const found = await queries.execute(new GetRoomStateQuery(roomId, actor));
    if (isRefusedFor(found, 'NotFound')) throw notFound(objectId);
    const { members, visibility } = accepted(found);
    if (visibility === 'public' && !members.has(actor.id))
      accepted(await commands.execute(new JoinRoomCommand(roomId, actor, {}, context)));
    const messageId = newId();
    const post = { type: 'PostMessage', actor, messageId, text: normalize(text), replyTo: null, kind: 'text' } as const;
    const { position, at } = accepted(await commands.execute(new ApplyToRoomCommand(roomId, post, context)));
    await this.parts.readYourWrites.written(position, call.reply);
    return { messageId, at };
  }

  private async created(
    { actor, identity }: UserCall,
    text: string,
    [first]: readonly Posted[],
    to: { readonly rooms: object[]; readonly recipient?: object },
  ): Promise<Answer> {
    if (!first) throw new Error('Nothing was posted.');
    const sender = await this.parts.objectIds.one('user', actor.id);
    const { username } = identity.account;
    const document = { _id: oid(objectIdOf('message', first.messageId)), text: normalize(text), sender: oid(sender) };
    return { status: 201, body: { ...document, username, ...to, created: date(first.at) } };
  }

  /** Messages of a room, or those exchanged with one person, oldest first. */
  async list(call: UserCall): Promise<Answer> {
    const page = pageOf(call.query);
    const [room, recipient] = [call.query.get('room'), call.query.get('recipient')];
    if (room === null && recipient === null) throw missing('room');
    const peer = room === null ? await this.personOf(recipient ?? '') : null;
    const roomId = peer ? directRoomId(call.actor.id, peer.id) : await this.rooms.idOf(room ?? '');
    const list = new ListMessagesFromQuery(roomId, call.actor, purposeOf(call), page.stretch);
    const found = await this.parts.queries.execute(list);
    if (isRefusedFor(found, 'NotFound')) {
      if (peer) return pageAnswer(call, page, { items: [], total: 0 });
      throw notFound(room ?? '');
    }
    const { items, total } = accepted(found);
    const documents = await this.documentsOf(items, room, peer && [call.actor.id, peer.id]);
    const isCut = items.length < page.stretch.limit && page.stretch.offset + items.length < total;
    return pageAnswer(call, page, { items: documents, total, ...(isCut && { shown: items.length }) });
  }

  private async documentsOf(messages: readonly Message[], room: string | null, pair: readonly string[] | null) {
    const people = [...messages.map(({ author }) => author.id), ...(pair ?? [])].filter((id) => id !== '');
    const ids = await this.parts.objectIds.of('user', people);
    return messages.map(({ id, author, text, postedAt }) => ({
      _id: oid(objectIdOf('message', id)),
      text: text ?? '',
      sender: oid(ids.get(author.id)),
      username: author.username ?? '',
      ...(pair && { recipient: oid(ids.get(pair.find((one) => one !== author.id) ?? '')) }),
      rooms: room === null ? [] : [oid(room)],
      created: date(postedAt),
    }));
  }

  private async personOf(objectId: string): Promise<{ id: string; objectId: string }> {
    const id = (await this.parts.objectIds.find('user', [objectId])).get(objectId);
    if (id === undefined) throw new Refused(400, 'Error occurred', `Not found user with id ${objectId.slice(0, 28)}`);
    return { id, objectId };
  }
}

interface Posted {
  readonly messageId: string;
  readonly at: string;
}
