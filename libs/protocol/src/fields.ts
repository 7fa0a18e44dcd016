import {
  emailAddress,
  emojiOf,
  limits,
  nameProblem,
  normalize,
  reactionOf,
  textProblem,
  titleProblem,
  visibleTextProblem,
} from '@verbatim/domain';
import { z } from './zod.js';

// The fields of which bodies, queries, answers and frames are made. A schema checks what comes in and brings it to the
// one form that the rest of the service sees. Messages of issues continue a sentence that begins with the field's path.

// Texts -------------------------------------------------------------------------------------------------------------

/**
 * Text of `min` to `max` code points in normalization form C; refuses NUL and lone surrogates. For passwords, and what only
 * programs read; what people are to see is a `visibleText`.
 */
export const text = (min: number, max: number) => textAfter(normalize, min, max, textProblem);

/** As `text`, and it must show something, unless it is empty and may be. */
export const visibleText = (min: number, max: number) => textAfter(normalize, min, max, visibleTextProblem);

/** As `visibleText`, not empty, and without the spaces around it. */
export const trimmedText = (max: number) => textAfter((value) => normalize(value).trim(), 1, max, visibleTextProblem);

function textAfter(
  tidy: (value: string) => string,
  min: number,
  max: number,
  problem: (value: string, min: number, max: number) => string | null,
) {
  return z
    .string()
    .overwrite(tidy)
    .check((context) => {
      const message = problem(context.value, min, max);
      if (message) context.issues.push({ code: 'custom', message, input: context.value });
    })
    .meta({ minLength: min, maxLength: max });
}

/** A name that people see, without the spaces around it. */
const visibleName = (max: number, problem: (name: string, max: number) => string | null) =>
  textAfter(
    (value) => normalize(value).trim(),
    1,
    max,
    (value) => problem(value, max),
  );

const ofVisibleCharacters =
  'Has single spaces only, and no characters that are invisible (but where a language or an emoji needs them), ' +
  'unassigned or for private use.';

export const displayName = visibleName(limits.displayName, nameProblem).describe(
  `${ofVisibleCharacters} Its letters are of one script, or Latin together with those of Chinese, Japanese or Korean.`,
);
export const roomName = visibleName(limits.roomName, titleProblem).describe(ofVisibleCharacters);
export const roomTopic = visibleText(0, limits.roomTopic);
export const roomPassword = text(1, 200);
export const messageText = visibleText(1, limits.messageText);

export const reason = visibleText(0, limits.reason).nullable().default(null).describe('The reason, visible to others.');

const noEmoji = 'must be one emoji';

/** Brought to its fully-qualified form. */
export const emoji = textAfter(
  reactionOf,
  1,
  limits.emoji,
  (value, min, max) => textProblem(value, min, max) ?? (emojiOf(value) === null ? noEmoji : null),
).describe('One emoji of those that Unicode recommends, with or without its variation selectors.');

/** A reaction that is to be removed. Those from before reactions had to be emoji are other short texts without spaces. */
export const formerReaction = textAfter((value) => reactionOf(normalize(value)), 1, limits.emoji, textProblem)
  .refine((value) => !/[\s\p{Cc}]/u.test(value), noEmoji)
  .describe('The emoji, or another short text for reactions from earlier releases.');

/** Stored and compared in lower case, so that two people never have names that differ only in case. */
export const username = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{3,32}$/, 'must be 3 to 32 of the characters a-z 0-9 _ . -')
  .toLowerCase()
  .describe(
    '3 to 32 of a-z 0-9 _ . - ; capital letters are taken as small ones. Names that begin with `hook-` are for the bots of webhooks.',
  );

/** Neither the username nor one that is tried first, which is looked at apart. */
export const newPassword = text(10, 256);

/** Six digits of an authenticator, or a recovery code, in the one form in which it is compared. */
export const secondFactorCode = textAfter(plainCode, 6, 40, textProblem).describe(
  'Six digits of the authenticator, or a recovery code. Each works once. Digits of any script are accepted, upper case is treated as lower ' +
    'ones, and spaces, dashes and whatever else stands between are dropped.',
);

/** A code as it was typed or pasted, reduced to its digits and letters: `１２３ 456` and `123-456` are `123456`. */
export function plainCode(typed: string): string {
  if (typed.length > 1_000) return typed;
  return typed
    .normalize('NFKC')
    .replaceAll(/\p{Nd}/gu, digit)
    .toLowerCase()
    .replaceAll('o', '0')
    .replaceAll(/[^a-z0-9]/g, '');
}

/** The value of a decimal digit. Unicode keeps those of a script together, from zero to nine (chapter 4.6). */
function digit(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  let zero = point;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return `${(point - zero) % 10}`;
}

/** As mail accepts it, in the form in which it is stored. */
export const email = z
  .string()
  .overwrite((value) => emailAddress(value) ?? value)
  .refine((value) => emailAddress(value) !== null, 'must be an e-mail address')
  .meta({ format: 'idn-email', maxLength: 254 })
  .describe(
    'An e-mail address. Spaces around it are dropped and the domain is stored in ASCII (`bücher.example` as ' +
      '`xn--bcher-kva.example`). Whether mail arrives there is not checked.',
  );

/** What the service hands out for the client to give back as it is: cursors, refresh tokens. */
export const opaque = z.string().regex(/^[!-~]{1,500}$/, 'must be a value that this service gave out');

/** What an invitation is recognized by: 160 bits in Crockford's base 32. Capital letters are taken as small ones. */
export const invitationCode = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[0-9a-hjkmnp-tv-z]{32}$/, 'must be the code of an invitation');

export const invitation = invitationCode.optional().describe('An invitation code.');

// Ids and times -----------------------------------------------------------------------------------------------------

/** A UUID of any kind, in lower case. */
export const id = z.guid('must be a UUID').toLowerCase();

/** RFC 3339, UTC, milliseconds: `2026-01-31T12:00:00.000Z`. */
export const time = z.iso.datetime({ precision: 3 });

/** A time as a person writes it, to the second or finer; normalized to `time`. */
export const timeToCome = z.iso
  .datetime('must be a time such as 2026-01-31T12:00:00Z')
  .overwrite((value) => (Number.isNaN(Date.parse(value)) ? value : new Date(value).toISOString()));

/** A time to look for, written in the same way. The database has no year 0. */
export const instant = timeToCome.refine((value) => !value.startsWith('0000'), 'must not be in the year 0');

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
  .describe('Any value of your choice, such as a UUID. A request repeated with its key takes effect once.');

/** Header of writes, and of the reads that are to see them. */
export const positionHeader = numberParameter(position.optional()).describe(
  'Position of the newest event that a read must include.',
);

/** Why someone reads a room they are not in. */
export const inspectionReason = trimmedText(limits.reason).describe(
  'Why an administrator or auditor reads a room they are not in. It is recorded in the room.',
);

/** The same as a header, which holds ASCII only: anything else in it, and `%`, is percent-encoded UTF-8. */
export const reasonHeader = z
  .preprocess(percentDecoded, inspectionReason.optional())
  .describe(
    'Why an administrator or auditor reads a room that they are not in: 1 to 500 characters, percent-encoded where they ' +
      'are not ASCII. It is recorded in the room. Others need none.',
  );

/** Null where it cannot be decoded, which no schema of a text takes. */
function percentDecoded(value: unknown): unknown {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || !/^[ -~]+$/.test(value)) return null;
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

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
