import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { openReport, type Rejection, type RoomCommand, type RoomState } from '@verbatim/domain';
import type { Member, Report } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { RestrainMemberCommand } from '../../../application/moderation/moderation-commands.js';
import { GetReportQuery, ListBansQuery, ListReportsQuery } from '../../../application/moderation/moderation-queries.js';
import { ApplyToRoomCommand } from '../../../application/rooms/room-commands.js';
import { GetMemberQuery } from '../../../application/rooms/room-queries.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { banAnswer, reportAnswer } from '../../../wire/moderation-answer.js';
import { memberAnswer } from '../../../wire/room-answer.js';
import type { Purpose } from '../../../write-side/inspections.js';
import type { Context, Decided } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace, Why } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class ModerationController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  // Bans, mutes, ownership ------------------------------------------------------------------------------------------

  @Call('listBans')
  async listBans(
    @Input('listBans') { params, query }: InputOf<'listBans'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'listBans'>> {
    const found = await this.queries.execute(new ListBansQuery(params.id, actor, purpose, query));
    return listAnswer(accepted(found), banAnswer);
  }

  @Call('ban')
  async ban(
    @Input('ban') { params, body }: InputOf<'ban'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const command = { type: 'BanMember', actor, userId: params.userId, ...body } as const;
    await this.written(await this.commands.execute(new RestrainMemberCommand(params.id, command, context)), reply);
  }

  @Call('unban')
  async unban(
    @Input('unban') { params: { id, userId } }: InputOf<'unban'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const command = { type: 'UnbanMember', actor, userId } as const;
    await this.written(await this.commands.execute(new RestrainMemberCommand(id, command, context)), reply);
  }

  @Call('mute')
  async mute(
    @Input('mute') { params, body }: InputOf<'mute'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const command = { type: 'MuteMember', actor, userId: params.userId, ...body } as const;
    await this.written(await this.commands.execute(new RestrainMemberCommand(params.id, command, context)), reply);
  }

  @Call('unmute')
  async unmute(
    @Input('unmute') { params: { id, userId } }: InputOf<'unmute'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const command = { type: 'UnmuteMember', actor, userId } as const;
    await this.written(await this.commands.execute(new RestrainMemberCommand(id, command, context)), reply);
  }

  @Call('transferOwnership')
  async transferOwnership(
    @Input('transferOwnership') { params, body: { userId } }: InputOf<'transferOwnership'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Member> {
    const { state } = await this.send(params.id, { type: 'TransferOwnership', actor, userId }, context, reply);
    return memberAnswer(accepted(await this.queries.execute(new GetMemberQuery(state, userId))));
  }

  // Reports ---------------------------------------------------------------------------------------------------------

  @Call('reportMessage')
  async reportMessage(
    @Input('reportMessage') { params, body: { reason } }: InputOf<'reportMessage'>,
    @By() { actor }: Identity,
    @NewId() reportId: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Report> {
    const { id, messageId } = params;
    const reported = await this.send(id, { type: 'ReportMessage', actor, messageId, reportId, reason }, context, reply);
    reply.status(reported.events > 0 ? 201 : 200);
    const open = openReport(reported.state, messageId, actor.id);
    if (open === undefined) throw new Refusal('conflict', 'The report was settled in the meantime.');
    return this.report(id, open);
  }

  @Call('listRoomReports')
  async listRoomReports(
    @Input('listRoomReports') { params, query }: InputOf<'listRoomReports'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'listRoomReports'>> {
    const { status, ...page } = query;
    const room = { id: params.id, purpose };
    const found = await this.queries.execute(new ListReportsQuery(actor, status === 'settled', page, room));
    return listAnswer(accepted(found), reportAnswer);
  }

  @Call('listReports')
  async listReports(
    @Input('listReports') { query }: InputOf<'listReports'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listReports'>> {
    const { status, ...page } = query;
    const found = await this.queries.execute(new ListReportsQuery(actor, status === 'settled', page));
    return listAnswer(accepted(found), reportAnswer);
  }

  @Call('settleReport')
  async settleReport(
    @Input('settleReport') { params: { id, reportId }, body }: InputOf<'settleReport'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Report> {
    await this.send(id, { type: 'SettleReport', actor, reportId, ...body }, context, reply);
    return this.report(id, reportId);
  }

  private async report(roomId: string, reportId: string): Promise<Report> {
    return reportAnswer(accepted(await this.queries.execute(new GetReportQuery(roomId, reportId))));
  }

  private async send(roomId: string, command: RoomCommand, context: Context, reply: FastifyReply) {
    return this.written(await this.commands.execute(new ApplyToRoomCommand(roomId, command, context)), reply);
  }

  private async written(outcome: Decided<RoomState> | Rejection, reply: FastifyReply): Promise<Decided<RoomState>> {
    const decided = accepted(outcome);
    await this.readYourWrites.written(decided.position, reply);
    return decided;
  }
}
