import type { z } from 'zod';
import { accountCalls } from './account-calls.js';
import { administrationCalls } from './administration-calls.js';
import { auditCalls } from './audit-calls.js';
import { type Call, noHeaders } from './call.js';
import { erasureCalls } from './erasure-calls.js';
import { type ErrorCode, errorCodes, errors } from './errors.js';
import { eventCalls } from './event-calls.js';
import { exportCalls } from './export-calls.js';
import { invitationCalls } from './invitation-calls.js';
import { messageCalls } from './message-calls.js';
import { moderationCalls } from './moderation-calls.js';
import { operationCalls } from './operation-calls.js';
import { roomCalls } from './room-calls.js';
import { sessionCalls } from './session-calls.js';
import { signOnCalls } from './sign-on-calls.js';
import { tokenCalls } from './token-calls.js';
import { webhookCalls } from './webhook-calls.js';

/** Every call of the REST API. */
export const calls = {
  ...accountCalls,
  ...sessionCalls,
  ...signOnCalls,
  ...tokenCalls,
  ...roomCalls,
  ...messageCalls,
  ...moderationCalls,
  ...eventCalls,
  ...auditCalls,
  ...erasureCalls,
  ...exportCalls,
  ...webhookCalls,
  ...invitationCalls,
  ...administrationCalls,
  ...operationCalls,
};

export type CallName = keyof typeof calls;

/** The same table without the exact types, for walking through it. */
export const callList = Object.entries<Call>(calls) as [CallName, Call][];

// Types of one call -------------------------------------------------------------------------------------------------

type Table = typeof calls;
type Part<K extends CallName, P extends string> = Table[K] extends { readonly [Q in P]: infer S extends z.ZodType }
  ? S
  : z.ZodUndefined;

/** The body of a call once it was checked: `BodyOf<'postMessage'>`; undefined where there is none. */
export type BodyOf<K extends CallName> = z.output<Part<K, 'body'>>;

/** The body of a call as clients write it. */
export type BodyToSend<K extends CallName> = z.input<Part<K, 'body'>>;

/** The query of a call once it was checked. */
export type QueryOf<K extends CallName> = z.output<Part<K, 'query'>>;

/** The parameters in the path of a call once they were checked. */
export type ParamsOf<K extends CallName> = z.output<Part<K, 'params'>>;

/** The body of the answer of a call; undefined for 204. */
export type AnswerOf<K extends CallName> = AnswerBody<Table[K]['answers'][keyof Table[K]['answers']]>;
type AnswerBody<S> = S extends z.ZodType ? z.output<S> : undefined;

/** The limit that a call counts against. */
export const spentByCall = ({ method, spends }: Call): 'posts' | 'search' | 'reads' | 'writes' =>
  spends ?? (method === 'GET' ? 'reads' : 'writes');

/** Whether an auditor may ask it: what reads, exports, and what concerns nothing but their own account and its sessions. */
export const openToAuditors = ({ auth, method, path }: Call): boolean =>
  auth !== 'admin' && (method === 'GET' || /^\/v1\/(auth|me|exports)(\/|$)/.test(path));

/** Whether everyone may call it during maintenance: reads, signing in, securing an account, and private data. */
const goesOn = ({ method, tag, inMaintenance }: Call): boolean =>
  method === 'GET' || tag === 'Sessions' || tag === 'Single sign-on' || inMaintenance === true;

// Errors of one call ------------------------------------------------------------------------------------------------

/** All codes that a call may answer with, in the order of the table of errors. */
export function errorsOf(call: Call): ErrorCode[] {
  const possible = new Set<ErrorCode>([...call.errors, 'internal']);
  if (call.path.startsWith('/v1/')) possible.add('not_acceptable').add('rate_limited').add('unavailable');
  if (call.params || call.query || call.body || call.headers !== noHeaders) possible.add('invalid_request');
  // A body is read even where the call has no use for one.
  if (call.method !== 'GET') possible.add('invalid_request').add('too_large').add('unsupported_media_type');
  if (call.auth !== 'none') possible.add('unauthenticated');
  // A personal token may lack the scope.
  if (call.auth !== 'none') possible.add('forbidden');
  if (call.auth !== 'none' && !call.beforeSecondFactor) possible.add('mfa_required');
  if (call.headers.request['Idempotency-Key']) possible.add('conflict');
  if (call.path.startsWith('/v1/') && call.auth !== 'admin' && !goesOn(call)) possible.add('maintenance');
  return errorCodes.filter((code) => possible.has(code));
}

/** The statuses of all answers of a call, each with the codes that it may carry (none for success). */
export function statusesOf(call: Call): Map<number, ErrorCode[]> {
  const statuses = new Map<number, ErrorCode[]>(Object.keys(call.answers).map((status) => [Number(status), []]));
  for (const code of errorsOf(call)) {
    const { status } = errors[code];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}
