import { limits, normalize, textProblem } from '@verbatim/domain';
import { z } from 'zod';

// The fields of which bodies, queries, answers and frames are made. A schema checks what comes in and brings it to the
// one form that the rest of the service sees. Messages of issues continue a sentence that begins with the field's path.

// Texts -------------------------------------------------------------------------------------------------------------

/** Text of `min` to `max` code points in normalization form C; refuses NUL and lone surrogates. */
export const text = (min: number, max: number) => textAfter(normalize, min, max);

/** As `text`, not empty, and without the spaces around it: names, words to search for. */
export const trimmedText = (max: number) => textAfter((value) => normalize(value).trim(), 1, max);

function textAfter(tidy: (value: string) => string, min: number, max: number) {
  return z
    .string()
    .overwrite(tidy)
    .check((context) => {
      const message = textProblem(context.value, min, max);
      if (message) context.issues.push({ code: 'custom', message, input: context.value });
    })
    .meta({ minLength: min, maxLength: max });
}

export const displayName = trimmedText(limits.displayName);
export const roomName = trimmedText(limits.roomName);
export const roomTopic = text(0, limits.roomTopic);
export const roomPassword = text(1, 200);
export const messageText = text(1, limits.messageText);

export const reason = text(0, limits.reason).nullable().default(null).describe('Why, in words for other people.');

export const emoji = text(1, limits.emoji)
  .refine((value) => !/[\s\p{Cc}]/u.test(value), 'must not contain spaces or control characters')
  .describe('One emoji, or another short text without spaces.');

/** Stored and compared in lower case, so that two people never have names that differ only in case. */
export const username = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{3,32}$/, 'must be 3 to 32 of the characters a-z 0-9 _ . -')
  .toLowerCase()
  .describe('3 to 32 of a-z 0-9 _ . - ; capital letters are taken as small ones.');

/** Neither the username nor one of the commonest, which is looked at apart. */
export const newPassword = text(10, 256);

export const email = z.email('must be an e-mail address').max(254, 'must have at most 254 characters');

/** What the service hands out for the client to give back as it is: cursors, refresh tokens. */
export const opaque = z.string().regex(/^[!-~]{1,500}$/, 'must be a value that this service gave out');

// Ids and times -----------------------------------------------------------------------------------------------------

/** A UUID of any kind, in lower case. */
export const id = z.guid('must be a UUID').toLowerCase();

/** RFC 3339, UTC, milliseconds: `2026-01-31T12:00:00.000Z`. */
export const time = z.iso.datetime({ precision: 3 });

// Numbers -----------------------------------------------------------------------------------------------------------

/** A whole number from `min` to `max` that a double holds exactly; -0 becomes 0. */
export const whole = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
    .overwrite((value) => value + 0);

/** Place of an event in the stream of its room. */
export const revision = whole(0);

/** Place of an event in the log of the whole service. */
export const position = whole(0);

export const count = whole(0);

/** Seconds. */
export const seconds = whole(0);

// Query strings and headers -----------------------------------------------------------------------------------------

/** A parameter of the query string. `?name=` without a value counts as absent. */
export const parameter = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema);

/** A number in the query string or a header: plain decimal digits and nothing else, neither `1e2` nor `+5` nor ` 5`. */
export const numberParameter = <S extends z.ZodType>(schema: S) =>
  parameter(z.preprocess((value) => (isDigits(value) ? Number(value) : value), schema));

const isDigits = (value: unknown): boolean => typeof value === 'string' && /^(0|[1-9][0-9]{0,15})$/.test(value);

/** Header that makes a repeated write harmless. */
export const idempotencyKey = z
  .string()
  .regex(/^[!-~]{1,200}$/, 'must be 1 to 200 visible ASCII characters')
  .optional()
  .describe('Any value of your own, such as a UUID. A request repeated with its key takes effect once.');

/** Header of writes, and of the reads that are to see them. */
export const positionHeader = numberParameter(position.optional()).describe(
  'Place of the newest event that a read is to include.',
);

// Bodies ------------------------------------------------------------------------------------------------------------

/** A body of which every field is optional but one at least must be there. */
export function changes<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z
    .object(shape)
    .partial()
    .refine((body) => known.some((field) => body[field as keyof typeof body] !== undefined), {
      error: `must have at least one of ${known.join(', ')}`,
    })
    .meta({ minProperties: 1 });
}

// Reserved ----------------------------------------------------------------------------------------------------------

/** Taken by a later release. Giving it now is an error, so that nobody believes it had an effect. */
export const invitation = z
  .never('invitations are not available in this release')
  .optional()
  .describe('Reserved: invitations are not available in this release.');
