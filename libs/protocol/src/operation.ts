import { z } from 'zod';
import { time } from './fields.js';

/** The number of this contract; it changes only when clients would break. */
export const protocol = 1;

export const healthSchema = z.object({ status: z.literal('ok') });

/** What administrators tell everybody. */
export const announcementSchema = z.object({ text: z.string(), since: time });
export type Announcement = z.output<typeof announcementSchema>;

export const aboutSchema = z.object({
  name: z.string(),
  version: z.string(),
  protocol: z.literal(protocol),
  announcement: announcementSchema.nullable().describe('What administrators tell everybody now, or null.'),
});

/** Text in the exposition format of Prometheus. */
export const metricsSchema = z.string();

/** A document in JSON whose form is defined elsewhere. */
export const documentSchema = z.record(z.string(), z.unknown());
