import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, ANNOUNCEMENT, type AnnouncementState, type Rejection } from '@verbatim/domain';
import { Announcements } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** Announces something to everyone, replacing the current announcement. */
export class AnnounceCommand extends Command<Decided<AnnouncementState> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly text: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(AnnounceCommand)
export class AnnounceHandler implements ICommandHandler<AnnounceCommand> {
  constructor(private readonly announcements: Announcements) {}

  execute({ actor, text, context }: AnnounceCommand): Promise<Decided<AnnouncementState> | Rejection> {
    return this.announcements.send(ANNOUNCEMENT, { type: 'Announce', actor, text }, context);
  }
}

/** Withdraws the announcement. */
export class WithdrawAnnouncementCommand extends Command<Decided<AnnouncementState> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(WithdrawAnnouncementCommand)
export class WithdrawAnnouncementHandler implements ICommandHandler<WithdrawAnnouncementCommand> {
  constructor(private readonly announcements: Announcements) {}

  execute({ actor, context }: WithdrawAnnouncementCommand): Promise<Decided<AnnouncementState> | Rejection> {
    return this.announcements.send(ANNOUNCEMENT, { type: 'WithdrawAnnouncement', actor }, context);
  }
}
