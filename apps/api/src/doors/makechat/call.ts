import { isUtf8 } from 'node:buffer';
import { type Actor, isRejection, type Rejection } from '@verbatim/domain';
import type { Stretch } from '@verbatim/projections';
import { reasonHeader } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../../application/sessions/authentication.js';
import type { Purpose } from '../../write-side/inspections.js';
import type { Context } from '../../write-side/mailbox.js';
import { isPlain } from '../plain-json.js';
import { type Answer, emptyBody, invalid, malformed, missing, occurred, Refused } from './answers.js';
import { jsonProblem } from './json-problem.js';

/** A call of makechat's API whose credential has been checked. */
export interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Without a slash at its end. */
  readonly path: string;
  /** The value of `{id}` in the path. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** The parsed body; undefined if there is none. */
  readonly body: unknown;
  readonly context: Context;
}

/** A call with its caller. */
export interface UserCall extends Call {
  readonly identity: Identity;
  readonly actor: Actor;
  /** Whether the caller used a token, not a cookie. */
  readonly byToken: boolean;
}

// Bodies --------------------------------------------------------------------------------------------------------------

/** Parses the body of a request: 400 if it is announced but empty, 753 if it is not JSON. */
export function parseBody(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return undefined;
  if (body.length === 0) throw emptyBody;
  if (!isUtf8(body)) throw malformed('The body is not valid UTF-8.');
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The messages of our own parser quote the input.
    throw malformed(jsonProblem(text) ?? 'The body is not valid JSON.');
  }
  if (!isPlain(parsed)) throw malformed('The body is nested too deeply, or a number in it is too large.');
  return parsed;
}

type Fields = Readonly<Record<string, unknown>>;

/** The fields of a body; refuses a missing body, or one that is not an object, as if `field` were missing. */
export function fieldsOf(body: unknown, field: string): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw missing(field);
  return body as Fields;
}

/** Whether the object itself has this field. */
export const fieldOf = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

/** Required texts, looked up in this order. `whole` is named when there is no body. */
export function textsOf<N extends string>(body: unknown, whole: string, names: readonly N[]): Record<N, string> {
  const fields = fieldsOf(body, whole);
  for (const name of names) if (fieldOf(fields, name) === undefined) throw missing(name);
  for (const name of names) if (typeof fields[name] !== 'string') throw invalid(name, 'a string');
  return Object.fromEntries(names.map((name) => [name, fields[name]])) as Record<N, string>;
}

/** An id, plain or as `{"$oid": "..."}`; null if it is neither. */
export function idIn(value: unknown): string | null {
  const plain = typeof value === 'object' && value !== null ? (value as { $oid?: unknown }).$oid : value;
  return typeof plain === 'string' ? plain : null;
}

// Documents -----------------------------------------------------------------------------------------------------------

/** Extended JSON of MongoDB. */
export const oid = (id: string | undefined): { $oid: string } => ({ $oid: id ?? '' });
export const date = (at: string | Date): { $date: number } => ({ $date: new Date(at).getTime() });

// Pages ---------------------------------------------------------------------------------------------------------------

const MOST_ITEMS = 100;
const ITEMS = 25;
const HIGHEST = 2 ** 31 - 1;

/** The page that a query asks for. makechat's own links lead to pages before the start; such a page has the part of it that is in the list. */
interface WantedPage {
  readonly offset: number;
  readonly limit: number;
  readonly stretch: Stretch;
}

export function pageOf(query: URLSearchParams): WantedPage {
  const offset = integer(query, 'offset') ?? 0;
  const asked = integer(query, 'limit') ?? 0;
  if (asked < 0) throw invalidInteger('limit', 'at least 0');
  const limit = asked === 0 ? ITEMS : Math.min(asked, MOST_ITEMS);
  return { offset, limit, stretch: { offset: Math.max(0, offset), limit: Math.max(0, limit + Math.min(0, offset)) } };
}

export const asksForPage = (query: URLSearchParams): boolean => query.has('offset') || query.has('limit');

function integer(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null || text === '') return null;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalidInteger(name, 'an integer');
  const value = Number(text);
  if (Math.abs(value) > HIGHEST) throw invalidInteger(name, `at most ${HIGHEST}`);
  return value;
}

const invalidInteger = (name: string, must: string): Refused =>
  new Refused(400, 'Invalid parameter', `The "${name}" parameter is invalid. The value must be ${must}.`);

/** `shown`: how many items of the list the page covers, if that can be fewer than requested. */
export function pageAnswer(
  { path, query }: Pick<Call, 'path' | 'query'>,
  { offset, limit }: WantedPage,
  { items, total, shown = limit }: { items: readonly unknown[]; total: number; shown?: number },
): Answer {
  const more = [...query].filter(([name]) => name === 'room' || name === 'recipient');
  const link = (at: number) => `${path}?${new URLSearchParams([...more, ['offset', `${at}`], ['limit', `${limit}`]])}`;
  const next = offset + shown;
  return {
    status: 200,
    body: {
      status: 'ok',
      items,
      next_page: next < total ? link(next) : null,
      prev_page: offset > 0 ? link(offset - limit) : null,
      total_pages: `${Math.ceil(total / limit)}`,
    },
  };
}

// Reading rooms -------------------------------------------------------------------------------------------------------

/** Why a room is read: administrators who are not in it give a reason in the header `Verbatim-Reason`. */
export function purposeOf({ request, context }: Call): Purpose {
  const read = reasonHeader.safeParse(request.headers['verbatim-reason']);
  if (!read.success) throw occurred('The header Verbatim-Reason cannot be read.');
  return { reason: read.data, context };
}

/** Whether an outcome is a rejection for one of these reasons. */
export const isRefusedFor = (outcome: object, ...reasons: readonly Rejection['rejected'][]): outcome is Rejection =>
  isRejection(outcome) && reasons.includes(outcome.rejected);
