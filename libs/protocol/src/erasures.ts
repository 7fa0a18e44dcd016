import { erasureGrounds, limits, retentionLimits } from '@verbatim/domain';
import { id, numberParameter, parameter, time, trimmedText, whole } from './fields.js';
import { listOf, paging } from './lists.js';
import { personSchema } from './person.js';
import { z } from './zod.js';

export { erasureGrounds };

/** A day in UTC; of a time the day on which it is. */
const day = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T[\d:.]{8,12}Z)?$/, 'must be a day such as 2026-01-31')
  .overwrite((value) => value.slice(0, 10));

const reason = trimmedText(limits.reason).optional().describe('Why: needed, and recorded.');

const scope = {
  person: id.optional().describe('What this person wrote anywhere, and what their profile holds.'),
  room: id.optional().describe('Everything in this room, or with more fields a part of it.'),
};
const span = {
  from: day.optional().describe('With `room` and `to`: what was written on this day (UTC) or later.'),
  to: day.optional().describe('The last day, inclusive.'),
};

interface Scope {
  readonly person?: string;
  readonly room?: string;
  readonly message?: string;
  readonly from?: string;
  readonly to?: string;
}

const isScope = ({ person, room, message, from, to }: Scope): boolean => {
  if ((person === undefined) === (room === undefined)) return false;
  if (person !== undefined) return message === undefined && from === undefined && to === undefined;
  if ((from === undefined) !== (to === undefined)) return false;
  return message === undefined ? from === undefined || from <= (to ?? '') : from === undefined;
};
const noScope = 'must name a person, a room, a room with a message, or a room with from and to';

export const requestErasureBody = z
  .object({
    ...scope,
    message: id.optional().describe('With `room`: the texts of this one message.'),
    ...span,
    ground: z.enum(erasureGrounds).describe('On what ground.'),
    reason,
  })
  .refine(isScope, noScope)
  .meta({
    examples: [
      { person: '01985f6e-7a2c-7000-8000-00000000ada1', ground: 'consent_withdrawn', reason: 'Letter of 3 May' },
      {
        room: '01985f6e-7a2c-7000-8000-0000000000b1',
        from: '2026-01-01',
        to: '2026-01-31',
        ground: 'other',
        reason: 'x',
      },
    ],
  });

export const placeHoldBody = z.object({ ...scope, ...span, reason }).refine(isScope, noScope);

export const ofErasure = z.object({ id: id.describe('The erasure.') });
export const ofHold = z.object({ id: id.describe('The hold.') });

export const requestedSchema = z.object({ id });

export const erasedScopeSchema = z.object({
  kind: z.enum(['person', 'room', 'days', 'message']),
  person: id.nullable(),
  room: id.nullable().describe('Null for a person.'),
  message: id.nullable(),
  from: z.string().nullable().describe('The first day (UTC), such as `2026-01-31`; null unless it is about days.'),
  to: z.string().nullable().describe('The last day, inclusive.'),
});
export type ErasedScope = z.output<typeof erasedScopeSchema>;

const recordedReason = z.string().nullable().describe('As it was given; null once it was erased.');

export const erasureSchema = z.object({
  id,
  status: z
    .enum(['queued', 'running', 'held', 'done'])
    .describe('`held`: a hold forbids it; it goes on when the hold is lifted.'),
  keys: z
    .number()
    .int()
    .nullable()
    .describe('Keys destroyed so far, each of what one person wrote in one room on one day; null when it is done.'),
  problem: z
    .string()
    .nullable()
    .describe(
      'Why the last attempt failed; it is tried again, at the latest after ten minutes, for as long as it takes. Null if it did not.',
    ),
  scope: erasedScopeSchema,
  ground: z.enum(erasureGrounds),
  reason: recordedReason,
  by: personSchema.nullable().describe('Who requested it; null if a rule of retention did.'),
  rule: id.nullable().describe('The rule of retention that requested it.'),
  requestedAt: time,
  beganAt: time.nullable().describe('From then on nothing in its scope that was recorded before is shown.'),
  finishedAt: time.nullable(),
  heldBy: z.array(id).describe('The holds that forbid it, at most 20 of them.'),
  certificate: z
    .string()
    .nullable()
    .describe(
      'A signed note (c2sp.org/signed-note) that says what was erased, when, by whom and on what ground; null until it is done.',
    ),
});
export type Erasure = z.output<typeof erasureSchema>;
export const erasureListSchema = listOf(erasureSchema);
export const listErasuresQuery = z.object(paging);

