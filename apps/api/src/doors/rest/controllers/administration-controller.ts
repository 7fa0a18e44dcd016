import { Controller, Res } from '@nestjs/common';
import { ANNOUNCEMENT, type AnnouncementCommand, MAINTENANCE, type MaintenanceCommand } from '@verbatim/domain';
import type {
  Announcement,
  Overview as OverviewAnswer,
  Settings as Shown,
  Maintenance as Told,
} from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../../../application/accounts/authentication.js';
import { Overview } from '../../../application/operation/overview.js';
import { Settings } from '../../../application/operation/settings.js';
import { Announcements, Maintenances } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { Maintenance } from '../../../write-side/maintenance.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';

/** How the service is set up, what its administrators tell everybody, and when they have it to themselves. */
@Controller()
export class AdministrationController {
  constructor(
    private readonly overview: Overview,
    private readonly settings: Settings,
    private readonly announcements: Announcements,
    private readonly maintenances: Maintenances,
    private readonly maintenance: Maintenance,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('getOverview')
  getOverview(): Promise<OverviewAnswer> {
    return this.overview.now();
  }

  @Call('getSettings')
  getSettings(): Shown {
    return { ...this.settings.shown, maintenance: this.maintenance.now };
  }

  @Call('announce')
  async announce(
    @Input('announce') { body }: InputOf<'announce'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Announcement> {
    const { told } = await this.change({ type: 'Announce', actor, ...body }, context, reply);
    if (!told) throw new Error('What was announced is not told.');
    return told;
  }

  @Call('withdrawAnnouncement')
  async withdraw(
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.change({ type: 'WithdrawAnnouncement', actor }, context, reply);
  }

  private async change(command: AnnouncementCommand, context: Context, reply: FastifyReply) {
    const { state, position } = accepted(await this.announcements.send(ANNOUNCEMENT, command, context));
    await this.readYourWrites.written(position, reply);
    return state;
  }

  @Call('beginMaintenance')
  async begin(
    @Input('beginMaintenance') { body }: InputOf<'beginMaintenance'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Told> {
    const { on } = await this.maintain({ type: 'BeginMaintenance', actor, ...body }, context, reply);
    if (!on) throw new Error('The maintenance that was begun does not go on.');
    return on;
  }

  @Call('endMaintenance')
  async end(
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.maintain({ type: 'EndMaintenance', actor }, context, reply);
  }

  private async maintain(command: MaintenanceCommand, context: Context, reply: FastifyReply) {
    const { state, position } = accepted(await this.maintenances.send(MAINTENANCE, command, context));
    // Whoever is told that it began finds that it did, at this process at least, whenever the feed brings it.
    this.maintenance.adopt(state);
    await this.readYourWrites.written(position, reply);
    return state;
  }
}
