import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Actor, type RoomCommand, type RoomState } from '@verbatim/domain';
import type { Message, MessageProof } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { MarkReadCommand } from '../../../application/messages/message-commands.js';
import {
  GetInboxQuery,
  GetMessageQuery,
  GetPostedMessageQuery,
  GetTimelineQuery,
  SearchMessagesQuery,
} from '../../../application/messages/message-queries.js';
import { ApplyToRoomCommand } from '../../../application/rooms/room-commands.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { GetMessageProofQuery } from '../../../application/transparency/message-proof.js';
import { foundMessageAnswer, inboxAnswer, messageAnswer } from '../../../wire/message-answer.js';
import type { Purpose } from '../../../write-side/inspections.js';
import type { Context, Decided } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace, Why } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class MessageController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('postMessage')
  async post(
    @Input('postMessage') { params, body }: InputOf<'postMessage'>,
    @By() { actor }: Identity,
    @NewId() newId: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Message> {
    const { text, replyTo, id: messageId = newId } = body;
    const command = { type: 'PostMessage', actor, messageId, text, replyTo, kind: 'text' } as const;
    const posted = await this.send(params.id, command, context);
    const visible = await this.readYourWrites.written(posted.position, reply);
    if (posted.events === 0) {
      reply.status(200);
      return this.read(params.id, messageId, actor);
    }
    if (visible) return this.read(params.id, messageId, actor);
    return messageAnswer(await this.queries.execute(new GetPostedMessageQuery(params.id, command, posted)));
  }

  @Call('listMessages')
  async list(
    @Input('listMessages') { params, query }: InputOf<'listMessages'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'listMessages'>> {
    const { order, from, at, ...page } = query;
    const start = from === undefined ? at : BigInt(from);
    const timeline = new GetTimelineQuery(params.id, actor, purpose, order, start, page);
    return listAnswer(accepted(await this.queries.execute(timeline)), messageAnswer);
  }

  @Call('editMessage')
  async edit(
    @Input('editMessage') { params, body }: InputOf<'editMessage'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Message> {
    const { id, messageId } = params;
    const edited = await this.send(id, { type: 'EditMessage', actor, messageId, text: body.text }, context);
    const visible = await this.readYourWrites.written(edited.position, reply);
    const message = await this.read(id, messageId, actor);
    return visible ? message : { ...message, text: body.text, editedAt: edited.at };
  }

  @Call('redactMessage')
  async redact(
    @Input('redactMessage') { params, body }: InputOf<'redactMessage'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Message> {
    const { id, messageId } = params;
    const redacted = await this.send(
      id,
      { type: 'RedactMessage', actor, messageId, reason: body.reason ?? null },
      context,
    );
    const visible = await this.readYourWrites.written(redacted.position, reply);
    const message = await this.read(id, messageId, actor);
    return visible ? message : { ...message, text: null, redactedAt: redacted.at };
  }

  @Call('proveMessage')
  async prove(
    @Input('proveMessage') { params, query }: InputOf<'proveMessage'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<MessageProof> {
    const revision = query.revision === undefined ? undefined : BigInt(query.revision);
    const { id, messageId } = params;
    const asked = new GetMessageProofQuery(id, messageId, actor, purpose, revision);
    const { envelope, key, ...proof } = accepted(await this.queries.execute(asked));
    return { ...proof, envelope: envelope.toString('base64'), key: key?.toString('base64') ?? null };
  }

  @Call('addReaction')
  addReaction(
    @Input('addReaction') { params }: InputOf<'addReaction'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { id, messageId, emoji } = params;
    return this.change(id, { type: 'AddReaction', actor, messageId, emoji }, context, reply);
  }

  @Call('removeReaction')
  removeReaction(
    @Input('removeReaction') { params }: InputOf<'removeReaction'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { id, messageId, emoji } = params;
    return this.change(id, { type: 'RemoveReaction', actor, messageId, emoji }, context, reply);
  }

  @Call('markRead')
  async markRead(@Input('markRead') { params, body }: InputOf<'markRead'>, @By() { actor }: Identity): Promise<void> {
    accepted(await this.commands.execute(new MarkReadCommand(params.id, actor, BigInt(body.revision))));
  }

  @Call('getInbox')
  async getInbox(
    @Input('getInbox') { query }: InputOf<'getInbox'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'getInbox'>> {
    return listAnswer(await this.queries.execute(new GetInboxQuery(actor, query)), inboxAnswer);
  }

  @Call('searchMessages')
  async search(
    @Input('searchMessages') { query }: InputOf<'searchMessages'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'searchMessages'>> {
    const { q, without, room, ...page } = query;
    const found = await this.queries.execute(new SearchMessagesQuery(actor, { q, without }, room, purpose, page));
    return listAnswer(accepted(found), (message) => foundMessageAnswer(message, q));
  }

  private async send(roomId: string, command: RoomCommand, context: Context): Promise<Decided<RoomState>> {
    return accepted(await this.commands.execute(new ApplyToRoomCommand(roomId, command, context)));
  }

  private async change(roomId: string, command: RoomCommand, context: Context, reply: FastifyReply): Promise<void> {
    await this.readYourWrites.written((await this.send(roomId, command, context)).position, reply);
  }

  private async read(roomId: string, messageId: string, actor: Actor): Promise<Message> {
    return messageAnswer(accepted(await this.queries.execute(new GetMessageQuery(roomId, messageId, actor))));
  }
}
