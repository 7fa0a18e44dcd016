import { z } from 'zod';
import { time } from './fields.js';

/** The number of this contract; it changes only when clients would break. */
export const protocol = 1;

export const healthSchema = z.object({ status: z.literal('ok') });

/** An announcement of the administrators. */
export const announcementSchema = z.object({ text: z.string(), since: time });
export type Announcement = z.output<typeof announcementSchema>;

/** During it, only administrators can make changes. */
export const maintenanceSchema = z.object({
  text: z.string().nullable().describe('Notice for everyone, or null.'),
  until: time.nullable().describe('When it is expected to be over. It may end sooner or later.'),
  since: time,
});
export type Maintenance = z.output<typeof maintenanceSchema>;

/** The same where there may be none. */
export const maintenanceNow = maintenanceSchema
  .nullable()
  .describe('The current maintenance, during which only administrators can make changes; null if there is none.');

export const aboutSchema = z.object({
  name: z.string(),
  version: z.string(),
  protocol: z.literal(protocol),
  announcement: announcementSchema.nullable().describe('The current announcement, or null.'),
  maintenance: maintenanceNow,
});

/** Text in the exposition format of Prometheus. */
export const metricsSchema = z.string();

/** A document in JSON whose form is defined elsewhere. */
export const documentSchema = z.record(z.string(), z.unknown());