export const holdSchema = z.object({
  id,
  scope: erasedScopeSchema.describe('A person, a room, or days of a room.'),
  reason: recordedReason,
  by: personSchema.describe('Who placed it.'),
  placedAt: time,
});
export type Hold = z.output<typeof holdSchema>;
export const holdListSchema = listOf(holdSchema);
export const listHoldsQuery = z.object(paging);

// Retention ---------------------------------------------------------------------------------------------------------

const count = z.number().int();
const visibility = z.enum(['public', 'private', 'hidden', 'direct']);
const about = {
  room: id.optional().describe('Of this room.'),
  visibility: visibility.optional().describe('Of all rooms of this visibility.'),
};
const days = z
  .number()
  .int()
  .min(1)
  .max(retentionLimits.days)
  .nullable()
  .describe('Texts are erased when they are older than so many whole days (UTC); null: never.');

const isAboutOne = ({ room, visibility }: { room?: string; visibility?: string }) =>
  room === undefined || visibility === undefined;
const aboutTwo = 'must name a room or a visibility, or neither for the whole server';

export const setRetentionRuleBody = z
  .object({ ...about, days, reason })
  .refine(isAboutOne, aboutTwo)
  .meta({ examples: [{ visibility: 'direct', days: 365, reason: 'Privacy policy, part 4' }] });

/** A dry run of the rules in force, or of these and one more. */
export const retentionDryRunQuery = z
  .object({
    room: parameter(id.optional()).describe('The room that the rule would be about.'),
    visibility: parameter(visibility.optional()).describe('Or the visibility of the rooms that it would be about.'),
    days: numberParameter(whole(1, retentionLimits.days).optional()).describe(
      'As if a rule for so many days were in force as well, for the room, the visibility, or the server.',
    ),
  })
  .refine(isAboutOne, aboutTwo)
  .refine(
    ({ room, visibility, days }) => days !== undefined || (room === undefined && visibility === undefined),
    'must say for how many days',
  );

export const removeRetentionRuleBody = z.object({ reason });
export const ofRetentionRule = z.object({ id: id.describe('The rule.') });

export const retentionDryRunSchema = z.object({
  messages: count.describe('Messages whose text would be erased.'),
  rooms: count.describe('Rooms with something to erase.'),
  held: count.describe('Rooms in which a legal hold forbids it for now; they are not counted otherwise.'),
  complete: z.boolean().describe('False: there are more; counting ends after some seconds.'),
});
export type RetentionDryRun = z.output<typeof retentionDryRunSchema>;

export const retentionRuleSchema = z.object({
  id,
  room: id.nullable(),
  visibility: z
    .enum(['public', 'private', 'hidden', 'direct'])
    .nullable()
    .describe('Null, as `room`: the whole server.'),
  days: count.nullable(),
  by: id.describe('The administrator who set it; why is on the audit trail.'),
  setAt: time,
});

export const retentionSchema = z.object({
  rules: z.array(retentionRuleSchema).describe('The most specific one counts: room, then visibility, then server.'),
  waiting: count.describe('Erasures that rules have asked for and that are not finished.'),
  pass: z
    .object({
      day: z.string().describe('The day for which it looks (UTC).'),
      looked: count.describe('Rooms looked at.'),
      requested: count.describe('Erasures asked for.'),
      held: count.describe('Rooms in which a legal hold forbade it.'),
      complete: z.boolean().describe('Whether all rooms have been looked at.'),
    })
    .nullable()
    .describe('The look for what is due today by the rules and holds as they are; null before it begins.'),
});
export type Retention = z.output<typeof retentionSchema>;
