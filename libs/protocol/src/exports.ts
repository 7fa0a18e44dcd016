import { limits } from '@verbatim/domain';
import { count, id, instant, time, trimmedText } from './fields.js';
import { listOf, paging } from './lists.js';
import { z } from './zod.js';

const isDay = (value: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(value);

/** A time, or a day in UTC, which begins and ends with these times of day. */
const moment = (timeOfDay: string) =>
  z.preprocess((value) => (typeof value === 'string' && isDay(value) ? `${value}T${timeOfDay}Z` : value), instant);

const words = trimmedText(500);

const scope = {
  room: id.optional().describe('Only events of this room. Owners of rooms have to name one of theirs.'),
  person: id.optional().describe('Only what this person did; without `room` also what happened to their account.'),
  from: moment('00:00:00.000')
    .optional()
    .describe('Only what was recorded at this time or later; a day counts from its beginning (UTC).'),
  to: moment('23:59:59.999')
    .optional()
    .describe('Only what was recorded at this time or before; a day counts to its end (UTC).'),
  words: words
    .optional()
    .describe('Only messages in which a search for this finds something, in the texts that you may see.'),
};

export const requestExportBody = z
  .object({ ...scope, reason: trimmedText(limits.reason).optional().describe('Why: needed, and recorded.') })
  .meta({
    examples: [
      { room: '01985f6e-7a2c-7000-8000-0000000000b1', from: '2026-01-01', to: '2026-01-31', reason: 'Case 2026-14' },
      { person: '01985f6e-7a2c-7000-8000-00000000ada1', words: '"rent contract"', reason: 'Request of the court' },
    ],
  });

export const ofExport = z.object({ id: id.describe('The export.') });

export const exportSchema = z.object({
  id,
  status: z
    .enum(['queued', 'running', 'done', 'failed'])
    .describe(
      '`queued`: waits for its turn, or for a checkpoint of the log that covers what was recorded before the request.',
    ),
  progress: z.object({
    done: count.describe('Events that were looked at.'),
    total: count.nullable().describe('Events to look at; null until it runs.'),
  }),
  events: count.describe('Events in the bundle, so far.'),
  bytes: count.nullable().describe('Size of the bundle; null until it is done.'),
  problem: z.string().nullable().describe('Why it failed, in a sentence; null when it did not.'),
  room: id.nullable(),
  person: id.nullable(),
  from: time.nullable(),
  to: time.nullable(),
  words: z.string().nullable(),
  reason: z.string(),
  requestedAt: time,
  finishedAt: time.nullable(),
  expiresAt: time.nullable().describe('When the bundle is deleted; null until it is done.'),
});
export type Export = z.output<typeof exportSchema>;

export const listExportsQuery = z.object(paging);
export const exportListSchema = listOf(exportSchema);
