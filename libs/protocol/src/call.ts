import type { z } from 'zod';
import type { ErrorCode } from './errors.js';
import { idempotencyKey, positionHeader, reasonHeader } from './fields.js';
import type { Scope } from './scopes.js';

/** One call of the REST API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters stand in braces: `/v1/rooms/{id}`. */
  readonly path: `/${string}`;
  readonly tag: Tag;
  /** Whose credential it takes, `auditor` being that of administrators as well; rights within a room are up to the room. */
  readonly auth: 'none' | 'user' | 'auditor' | 'admin';
  /** The scope that a personal token needs; `session`: only for people who signed in, never for personal tokens. */
  readonly scope?: Scope | 'session';
  /** The limit it counts against; if absent, `reads` for GET and `writes` otherwise. */
  readonly spends?: 'posts' | 'search' | 'reads';
  /** Also for those who still have to set up the second factor that their role demands. */
  readonly beforeSecondFactor?: true;
  /** A change that stays allowed during maintenance; reads and session calls always are. */
  readonly inMaintenance?: true;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The body of each answer that is not an error, or null where there is none. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** `application/json`, if absent. */
  readonly mediaType?: string;
  /** The errors specific to this call; `errorsOf` returns all. */
  readonly errors: readonly ErrorCode[];
  readonly headers: Headers;
}

export type Tag =
  | 'Accounts'
  | 'Sessions'
  | 'Single sign-on'
  | 'Tokens'
  | 'Invitations'
  | 'Rooms'
  | 'Messages'
  | 'Moderation'
  | 'Events'
  | 'Audit'
  | 'Erasure'
  | 'Webhooks'
  | 'Administration'
  | 'Operation';

/** Headers of requests and answers, keyed by name; those of answers may be absent. */
export interface Headers {
  readonly request: Readonly<Record<string, z.ZodType>>;
  readonly answer: Readonly<Record<string, z.ZodType>>;
}

/** The headers that calls have in common, by what kind of call it is. */
export const noHeaders: Headers = { request: {}, answer: {} };
export const readHeaders: Headers = { request: { 'Verbatim-Position': positionHeader }, answer: {} };
/** Reads of one room, which those who are not in it give a reason for. */
export const inspectionHeaders: Headers = {
  request: { ...readHeaders.request, 'Verbatim-Reason': reasonHeader },
  answer: {},
};
export const writeHeaders: Headers = {
  request: { 'Idempotency-Key': idempotencyKey },
  answer: { 'Verbatim-Position': positionHeader },
};
/** Writes that start or end a session, or create an account, accept no idempotency key. */
export const sessionHeaders: Headers = { request: {}, answer: writeHeaders.answer };
/** Nor do writes that return a secret: answers are stored with their keys, and secrets are shown only once. */
export const secretHeaders: Headers = { request: {}, answer: writeHeaders.answer };
