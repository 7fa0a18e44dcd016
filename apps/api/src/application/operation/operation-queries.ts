import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { ANNOUNCEMENT, type AnnouncementState, type MaintenanceState } from '@verbatim/domain';
import { Announcements } from '../../write-side/entities.js';
import { Maintenance } from '../../write-side/maintenance.js';
import { Overview, type OverviewFigures } from './overview.js';
import { Settings, type ShownSettings } from './settings.js';

/** Activity of the service, and users waiting for an administrator. */
export class GetOverviewQuery extends Query<OverviewFigures> {}

@QueryHandler(GetOverviewQuery)
export class GetOverviewHandler implements IQueryHandler<GetOverviewQuery> {
  constructor(private readonly overview: Overview) {}

  execute(): Promise<OverviewFigures> {
    return this.overview.now();
  }
}

/** The settings, and the current maintenance, if any. */
export class GetSettingsQuery extends Query<ShownSettings & { readonly maintenance: MaintenanceState['on'] }> {}

@QueryHandler(GetSettingsQuery)
export class GetSettingsHandler implements IQueryHandler<GetSettingsQuery> {
  constructor(
    private readonly settings: Settings,
    private readonly maintenance: Maintenance,
  ) {}

  async execute() {
    return { ...this.settings.shown, maintenance: this.maintenance.now };
  }
}

/** The announcement and maintenance, for everyone. Also works while the event store is unreachable. */
export interface Notices {
  readonly announcement: AnnouncementState['current'];
  readonly maintenance: MaintenanceState['on'];
}

export class GetNoticesQuery extends Query<Notices> {}

@QueryHandler(GetNoticesQuery)
export class GetNoticesHandler implements IQueryHandler<GetNoticesQuery> {
  constructor(
    private readonly announcements: Announcements,
    private readonly maintenance: Maintenance,
  ) {}

  async execute(): Promise<Notices> {
    const announcement = await this.announcements.current(ANNOUNCEMENT).then(
      ({ state }) => state.current,
      () => null,
    );
    return { announcement, maintenance: this.maintenance.now };
  }
}
