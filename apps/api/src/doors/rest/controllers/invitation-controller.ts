import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Actor } from '@verbatim/domain';
import type { PageRequest } from '@verbatim/projections';
import type { InvitationFor, MadeInvitation } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import {
  CreateInvitationCommand,
  RevokeInvitationCommand,
} from '../../../application/invitations/invitation-commands.js';
import {
  ListInvitationsQuery,
  ListInvitationUsesQuery,
  LookUpInvitationQuery,
} from '../../../application/invitations/invitation-queries.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { invitationAnswer, invitationForAnswer, invitationUseAnswer } from '../../../wire/invitation-answer.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class InvitationController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  // To the server -----------------------------------------------------------------------------------------------------

  @Call('createInvitation')
  createInvitation(
    @Input('createInvitation') { body }: InputOf<'createInvitation'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MadeInvitation> {
    return this.create(new CreateInvitationCommand(actor, { kind: 'server' }, body, context), reply);
  }

  @Call('listInvitations')
  listInvitations(
    @Input('listInvitations') { query }: InputOf<'listInvitations'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listInvitations'>> {
    return this.list(actor, null, query);
  }

  @Call('revokeInvitation')
  revokeInvitation(
    @Input('revokeInvitation') { params }: InputOf<'revokeInvitation'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.revoke(new RevokeInvitationCommand(actor, params.id, null, context), reply);
  }

  @Call('listInvitationUses')
  async listInvitationUses(
    @Input('listInvitationUses') { params, query }: InputOf<'listInvitationUses'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listInvitationUses'>> {
    const found = await this.queries.execute(new ListInvitationUsesQuery(actor, params.id, query));
    return listAnswer(accepted(found), invitationUseAnswer);
  }

  @Call('lookUpInvitation')
  async lookUpInvitation(@Input('lookUpInvitation') { body }: InputOf<'lookUpInvitation'>): Promise<InvitationFor> {
    return invitationForAnswer(accepted(await this.queries.execute(new LookUpInvitationQuery(body.code))));
  }

  // To rooms ----------------------------------------------------------------------------------------------------------

  @Call('createRoomInvitation')
  createRoomInvitation(
    @Input('createRoomInvitation') { params, body }: InputOf<'createRoomInvitation'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MadeInvitation> {
    const to = { kind: 'room', roomId: params.id, role: body.role } as const;
    return this.create(new CreateInvitationCommand(actor, to, body, context), reply);
  }

  @Call('listRoomInvitations')
  listRoomInvitations(
    @Input('listRoomInvitations') { params, query }: InputOf<'listRoomInvitations'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listRoomInvitations'>> {
    return this.list(actor, params.id, query);
  }

  @Call('revokeRoomInvitation')
  revokeRoomInvitation(
    @Input('revokeRoomInvitation') { params }: InputOf<'revokeRoomInvitation'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.revoke(new RevokeInvitationCommand(actor, params.invitationId, params.id, context), reply);
  }

  // Both --------------------------------------------------------------------------------------------------------------

  private async create(command: CreateInvitationCommand, reply: FastifyReply): Promise<MadeInvitation> {
    const { id, code, state, position } = accepted(await this.commands.execute(command));
    await this.readYourWrites.written(position, reply);
    return { ...invitationAnswer({ id, state }), code };
  }

  private async revoke(command: RevokeInvitationCommand, reply: FastifyReply): Promise<void> {
    const { position } = accepted(await this.commands.execute(command));
    await this.readYourWrites.written(position, reply);
  }

  private async list(actor: Actor, roomId: string | null, page: PageRequest): Promise<ListOf<'listInvitations'>> {
    const found = await this.queries.execute(new ListInvitationsQuery(actor, roomId, page));
    return listAnswer(accepted(found), invitationAnswer);
  }
}
