import { Controller, Res } from '@nestjs/common';
import { ANNOUNCEMENT, type AnnouncementCommand } from '@verbatim/domain';
import type { Announcement, Settings as Shown } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../accounts/authentication.js';
import { Announcements } from '../mailbox/entities.js';
import type { Context } from '../mailbox/mailbox.js';
import { By, Call, Input, type InputOf, Trace } from '../rest/call.js';
import { ReadYourWrites } from '../rest/read-your-writes.js';
import { accepted } from '../rest/refusal.js';
import { Settings } from './settings.js';

/** How the service is set up, and what its administrators tell everybody. */
@Controller()
export class AdministrationController {
  constructor(
    private readonly settings: Settings,
    private readonly announcements: Announcements,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('getSettings')
  getSettings(): Shown {
    return this.settings.shown;
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
}
