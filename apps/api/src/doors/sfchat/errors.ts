import { STATUS_CODES } from 'node:http';
import type { Rejection, RejectionReason } from '@verbatim/domain';
import { isUnavailable } from '@verbatim/event-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Fault, type FaultFormat, type FaultKind, rawAnswer } from '../../host/fault.js';
import { rejectionIn } from '../refusal.js';
import { errorPage } from './html.js';

/** Refuses a request in SFChat's format: a status, which is also in the body, and a text. */
export class SfchatRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'SfchatRefusal';
  }

  static of({ rejected, detail, retryAfterMs }: Rejection): SfchatRefusal {
    const status = statusOfRejection[rejected] ?? 400;
    const wait: Record<string, string> =
      status === 429 || status === 503 ? { 'retry-after': `${Math.ceil((retryAfterMs ?? 1_000) / 1_000)}` } : {};
    return new SfchatRefusal(status, wordsOf[status] ?? detail, wait);
  }
}

export const notFound = new SfchatRefusal(404, 'Not Found');
export const malformed = new SfchatRefusal(400, 'Malformed request.');

const statusOfRejection: Readonly<Partial<Record<RejectionReason, number>>> = {
  Invalid: 400,
  Unauthenticated: 403,
  NotFound: 404,
  TooSoon: 429,
  Maintenance: 503,
  Unavailable: 503,
};

/** SFChat's own texts, where it has one. */
const wordsOf: Readonly<Record<number, string>> = {
  400: 'Malformed request.',
  403: 'Unauthorized',
  404: 'Not Found',
  500: 'Internal Server Error',
};

const statusOfFault: Readonly<Record<FaultKind, number>> = {
  invalid: 400,
  'too-large': 413,
  late: 503,
  'too-many': 429,
  busy: 503,
};

/** SFChat's error formats: `{"results": {"code", "msg"}}` for programs, a page for people. Errors that are our fault are logged. */
export class SfchatErrors implements FaultFormat {
  constructor(private readonly log: Logger) {}

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { status, message, headers } = this.refusalOf(error, request);
    reply.status(status).headers({ ...headers, 'cache-control': 'no-store' });
    if (wantsJson(request)) return void reply.type('application/json').send(errorBody(status, message));
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', policyOfErrors);
    reply.type('text/html; charset=utf-8').send(errorPage(status, message));
  }

  text({ kind, detail, more }: Fault): string {
    return rawAnswer(statusOfFault[kind], 'application/json', errorBody(statusOfFault[kind], detail), more);
  }

  private refusalOf(error: unknown, request: FastifyRequest): SfchatRefusal {
    if (error instanceof SfchatRefusal) return error;
    const rejection = rejectionIn(error);
    if (rejection) return SfchatRefusal.of(rejection);
    if (error instanceof Fault) return new SfchatRefusal(statusOfFault[error.kind], error.detail);
    // Neither the URL nor parser errors are logged: they may contain a code or a text.
    const place = { traceId: request.id, method: request.method, route: request.routeOptions?.url };
    if (isUnavailable(error)) {
      this.log.warn({ err: error, ...place }, 'a request failed because a server is unavailable');
      return new SfchatRefusal(503, 'The service is not available at the moment.', { 'retry-after': '1' });
    }
    const { statusCode = 500 } = (error ?? {}) as { statusCode?: number };
    if (statusCode < 500) return new SfchatRefusal(statusCode, wordsOf[statusCode] ?? STATUS_CODES[statusCode] ?? '');
    this.log.error({ err: error, ...place }, 'a request failed');
    return new SfchatRefusal(500, 'Internal Server Error');
  }
}

const policyOfErrors = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

const errorBody = (code: number, msg: string): string => JSON.stringify({ results: { code, msg } });

/** SFChat recognizes programs by their content type; only programs use /api. */
const wantsJson = ({ url = '', headers }: FastifyRequest): boolean =>
  url.startsWith('/api/') || headers['content-type'] === 'application/json';
