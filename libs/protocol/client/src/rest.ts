import {
  type AnswerOf,
  type BodyToSend,
  type Call,
  type CallName,
  calls,
  type ErrorCode,
  errorCodes,
  errors,
  type ParamsOf,
  type Problem,
  type QueryOf,
} from '@verbatim/protocol';
import { Unanswered, VerbatimError } from './verbatim-error.js';

/** The input of a call, from its entry in the table of calls: `{ params, query, body }`, each if the call has it. */
export type InputOf<K extends CallName> = Given<'params', ParamsOf<K>> &
  Given<'query', Partial<QueryOf<K>> | undefined> &
  Given<'body', BodyToSend<K>>;

type Given<Part extends string, T> = [T] extends [undefined]
  ? unknown
  : undefined extends T
    ? { readonly [P in Part]?: T }
    : { readonly [P in Part]: T };

/** A successful answer. */
export interface Answer<K extends CallName> {
  readonly status: number;
  readonly body: AnswerOf<K>;
  /** Position that a read has to wait for to see the write, if the response did not wait. */
  readonly position: number | null;
}

export type Headers = Readonly<Record<string, string>>;
export type Fetch = typeof globalThis.fetch;

/** The parts of any call's input. */
export interface AnyInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

/** Asks one server once. Rejects with VerbatimError if it refuses, with Unanswered if there was no definite answer. */
export async function ask<K extends CallName>(
  fetch: Fetch,
  server: string,
  name: K,
  input: AnyInput,
  headers: Headers,
  signal: AbortSignal,
): Promise<Answer<K>> {
  const call: Call = calls[name];
  const json = input.body === undefined ? undefined : JSON.stringify(input.body);
  const request: RequestInit = {
    method: call.method,
    headers: {
      accept: call.mediaType ?? 'application/json',
      ...headers,
      ...(json && { 'content-type': 'application/json' }),
    },
    // Its code works only with a cookie, which is sent to another origin only on request.
    ...(call.path.startsWith('/v1/auth/sso') && { credentials: 'include' as const }),
    signal,
    ...(json && { body: json }),
  };
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${server}${addressOf(call, input)}`, request);
    text = await response.text();
  } catch (error) {
    throw new Unanswered(!neverArrived(error), error);
  }
  if (!response.ok) throw refusalIn(response, text);
  const position = response.headers.get('verbatim-position');
  return {
    status: response.status,
    body: bodyIn(response, text),
    position: position === null ? null : Number(position),
  };
}

// The service keeps to the table of calls, so the body is what the call's entry says.
// biome-ignore lint/suspicious/noExplicitAny: see above
function bodyIn({ headers }: Response, text: string): any {
  if (text === '') return undefined;
  if (!headers.get('content-type')?.includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unanswered(true, error);
  }
}

function addressOf({ path }: Call, { params = {}, query = {} }: AnyInput): string {
  const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, `${value}`);
  return asked.size === 0 ? place : `${place}?${asked}`;
}

/** Answers not from the service come from a proxy: for statuses above 500 and timeouts, the request may have reached the service. */
function refusalIn({ status, headers }: Response, text: string): VerbatimError | Unanswered {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  const problem = readProblem(text);
  if (problem) return VerbatimError.of(problem, retryAfterMs);
  if (status >= 500 || status === 408) return new Unanswered(true, new Error(`HTTP ${status}`));
  const code: ErrorCode = errorCodes.find((known) => errors[known].status === status) ?? 'invalid_request';
  return new VerbatimError(code, `HTTP ${status}`, retryAfterMs === undefined ? {} : { retryAfterMs });
}

function readProblem(text: string): Problem | null {
  try {
    const problem = JSON.parse(text) as Partial<Problem> | null;
    return typeof problem?.code === 'string' && typeof problem.detail === 'string' ? (problem as Problem) : null;
  } catch {
    return null;
  }
}

/** Only Node reports why a request failed; elsewhere it may have arrived. */
function neverArrived(error: unknown): boolean {
  const { code = '' } = ((error as { cause?: unknown } | null)?.cause ?? {}) as { code?: string };
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    code,
  );
}
