import type { RejectionReason } from '@verbatim/domain';
import { z } from './zod.js';

/** What one kind of error means, on REST and on the WebSocket alike. */
interface ErrorKind {
  /** HTTP status of the answer. */
  readonly status: number;
  /** The same short text at every occurrence. */
  readonly title: string;
  /** Whether the same request may succeed later. Such answers carry `Retry-After`. */
  readonly retryable: boolean;
}

/** Every error a client can meet. Codes may be added, never renamed or removed. */
export const errors = {
  invalid_request: { status: 400, title: 'The request is not valid', retryable: false },
  unauthenticated: { status: 401, title: 'Valid credentials are needed', retryable: false },
  mfa_required: { status: 401, title: 'A second factor is needed', retryable: false },
  forbidden: { status: 403, title: 'This is not allowed', retryable: false },
  not_a_member: { status: 403, title: 'Only members of the room may do this', retryable: false },
  reason_required: { status: 403, title: 'Reading this takes a reason', retryable: false },
  not_found: { status: 404, title: 'There is no such thing', retryable: false },
  method_not_allowed: { status: 405, title: 'This path does not take this method', retryable: false },
  not_acceptable: { status: 406, title: 'No answer in an accepted format', retryable: false },
  conflict: { status: 409, title: 'The request conflicts with the present state', retryable: false },
  name_taken: { status: 409, title: 'The name is taken', retryable: false },
  room_closed: { status: 409, title: 'The room is closed', retryable: false },
  duplicate_id: { status: 409, title: 'The id was used before', retryable: false },
  too_large: { status: 413, title: 'The request is too large', retryable: false },
  unsupported_media_type: { status: 415, title: 'The body has the wrong format', retryable: false },
  rate_limited: { status: 429, title: 'Too many requests', retryable: true },
  internal: { status: 500, title: 'The service has failed', retryable: false },
  unavailable: { status: 503, title: 'The service is not available now', retryable: true },
  maintenance: { status: 503, title: 'The service is in maintenance', retryable: true },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errors;
export const errorCodes = Object.keys(errors) as ErrorCode[];

/** The error code for a refused command. */
export const codeOfRejection: Readonly<Record<RejectionReason, ErrorCode>> = {
  Invalid: 'invalid_request',
  Unauthenticated: 'unauthenticated',
  NotFound: 'not_found',
  NotAMember: 'not_a_member',
  NotAllowed: 'forbidden',
  WrongPassword: 'forbidden',
  SecondFactorNeeded: 'mfa_required',
  ReasonNeeded: 'reason_required',
  RoomClosed: 'room_closed',
  DuplicateId: 'duplicate_id',
  NameTaken: 'name_taken',
  Conflict: 'conflict',
  TooSoon: 'rate_limited',
  Maintenance: 'maintenance',
  Unavailable: 'unavailable',
};

// Bad input ---------------------------------------------------------------------------------------------------------

export const inputErrorSchema = z.object({
  path: z.string().describe('Where: `body.text`, `query.limit`, `params.id`, `headers.idempotency-key`, `data.room`.'),
  message: z.string().describe('What is wrong there.'),
});

/** One thing that is wrong with the input. */
export type InputError = z.output<typeof inputErrorSchema>;

/** Longer lists are not useful. */
const maxInputErrors = 20;

/**
 * What a schema found wrong, in the order of its fields, at most 20 entries. Names only what the schema knows, never a
 * value that was sent. `place` is the part of the request that was checked.
 */
export function issuesToErrors(error: z.ZodError, place = 'body'): InputError[] {
  return error.issues
    .slice(0, maxInputErrors)
    .map((issue) => ({ path: [place, ...issue.path.map(String)].join('.'), message: messageOf(issue) }));
}

/** Zod's own messages begin with `Invalid input` or `Invalid option`; the others are ours and ready to be shown. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (!/^Invalid (input|option)/.test(issue.message)) return issue.message;
  if (issue.message.endsWith('received undefined')) return 'is missing';
  if (issue.code === 'invalid_type') return `must be of type ${issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  return issue.message;
}

// What clients get --------------------------------------------------------------------------------------------------

const sharedFields = {
  code: z.enum(errorCodes).describe('The kind of error, for programs. Codes may be added.'),
  title: z.string().describe('The kind of error, for people.'),
  detail: z.string().describe('What was wrong this time, for people.'),
  retryable: z.boolean().describe('Whether the same request may succeed later.'),
  errors: z
    .array(inputErrorSchema)
    .max(maxInputErrors)
    .optional()
    .describe('What is wrong with the input, if anything.'),
};

export const problemSchema = z.object({
  type: z.string().describe('`urn:verbatim:error:<code>`; a name, not an address.'),
  status: z.int().min(400).max(599).describe('The HTTP status once more.'),
  ...sharedFields,
  traceId: z.string().describe('Give it to the operator to find this request in the logs.'),
});

/** The body of every error answer of the REST API, sent as `application/problem+json` (RFC 9457). */
export type Problem = z.output<typeof problemSchema>;

export const problemMediaType = 'application/problem+json';

/** Builds an error answer. `detail` must not reveal anything the client may not know. */
export function problem(
  code: ErrorCode,
  detail: string,
  { traceId, errors: found }: { traceId: string; errors?: InputError[] },
): Problem {
  const { status, title, retryable } = errors[code];
  const type = `urn:verbatim:error:${code}`;
  return { type, title, status, detail, code, retryable, traceId, ...(found && { errors: found }) };
}

export const errorFrameSchema = z.object({
  ...sharedFields,
  retryAfterMs: z.int().min(0).optional().describe('Milliseconds to wait before trying again, where that is known.'),
});

/** The data of an `error` frame. */
export type ErrorFrame = z.output<typeof errorFrameSchema>;

/** Builds the data of an `error` frame. `detail` must not reveal anything the client may not know. */
export function errorFrame(
  code: ErrorCode,
  detail: string,
  more: { errors?: InputError[]; retryAfterMs?: number } = {},
): ErrorFrame {
  const { title, retryable } = errors[code];
  return { code, title, detail, retryable, ...more };
}
