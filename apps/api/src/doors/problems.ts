import { HttpException } from '@nestjs/common';
import { isUnavailable, outageOf } from '@verbatim/event-store';
import { InvalidCursor } from '@verbatim/projections';
import { type ErrorCode, errors, problem, problemMediaType } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Fault, type FaultFormat, type FaultKind, rawAnswer } from '../host/fault.js';
import { newId } from '../new-id.js';
import { Refusal, rejectionIn } from './refusal.js';

/**
 * The error format of our own doors (RFC 9457). Every error becomes an entry of the closed table; errors that are our fault
 * are logged.
 */
export class Problems implements FaultFormat {
  constructor(private readonly log: Logger) {}

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const refusal = this.refusalOf(error, request);
    const { status } = errors[refusal.code];
    const headers: Record<string, string> = { ...refusal.more.headers };
    if (errors[refusal.code].retryable) headers['retry-after'] ??= retryAfter(refusal);
    if (status === 401) headers['www-authenticate'] = 'Bearer';
    reply
      .status(status)
      .headers(headers)
      .type(`${problemMediaType}; charset=utf-8`)
      .send(
        JSON.stringify(problem(refusal.code, refusal.detail, { traceId: request.id, errors: refusal.more.errors })),
      );
  }

  text(fault: Fault): string {
    return problemText(refusalOfFault(fault));
  }

  /** The refusal that answers an error of this request. */
  refusalOf(error: unknown, request: FastifyRequest): Refusal {
    // Only the pattern of the address, because the address may contain a secret.
    const place = { traceId: request.id, method: request.method, route: request.routeOptions?.url };
    return this.refusal(error, place, request);
  }

  /** The entry of the table for an error; `place` is for the log. */
  refusal(error: unknown, place: object, request?: FastifyRequest): Refusal {
    const refusal = this.translated(error, request);
    if (refusal.code === 'internal') this.log.error({ err: error, ...place }, 'a request failed');
    else if (refusal.code === 'unavailable' && outageOf(error)?.kind === 'away')
      this.log.warn({ err: error, ...place }, 'a request failed because a server is unavailable');
    return refusal;
  }

  /** The response where there is no route. */
  protected nowhere(_request: FastifyRequest): Refusal {
    return new Refusal('not_found', 'There is nothing at this address.');
  }

  /** Messages of libraries are not passed on, because they may quote the input or name the machine. */
  private translated(error: unknown, request?: FastifyRequest): Refusal {
    if (error instanceof Refusal) return error;
    const rejection = rejectionIn(error);
    if (rejection) return Refusal.of(rejection);
    if (error instanceof Fault) return refusalOfFault(error);
    if (error instanceof InvalidCursor) return badCursor;
    const { statusCode } = error as { statusCode?: number };
    // A client that hangs up in the middle of its body has reset a connection as well; only its error has a status.
    if (statusCode === undefined && isUnavailable(error)) return new Refusal('unavailable', away(error));
    const status = error instanceof HttpException ? error.getStatus() : statusCode;
    if (status === 404 && request) return this.nowhere(request);
    const [known, detail] = fromStatus[status ?? 500] ??
      (status && status < 500 ? fromStatus[400] : undefined) ?? ['internal', sorry];
    return new Refusal(known, detail);
  }
}

/** A whole response with a problem, for a connection that is ended with it. */
export function problemText({ code, detail, more }: Refusal): string {
  const body = JSON.stringify(problem(code, detail, { traceId: newId() }));
  return rawAnswer(errors[code].status, `${problemMediaType}; charset=utf-8`, body, more);
}

/** A fault of the host in the error format of our own API. */
export function refusalOfFault({ kind, detail, more: { retryAfterMs, header } }: Fault): Refusal {
  const fields = header && [{ path: `headers.${header.name}`, message: header.message }];
  return new Refusal(codes[kind], detail, { retryAfterMs, errors: fields });
}

const codes: Readonly<Record<FaultKind, ErrorCode>> = {
  invalid: 'invalid_request',
  'too-large': 'too_large',
  late: 'unavailable',
  'too-many': 'rate_limited',
  busy: 'unavailable',
};

/** Whole seconds, as the header has them. */
const retryAfter = ({ more }: Refusal): string => `${Math.ceil((more.retryAfterMs ?? 1_000) / 1_000)}`;

function away(error: unknown): string {
  const outage = outageOf(error);
  if (outage?.kind === 'busy') return 'Someone else changed this at the same time. Try again.';
  if (outage?.ofMasterKey) return 'The keys of this service cannot be used at the moment.';
  return `The ${outage?.ofStore ? 'event store' : 'database'} cannot be reached at the moment.`;
}

export const badCursor = new Refusal('invalid_request', 'The cursor was not issued by this list.', {
  errors: [{ path: 'query.cursor', message: 'must be the cursor of a page of this list' }],
});

const sorry = 'Something went wrong on our side. Report the traceId to your administrator.';

const fromStatus: Record<number, [ErrorCode, string]> = {
  400: ['invalid_request', 'The request could not be read.'],
  406: ['not_acceptable', 'Only JSON is available here.'],
  413: ['too_large', 'The body is too large.'],
  415: ['unsupported_media_type', 'Send the body as application/json in UTF-8.'],
  503: ['unavailable', 'The service is not ready.'],
};
