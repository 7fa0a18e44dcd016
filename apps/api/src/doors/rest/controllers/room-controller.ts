import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { RoomState } from '@verbatim/domain';
import type { Member, Room } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { CreateDirectRoomCommand } from '../../../application/rooms/direct-rooms.js';
import {
  AddMemberCommand,
  ApplyToRoomCommand,
  ChangeRoomCommand,
  CloseRoomCommand,
  CreateRoomCommand,
  JoinRoomCommand,
} from '../../../application/rooms/room-commands.js';
import {
  GetMemberQuery,
  GetRoomQuery,
  ListMembersQuery,
  ListRoomsQuery,
} from '../../../application/rooms/room-queries.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { memberAnswer, roomAnswer, roomRowAnswerFor } from '../../../wire/room-answer.js';
import type { Purpose } from '../../../write-side/inspections.js';
import type { Context, Decided } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace, Why } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class RoomController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('createRoom')
  async createRoom(
    @Input('createRoom') { body }: InputOf<'createRoom'>,
    @By() { actor }: Identity,
    @NewId() roomId: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Room> {
    const room = { actor, ...body, password: body.password ?? null };
    return this.answer(
      roomId,
      accepted(await this.commands.execute(new CreateRoomCommand(roomId, room, context))),
      reply,
    );
  }

  @Call('listRooms')
  async listRooms(
    @Input('listRooms') { query }: InputOf<'listRooms'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listRooms'>> {
    const { limit, cursor, member, ...rest } = query;
    const wanted = { ...rest, memberOnly: member === 'me', page: { limit, cursor } };
    const found = await this.queries.execute(new ListRoomsQuery(actor, wanted));
    return listAnswer(found, (room) => roomRowAnswerFor(actor, room));
  }

  @Call('getRoom')
  async getRoom(@Input('getRoom') { params }: InputOf<'getRoom'>, @By() { actor }: Identity): Promise<Room> {
    return roomRowAnswerFor(actor, accepted(await this.queries.execute(new GetRoomQuery(params.id, actor))));
  }

  @Call('changeRoom')
  async changeRoom(
    @Input('changeRoom') { params, body }: InputOf<'changeRoom'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Room> {
    return this.answer(
      params.id,
      accepted(await this.commands.execute(new ChangeRoomCommand(params.id, actor, body, context))),
      reply,
    );
  }

  @Call('closeRoom')
  async closeRoom(
    @Input('closeRoom') { params, body }: InputOf<'closeRoom'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Room> {
    const ended = await this.commands.execute(new CloseRoomCommand(params.id, actor, body.reason ?? null, context));
    return this.answer(params.id, accepted(ended), reply);
  }

  @Call('addMember')
  async addMember(
    @Input('addMember') { params, body }: InputOf<'addMember'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Member> {
    const { userId, role = 'member', password, invitation } = body;
    const command =
      userId === undefined
        ? new JoinRoomCommand(params.id, actor, { password, invitation }, context)
        : new AddMemberCommand(params.id, { type: 'AddMember', actor, userId, role }, context);
    const joined = accepted(await this.commands.execute(command));
    await this.readYourWrites.written(joined.position, reply);
    reply.status(joined.events > 0 ? 201 : 200);
    return this.member(joined.state, userId ?? actor.id);
  }

  @Call('listMembers')
  async listMembers(
    @Input('listMembers') { params, query }: InputOf<'listMembers'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'listMembers'>> {
    const found = await this.queries.execute(new ListMembersQuery(params.id, actor, purpose, query));
    return listAnswer(accepted(found), memberAnswer);
  }

  @Call('changeMember')
  async changeMember(
    @Input('changeMember') { params, body }: InputOf<'changeMember'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Member> {
    const { id, userId } = params;
    const command = { type: 'ChangeMemberRole', actor, userId, role: body.role } as const;
    const changed = accepted(await this.commands.execute(new ApplyToRoomCommand(id, command, context)));
    await this.readYourWrites.written(changed.position, reply);
    return this.member(changed.state, userId);
  }

  @Call('removeMember')
  async removeMember(
    @Input('removeMember') { params, body }: InputOf<'removeMember'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const userId = params.userId === 'me' ? actor.id : params.userId;
    const command = { type: 'RemoveMember', actor, userId, ...body } as const;
    const removed = accepted(await this.commands.execute(new ApplyToRoomCommand(params.id, command, context)));
    await this.readYourWrites.written(removed.position, reply);
  }

  @Call('openDirect')
  async openDirect(
    @Input('openDirect') { params }: InputOf<'openDirect'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Room> {
    const opening = new CreateDirectRoomCommand(actor, params.username, context);
    const opened = accepted(await this.commands.execute(opening));
    reply.status(opened.created ? 201 : 200);
    return this.answer(opened.roomId, opened, reply);
  }

  private async member(room: RoomState, userId: string): Promise<Member> {
    return memberAnswer(accepted(await this.queries.execute(new GetMemberQuery(room, userId))));
  }

  private async answer(roomId: string, { state, position }: Decided<RoomState>, reply: FastifyReply): Promise<Room> {
    await this.readYourWrites.written(position, reply);
    return roomAnswer(roomId, state);
  }
}
