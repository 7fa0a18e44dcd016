import { AnnounceHandler, WithdrawAnnouncementHandler } from './announcement-commands.js';
import { BeginMaintenanceHandler, EndMaintenanceHandler, MaintenanceChanger } from './maintenance-commands.js';
import { GetNoticesHandler, GetOverviewHandler, GetSettingsHandler } from './operation-queries.js';
import { GetProjectionsHandler, ProjectionProgressReader, RebuildProjectionsHandler } from './projection-handlers.js';

export const operationHandlers = [
  GetOverviewHandler,
  GetSettingsHandler,
  GetNoticesHandler,
  AnnounceHandler,
  WithdrawAnnouncementHandler,
  MaintenanceChanger,
  BeginMaintenanceHandler,
  EndMaintenanceHandler,
  ProjectionProgressReader,
  GetProjectionsHandler,
  RebuildProjectionsHandler,
];
