import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Fault, type FaultFormat, rawAnswer } from '../../host/fault.js';
import { type Problems, refusalOfFault } from '../problems.js';
import { Refusal } from '../refusal.js';

/** Items of a page. */
export const PER_PAGE = 10;

const mediaType = 'application/json; charset=utf-8';

/** The form of every answer. `current_page` is the number of items in `data`, as clients of the original expect. */
export interface Envelope {
  readonly status: 'success' | 'fail';
  readonly data: readonly object[];
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly errors: Readonly<Record<string, string>> | null;
  };
  readonly page: number;
  readonly current_page: number;
  readonly per_page: number;
}

export function success(data: readonly object[], page = 1): Envelope {
  const error = { code: 200, message: '', errors: null };
  return { status: 'success', data, error, page, current_page: data.length, per_page: PER_PAGE };
}

function failure(code: number, message: string, errors: Envelope['error']['errors']): Envelope {
  return {
    status: 'fail',
    data: [],
    error: { code, message, errors },
    page: 1,
    current_page: 0,
    per_page: PER_PAGE,
  };
}

/** A refusal in words of the original. Thrown in this door only. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    /** By field, or one text under `error`. */
    readonly errors: Readonly<Record<string, string>>,
  ) {
    super(title);
    this.name = 'Refused';
  }
}

export const userError = (text: string): Refused => new Refused(400, 'User error', { error: text });
export const formError = (errors: Readonly<Record<string, string>>): Refused => new Refused(400, 'Form error', errors);
export const authenticationError = (text = 'Unauthenticated'): Refused =>
  new Refused(401, 'Authentication error', { error: text });

/** A protected path without a valid JWT: a 401 without a body. */
export class NobodyKnown extends Error {}

/** An unknown path, to which the original server responds in plain text. */
export class NoSuchPath extends Error {}

/** Words every error as the original does or would. */
export class Envelopes implements FaultFormat {
  constructor(private readonly problems: Problems) {}

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (error instanceof NobodyKnown) {
      reply.status(401).header('www-authenticate', 'Bearer').send();
      return;
    }
    if (error instanceof NoSuchPath) {
      reply.status(404).type('text/plain; charset=utf-8').send('404 page not found\n');
      return;
    }
    const refused = this.refusedFor(error, request);
    if (refused.retryAfterMs !== undefined) reply.header('retry-after', `${Math.ceil(refused.retryAfterMs / 1_000)}`);
    reply
      .status(refused.status)
      .type(mediaType)
      .send(JSON.stringify(envelopeOf(refused)));
  }

  text(fault: Fault): string {
    const refused = refusedOf(refusalOfFault(fault));
    return rawAnswer(refused.status, mediaType, JSON.stringify(envelopeOf(refused)), fault.more);
  }

  /** The answer to an error; errors that are our fault are logged, with `place`. */
  refused(error: unknown, place: object): Worded {
    return error instanceof Refused ? error : refusedOf(this.problems.refusal(error, place));
  }

  private refusedFor(error: unknown, request: FastifyRequest): Worded {
    return error instanceof Refused ? error : refusedOf(this.problems.refusalOf(error, request));
  }
}

type Worded = Pick<Refused, 'status' | 'title' | 'errors'> & { readonly retryAfterMs?: number };

export const envelopeOf = ({ status, title, errors }: Pick<Refused, 'status' | 'title' | 'errors'>): Envelope =>
  failure(status, title, errors);

/** A native refusal in the error classes of the original, or in similar ones where it has none. */
function refusedOf({ code, detail, more }: Refusal): Worded {
  const { retryAfterMs } = more;
  switch (code) {
    case 'unauthenticated':
      return authenticationError();
    case 'mfa_required':
      return authenticationError(detail);
    case 'name_taken':
      return notUnique;
    case 'rate_limited':
      return {
        status: 429,
        title: 'Too many requests',
        errors: { error: detail },
        retryAfterMs: retryAfterMs ?? 1_000,
      };
    case 'unavailable':
    case 'maintenance':
      return {
        status: 503,
        title: 'Service unavailable',
        errors: { error: detail },
        retryAfterMs: retryAfterMs ?? 1_000,
      };
    case 'too_large':
      return { status: 413, title: 'Request too large', errors: { error: detail } };
    case 'internal':
      return { status: 500, title: 'Internal server error', errors: { error: 'internal server error' } };
    default:
      return userError(detail);
  }
}

/** Spelled as in the original. */
export const notUnique = userError('Some fileds are not unique');

/** RFC 3339 with nanoseconds, which we do not have: `2026-11-30T10:00:00.123000000Z`. */
export const nanoseconds = (time: string | Date): string => `${new Date(time).toISOString().slice(0, -1)}000000Z`;
