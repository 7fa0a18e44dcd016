import { limits } from '@verbatim/domain';
import { z } from 'zod';
import { serverRole } from './accounts.js';
import { count, position, time, timeToCome, visibleText } from './fields.js';
import { maintenanceNow } from './operation.js';
import { personSchema } from './person.js';

// Read models -------------------------------------------------------------------------------------------------------

const checkpoint = position.nullable().describe('Null before the first event.');

export const projectionGroupSchema = z.object({
  name: z.enum(['timeline', 'search']).describe('`timeline`: people, rooms, members, messages; `search`: their words.'),
  checkpoint: checkpoint.describe('Position of the last event that is in its tables; null before the first.'),
  lag: count.describe('How far that is behind the log: events, or bytes of the log in some stores.'),
  movedAt: time
    .nullable()
    .describe('When the process that answers last saw the checkpoint move; null: not since it was started.'),
});
export type ProjectionGroup = z.output<typeof projectionGroupSchema>;

export const projectionsSchema = z.object({
  schema: z.string().describe('Of the database, where the tables are that are read now.'),
  head: checkpoint.describe('Position of the last event in the log; null before the first.'),
  projecting: z.boolean().describe('Whether it is the process that answers which keeps the tables up with the log.'),
  groups: z.array(projectionGroupSchema),
  rebuild: z
    .object({
      schema: z.string().describe('Where the new tables are made.'),
      done: count.describe('How far they have come, in the positions of the log.'),
      total: count,
    })
    .nullable()
    .describe('The rebuild that runs now, in whatever process; null if there is none.'),
});
export type Projections = z.output<typeof projectionsSchema>;

// Overview ----------------------------------------------------------------------------------------------------------

export const daySchema = z.object({
  day: z.iso.date().describe('In UTC.'),
  accounts: count.describe('Made on that day; `rooms` and `messages` likewise.'),
  rooms: count,
  messages: count.describe('Those redacted since included.'),
});

export const replicaSchema = z.object({
  id: z.string().describe('Another one after each start.'),
  answers: z.boolean().describe('Whether it is the process that answers.'),
  sockets: count
    .nullable()
    .describe('Open WebSocket connections; null: not known, of a process of an earlier release.'),
  people: count.nullable().describe('Accounts that have one; whoever is connected to two processes counts at both.'),
});
export type Replica = z.output<typeof replicaSchema>;

export const waitingPersonSchema = z.object({
  person: personSchema,
  why: z
    .enum(['locked_out', 'link_open', 'link_expired'])
    .describe(
      '`locked_out`: too many wrong passwords within the last week, and no sign-in since; `link_open`: has a link to choose a ' +
        'password and has not used it; `link_expired`: the link ran out within the last two weeks.',
    ),
  since: time,
});

export const connectedSchema = z.object({
  at: time.describe('The start of a quarter of an hour.'),
  people: count.describe('The most people who were connected at once, in all processes; likewise `sockets`.'),
  sockets: count,
});

export const overviewSchema = z.object({
  accounts: count.describe('All that were ever made, of people and of bots.'),
  openRooms: count,
  messages: count.describe('All that were ever posted.'),
  days: z
    .array(daySchema)
    .describe('The last 30 up to today, the oldest first. What was imported counts when it happened.'),
  replicas: z.array(replicaSchema).describe('Processes that serve, as they told within the last seconds.'),
  openReports: count.describe('Reports that nobody has settled; 1,000 stands for that many or more.'),
  waiting: z
    .object({
      count: count.describe('How many people wait; 1,000 stands for that many or more.'),
      people: z.array(waitingPersonSchema).describe('Those who have waited least, at most 20.'),
    })
    .describe('People who cannot get in without help.'),
  connected: z
    .array(connectedSchema)
    .describe('The last 24 hours, the oldest first. A quarter of an hour in which the service did not run is missing.'),
  process: z
    .object({
      missing: z
        .array(z.string())
        .describe('Parts that do not work: `database`, `event store`, `feed`, `read models`.'),
      startedAt: time,
      memoryBytes: count.describe('Resident memory.'),
      behind: count.describe('Events that lists do not show yet; in some stores bytes of the log.'),
      searchBehind: count.describe('Events that search does not find yet; in some stores bytes of the log.'),
    })
    .describe('The process that answers.'),
});
export type Overview = z.output<typeof overviewSchema>;

// Settings ----------------------------------------------------------------------------------------------------------

export const settingsSchema = z.object({
  version: z.string(),
  registration: z.enum(['open', 'invite', 'closed']).describe('Who may make an account.'),
  singleSignOn: z.object({ label: z.string(), issuer: z.string() }).nullable().describe('Null where there is none.'),
  secondFactorFor: z.array(serverRole).describe('Roles that must have a second factor.'),
  limits: z
    .array(
      z.object({
        name: z.string().describe('As the variable of the environment is called.'),
        count,
        seconds: count.nullable().describe('The span in which `count` is allowed; null: so many at a time.'),
      }),
    )
    .nullable()
    .describe('Null while limits are turned off.'),
  retention: z
    .object({
      idempotencyHours: count.describe('For which answers to requests with an Idempotency-Key are kept.'),
      sessionDays: count.describe('After which a session ends in any case.'),
      unusedSessionDays: count.describe('After which one that is not used ends.'),
    })
    .describe('Events are kept for good.'),
  database: z.enum(['embedded', 'external']),
  eventStore: z.enum(['postgresql', 'kurrentdb']),
  allowedOrigins: z.array(z.string()).describe('Other sites whose pages may call.'),
  trustsProxies: z.boolean().describe('Whether proxies are believed where requests come from.'),
  privateWebhooks: z.boolean().describe('Whether webhooks may be sent to private addresses.'),
  logLevel: z.string(),
  maintenance: maintenanceNow,
});
export type Settings = z.output<typeof settingsSchema>;

export const announceBody = z
  .object({ text: visibleText(1, limits.announcement) })
  .meta({ examples: [{ text: 'The service is updated on Sunday at 6 in the morning.' }] });

// Maintenance -------------------------------------------------------------------------------------------------------

export const beginMaintenanceBody = z
  .object({
    text: visibleText(1, limits.announcement).nullable().default(null).describe('What people are told about it.'),
    until: timeToCome.nullable().default(null).describe('When it is expected to be over.'),
  })
  .meta({ examples: [{ text: 'The database moves to another disk.', until: '2026-01-31T14:00:00.000Z' }] });
