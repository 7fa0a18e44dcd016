import { Controller, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type Actor, type InvitationState, invitationStream, invitingProblem, isGood } from '@verbatim/domain';
import { InvalidCursor, keepOf, type Page, type PageRequest, withEach } from '@verbatim/projections';
import type { Invitation, InvitationFor, MadeInvitation } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../../../application/accounts/authentication.js';
import {
  CreateInvitationCommand,
  RevokeInvitationCommand,
} from '../../../application/invitations/invitation-commands.js';
import { Redeeming } from '../../../application/invitations/redeeming.js';
import { Directory } from '../../../storage/directory.js';
import { InvitationCodes } from '../../../storage/invitations/invitation-codes.js';
import { OpenLog } from '../../../storage/open-log.js';
import { Invitations, Rooms } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

/** Invitations are few, so they are read from their streams; there is no read model of them. */
@Controller()
export class InvitationController {
  constructor(
    private readonly commands: CommandBus,
    private readonly invitations: Invitations,
    private readonly rooms: Rooms,
    private readonly codes: InvitationCodes,
    private readonly redeeming: Redeeming,
    private readonly directory: Directory,
    private readonly log: OpenLog,
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
    return this.make(new CreateInvitationCommand(actor, { kind: 'server' }, body, context), reply);
  }

  @Call('listInvitations')
  listInvitations(@Input('listInvitations') { query }: InputOf<'listInvitations'>): Promise<ListOf<'listInvitations'>> {
    return this.list(null, query);
  }

  @Call('revokeInvitation')
  revokeInvitation(
    @Input('revokeInvitation') { params }: InputOf<'revokeInvitation'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.withdraw(new RevokeInvitationCommand(actor, params.id, null, context), reply);
  }

  @Call('listInvitationUses')
  async listInvitationUses(
    @Input('listInvitationUses') { params, query }: InputOf<'listInvitationUses'>,
  ): Promise<ListOf<'listInvitationUses'>> {
    const { state } = await this.invitations.newest(params.id);
    if (state.status === 'unborn') throw noSuchInvitation;
    const from = query.cursor === undefined ? 1n : revisionIn(query.cursor);
    const events = await this.log.read(invitationStream(params.id), from, query.limit + 1);
    const next = events[query.limit];
    const uses = events.slice(0, query.limit).flatMap((event) => (event.type === 'InvitationRedeemed' ? event : []));
    const people = await this.directory.people(uses.map(({ data }) => data.userId));
    const page: Page<(typeof uses)[number]> = {
      items: uses,
      next: next ? cursorFor(next.revision) : null,
      cursorAfter: (index) => cursorFor((uses[index]?.revision ?? 0n) + 1n),
    };
    return listAnswer(page, ({ data: { userId }, at }) => ({
      user: people.get(userId) ?? { id: userId, username: '' },
      at,
    }));
  }

  @Call('lookUpInvitation')
  async lookUpInvitation(@Input('lookUpInvitation') { body }: InputOf<'lookUpInvitation'>): Promise<InvitationFor> {
    const found = await this.redeeming.lookUp(body.code);
    if (!found || !isGood(found.state, this.redeeming.now())) throw noSuchInvitation;
    const { to, expiresAt, createdBy } = found.state;
    const inviter = (await this.directory.people([createdBy])).get(createdBy ?? '') ?? {
      id: createdBy ?? '',
      username: '',
    };
    if (to.kind === 'server') return { kind: 'server', role: null, expiresAt, room: null, inviter };
    const { state } = await this.rooms.newest(to.roomId);
    if (state.status !== 'open') throw noSuchInvitation;
    return { kind: 'room', role: to.role, expiresAt, room: { id: to.roomId, name: state.name }, inviter };
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
    return this.make(new CreateInvitationCommand(actor, to, body, context), reply);
  }

  @Call('listRoomInvitations')
  async listRoomInvitations(
    @Input('listRoomInvitations') { params, query }: InputOf<'listRoomInvitations'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listRoomInvitations'>> {
    if (actor.role !== 'auditor') await this.mayInvite(params.id, actor);
    return this.list(params.id, query);
  }

  @Call('revokeRoomInvitation')
  revokeRoomInvitation(
    @Input('revokeRoomInvitation') { params }: InputOf<'revokeRoomInvitation'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.withdraw(new RevokeInvitationCommand(actor, params.invitationId, params.id, context), reply);
  }

  // Both --------------------------------------------------------------------------------------------------------------

  private async mayInvite(roomId: string, actor: Actor): Promise<void> {
    const problem = invitingProblem(actor, (await this.rooms.newest(roomId)).state);
    if (problem) throw Refusal.of(problem);
  }

  private async make(command: CreateInvitationCommand, reply: FastifyReply): Promise<MadeInvitation> {
    const { id, code, state, position } = accepted(await this.commands.execute(command));
    await this.readYourWrites.written(position, reply);
    return { ...invitationAnswer(id, state), code };
  }

  private async withdraw(command: RevokeInvitationCommand, reply: FastifyReply): Promise<void> {
    const { position } = accepted(await this.commands.execute(command));
    await this.readYourWrites.written(position, reply);
  }

  private async list(roomId: string | null, request: PageRequest): Promise<ListOf<'listInvitations'>> {
    const page = await this.codes.list(roomId, request);
    const known = await withEach(page, async (id) => ({ id, ...(await this.invitations.newest(id)) }));
    const made = keepOf(known, ({ state }) => state.status !== 'unborn');
    return listAnswer(made, ({ id, state }) => invitationAnswer(id, state));
  }
}

const noSuchInvitation = new Refusal('not_found', 'There is no such invitation.');

const invitationAnswer = (id: string, state: InvitationState): Invitation => ({
  id,
  kind: state.to.kind,
  role: state.to.kind === 'room' ? state.to.role : null,
  roomId: state.to.kind === 'room' ? state.to.roomId : null,
  expiresAt: state.expiresAt,
  uses: state.uses,
  used: state.redeemedBy.size,
  revoked: state.status === 'revoked',
  createdBy: state.createdBy ?? '',
  createdAt: state.createdAt,
});

const cursorFor = (revision: bigint): string => Buffer.from(`uses:${revision}`).toString('base64url');

function revisionIn(cursor: string): bigint {
  const revision = /^uses:(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (revision === undefined) throw new InvalidCursor();
  return BigInt(revision);
}
