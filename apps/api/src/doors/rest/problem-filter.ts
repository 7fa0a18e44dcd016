import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { isUnavailable, outageOf } from '@verbatim/event-store';
import { InvalidCursor } from '@verbatim/projections';
import { type ErrorCode, errors, problem } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, rejectionIn } from '../refusal.js';
import { noSuchPlace } from './places.js';

/** The one place where what went wrong becomes an answer: always an entry of the closed table. What is our fault is logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const refusal = this.refusalOf(error, request);
    const { status } = errors[refusal.code];
    const headers: Record<string, string> = { ...refusal.more.headers };
    if (errors[refusal.code].retryable) headers['retry-after'] ??= retryAfter(refusal);
    if (status === 401) headers['www-authenticate'] = 'Bearer';
    reply
      .status(status)
      .headers(headers)
      .type('application/problem+json; charset=utf-8')
      .send(
        JSON.stringify(problem(refusal.code, refusal.detail, { traceId: request.id, errors: refusal.more.errors })),
      );
  }

  /** What a request is refused with for what went wrong. */
  refusalOf(error: unknown, request: FastifyRequest): Refusal {
    // Of the address only its pattern, for what stands in it may be a secret.
    const place = { traceId: request.id, method: request.method, route: request.routeOptions?.url };
    return this.refusal(error, place, request);
  }

  /** Whatever went wrong as an entry of the table; `place` is for the log. */
  refusal(error: unknown, place: object, request?: FastifyRequest): Refusal {
    const refusal = refusalFor(error, request);
    if (refusal.code === 'internal') this.log.error({ err: error, ...place }, 'a request failed');
    else if (outageOf(error)?.kind === 'away') this.log.warn({ err: error, ...place }, 'a request found a server away');
    return refusal;
  }
}

/** Whole seconds, as the header takes them. */
const retryAfter = ({ more }: Refusal): string => `${Math.ceil((more.retryAfterMs ?? 1_000) / 1_000)}`;

/** Translates what libraries throw. Their words are not passed on, for they may quote the input or the machine. */
function refusalFor(error: unknown, request?: FastifyRequest): Refusal {
  if (error instanceof Refusal) return error;
  const rejection = rejectionIn(error);
  if (rejection) return Refusal.of(rejection);
  const { statusCode } = error as { statusCode?: number };
  if (error instanceof InvalidCursor) return badCursor;
  if (isUnavailable(error)) return new Refusal('unavailable', away(error));
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  if (status === 404 && request) return noSuchPlace(request);
  const [known, detail] = fromStatus[status ?? 500] ??
    (status && status < 500 ? fromStatus[400] : undefined) ?? ['internal', sorry];
  return new Refusal(known, detail);
}

function away(error: unknown): string {
  const outage = outageOf(error);
  if (outage?.kind === 'busy') return 'Others did something with this at the same time.';
  return `The ${outage?.ofStore ? 'event store' : 'database'} cannot be reached at the moment.`;
}

export const badCursor = new Refusal('invalid_request', 'The cursor is not one that this list has given out.', {
  errors: [{ path: 'query.cursor', message: 'must be the cursor of a page of this list' }],
});

const sorry = 'Something went wrong on our side. The traceId tells us where to look.';

const fromStatus: Record<number, [ErrorCode, string]> = {
  400: ['invalid_request', 'The request could not be read.'],
  406: ['not_acceptable', 'This is answered as JSON only.'],
  413: ['too_large', 'The body is too large.'],
  415: ['unsupported_media_type', 'Send the body as application/json in UTF-8.'],
  503: ['unavailable', 'The service is not ready.'],
};
