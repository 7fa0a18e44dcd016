import { limits } from '@verbatim/domain';
import { z } from 'zod';
import { id, parameter, reason, revision, time, timeToCome, trimmedText, visibleText } from './fields.js';
import { listOf, paging } from './lists.js';
import { personSchema } from './person.js';
import { inRoom } from './rooms.js';

// Bodies, parameters and queries ------------------------------------------------------------------------------------

export const banBody = z.object({
  reason,
  until: timeToCome.nullable().default(null).describe('When the ban ends by itself; null: it does not.'),
});

export const muteBody = z.object({ reason, until: timeToCome.describe('When the mute ends by itself.') });

export const transferBody = z.object({ userId: id.describe('The member who becomes owner.') });

export const reportBody = z.object({ reason: trimmedText(limits.reason).describe('What is wrong with the message.') });

const outcome = z.enum(['dismissed', 'acted']).describe('`acted`: something was done about it.');
export const settleBody = z.object({
  outcome,
  note: visibleText(0, limits.reason).nullable().default(null).describe('What was done, or why nothing was.'),
});

export const ofPerson = inRoom.extend({ userId: id.describe('The person, in the room or not.') });
export const ofReport = inRoom.extend({ reportId: id.describe('The report.') });

const status = z.enum(['open', 'settled']);
export const reportsQuery = z.object({
  status: parameter(status.default('open')).describe('Those that wait, or those that were settled.'),
  ...paging,
});
export const bansQuery = z.object(paging);

// Answers -----------------------------------------------------------------------------------------------------------

export const banSchema = z.object({
  user: personSchema,
  until: time.nullable().describe('When the ban ends by itself; null: it does not.'),
  reason: z.string().nullable(),
  by: personSchema.nullable().describe('Who banned the person.'),
  at: time,
});
export type Ban = z.output<typeof banSchema>;
export const banListSchema = listOf(banSchema);

export const reportSchema = z.object({
  id,
  roomId: id,
  messageId: id,
  messageRevision: revision
    .nullable()
    .describe('Revision of the message: `GET .../messages?from=` shows it with what was said around it.'),
  author: personSchema.nullable().describe('Who wrote the message.'),
  reporter: personSchema,
  reason: z.string().nullable().describe('Null once it was forgotten.'),
  reportedAt: time,
  status,
  settledBy: personSchema.nullable(),
  settledAt: time.nullable(),
  outcome: outcome.nullable(),
  note: z.string().nullable(),
});
export type Report = z.output<typeof reportSchema>;
export const reportListSchema = listOf(reportSchema);
