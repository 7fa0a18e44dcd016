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
  checkpoint: checkpoint.describe('Position of the last event in its tables; null before the first.'),
  lag: count.describe('How far it is behind the log: in events, or in bytes of the log in some stores.'),
  movedAt: time
    .nullable()
    .describe('When the answering process last saw the checkpoint move; null if not since its start.'),
});
export type ProjectionGroup = z.output<typeof projectionGroupSchema>;

export const projectionsSchema = z.object({
  schema: z.string().describe('Database schema of the tables in use.'),
  head: checkpoint.describe('Position of the last event in the log; null before the first.'),
  projecting: z.boolean().describe('Whether the answering process updates the tables.'),
  groups: z.array(projectionGroupSchema),
  rebuild: z
    .object({
      schema: z.string().describe('Database schema of the new tables.'),
      done: count.describe('Progress, as a position in the log.'),
      total: count,
    })
    .nullable()
    .describe('The rebuild in progress, on any process; null if there is none.'),
});
export type Projections = z.output<typeof projectionsSchema>;

// Overview ----------------------------------------------------------------------------------------------------------

export const daySchema = z.object({
  day: z.iso.date().describe('In UTC.'),
  accounts: count.describe('Created on that day; likewise `rooms` and `messages`.'),
  rooms: count,
  messages: count.describe('Including redacted ones.'),
});

export const replicaSchema = z.object({
  id: z.string().describe('Changes at each start.'),
  answers: z.boolean().describe('Whether this is the answering process.'),
  sockets: count
    .nullable()
    .describe('Open WebSocket connections; null if unknown, for processes of an earlier release.'),
  people: count
    .nullable()
    .describe('Accounts with an open connection; people connected to two processes count in both.'),
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
  at: time.describe('Start of a 15-minute interval.'),
  people: count.describe('Peak of people connected, over all processes; likewise `sockets`.'),
  sockets: count,
});

export const overviewSchema = z.object({
  accounts: count.describe('All accounts ever created, of people and bots.'),
  openRooms: count,
  messages: count.describe('All messages ever posted.'),
  days: z
    .array(daySchema)
    .describe('The last 30 days up to today, oldest first. Imported events count on the day they happened.'),
  replicas: z.array(replicaSchema).describe('Running processes, as reported within the last seconds.'),
  openReports: count.describe('Unsettled reports; 1,000 means that many or more.'),
  waiting: z
    .object({
      count: count.describe('How many people are waiting; 1,000 means that many or more.'),
      people: z.array(waitingPersonSchema).describe('Those who have waited least, at most 20.'),
    })
    .describe('People who cannot sign in without help.'),
  connected: z
    .array(connectedSchema)
    .describe('The last 24 hours, oldest first. Intervals in which the service did not run are missing.'),
  auditLog: z
    .object({
      origin: z.string().describe('Name of the tree that grows.'),
      size: count.describe('Events that its newest checkpoint covers.'),
      published: count.nullable().describe('Size of the newest checkpoint that has its quorum; null before the first.'),
      belowQuorumSince: time.nullable().describe('Since when newer ones lack their quorum; null while they have it.'),
      quorum: count.describe('How many witnesses must cosign.'),
      witnesses: z.array(
        z.object({
          name: z.string(),
          size: count.describe('Size of the newest checkpoint that it has cosigned; 0 if none.'),
          cosignedAt: time.nullable().describe('When it last cosigned, by its own clock; null if never.'),
        }),
      ),
    })
    .nullable()
    .describe('The transparency log; null before it was begun.'),
  process: z
    .object({
      missing: z
        .array(z.string())
        .describe('Parts that are not working: `database`, `event store`, `feed`, `read models`, `transparency log`.'),
      startedAt: time,
      memoryBytes: count.describe('Resident memory.'),
      behind: count.describe('Events not yet shown in lists; in some stores, bytes of the log.'),
      searchBehind: count.describe('Events not yet found by search; in some stores, bytes of the log.'),
    })
    .describe('The answering process.'),
});
export type Overview = z.output<typeof overviewSchema>;

// Settings ----------------------------------------------------------------------------------------------------------

export const settingsSchema = z.object({
  version: z.string(),
  registration: z.enum(['open', 'invite', 'closed']).describe('Who can register.'),
  singleSignOn: z.object({ label: z.string(), issuer: z.string() }).nullable().describe('Null if there is none.'),
  secondFactorFor: z.array(serverRole).describe('Roles that must have a second factor.'),
  limits: z
    .array(
      z.object({
        name: z.string().describe('Name of the environment variable.'),
        count,
        seconds: count.nullable().describe('The time in which `count` is allowed; null: that many at a time.'),
      }),
    )
    .nullable()
    .describe('Null while limits are off.'),
  retention: z
    .object({
      idempotencyHours: count.describe('How long answers to requests with an Idempotency-Key are kept.'),
      sessionDays: count.describe('Maximum lifetime of a session.'),
      unusedSessionDays: count.describe('Lifetime of an unused session.'),
    })
    .describe('Events are kept forever.'),
  database: z.enum(['embedded', 'external']),
  eventStore: z.enum(['postgresql', 'kurrentdb']),
  allowedOrigins: z.array(z.string()).describe('Other origins that may call the API.'),
  trustsProxies: z.boolean().describe('Whether proxies are trusted.'),
  privateWebhooks: z.boolean().describe('Whether webhooks to private addresses are allowed.'),
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
    text: visibleText(1, limits.announcement).nullable().default(null).describe('Notice for everyone.'),
    until: timeToCome.nullable().default(null).describe('Expected end.'),
  })
  .meta({ examples: [{ text: 'The database moves to another disk.', until: '2026-01-31T14:00:00.000Z' }] });
