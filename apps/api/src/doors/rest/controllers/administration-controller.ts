import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Rejection } from '@verbatim/domain';
import type { Announcement, Maintenance, Overview, Settings } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { AnnounceCommand, WithdrawAnnouncementCommand } from '../../../application/operation/announcement-commands.js';
import { BeginMaintenanceCommand, EndMaintenanceCommand } from '../../../application/operation/maintenance-commands.js';
import { GetOverviewQuery, GetSettingsQuery } from '../../../application/operation/operation-queries.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import type { Context, Decided } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';

/** Figures and settings of the service, its announcement, and maintenance. */
@Controller()
export class AdministrationController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('getOverview')
  getOverview(): Promise<Overview> {
    return this.queries.execute(new GetOverviewQuery());
  }

  @Call('getSettings')
  getSettings(): Promise<Settings> {
    return this.queries.execute(new GetSettingsQuery());
  }

  @Call('announce')
  async announce(
    @Input('announce') { body }: InputOf<'announce'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Announcement> {
    const { current } = await this.written(
      await this.commands.execute(new AnnounceCommand(actor, body.text, context)),
      reply,
    );
    if (!current) throw new Error('The announcement is missing right after it was made.');
    return current;
  }

  @Call('withdrawAnnouncement')
  async withdraw(
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.written(await this.commands.execute(new WithdrawAnnouncementCommand(actor, context)), reply);
  }

  @Call('beginMaintenance')
  async begin(
    @Input('beginMaintenance') { body }: InputOf<'beginMaintenance'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Maintenance> {
    const begun = await this.commands.execute(new BeginMaintenanceCommand(actor, body, context));
    const { on } = await this.written(begun, reply);
    if (!on) throw new Error('Maintenance is off right after it was turned on.');
    return on;
  }

  @Call('endMaintenance')
  async end(
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.written(await this.commands.execute(new EndMaintenanceCommand(actor, context)), reply);
  }

  private async written<S>(outcome: Decided<S> | Rejection, reply: FastifyReply): Promise<S> {
    const { state, position } = accepted(outcome);
    await this.readYourWrites.written(position, reply);
    return state;
  }
}
