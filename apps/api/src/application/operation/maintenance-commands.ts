import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  isRejection,
  MAINTENANCE,
  type MaintenanceCommand,
  type MaintenanceNote,
  type MaintenanceState,
  type Rejection,
} from '@verbatim/domain';
import { Maintenances } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Maintenance } from '../../write-side/maintenance.js';

type MaintenanceDecided = Decided<MaintenanceState>;

/** Begins and ends maintenance. */
@Injectable()
export class MaintenanceChanger {
  constructor(
    private readonly maintenances: Maintenances,
    private readonly maintenance: Maintenance,
  ) {}

  async change(command: MaintenanceCommand, context: Context): Promise<MaintenanceDecided | Rejection> {
    const changed = await this.maintenances.send(MAINTENANCE, command, context);
    // Effective in this process before the response, however late the feed delivers it.
    if (!isRejection(changed)) this.maintenance.adopt(changed.state);
    return changed;
  }
}
/** Begins maintenance or changes its note: from now on only administrators can change anything. */
export class BeginMaintenanceCommand extends Command<MaintenanceDecided | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly note: MaintenanceNote,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(BeginMaintenanceCommand)
export class BeginMaintenanceHandler implements ICommandHandler<BeginMaintenanceCommand> {
  constructor(private readonly changer: MaintenanceChanger) {}

  execute({ actor, note, context }: BeginMaintenanceCommand): Promise<MaintenanceDecided | Rejection> {
    return this.changer.change({ type: 'BeginMaintenance', actor, ...note }, context);
  }
}

export class EndMaintenanceCommand extends Command<MaintenanceDecided | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(EndMaintenanceCommand)
export class EndMaintenanceHandler implements ICommandHandler<EndMaintenanceCommand> {
  constructor(private readonly changer: MaintenanceChanger) {}

  execute({ actor, context }: EndMaintenanceCommand): Promise<MaintenanceDecided | Rejection> {
    return this.changer.change({ type: 'EndMaintenance', actor }, context);
  }
}
