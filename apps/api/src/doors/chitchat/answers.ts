import { STATUS_CODES } from 'node:http';
import type { Rejection } from '@verbatim/domain';
import { isUnavailable } from '@verbatim/event-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Fault, type FaultFormat, type FaultKind, rawAnswer } from '../../host/fault.js';

/** The numbered errors of chitchat: HTTP status and text of each. */
const numbered = {
  101: [404, 'Room error: Room not found'],
  102: [400, 'Room error: Duplicate room'],
  103: [400, 'Room error: Invalid JSON'],
  104: [401, 'Room error: Unauthorized operation'],
  105: [400, 'Room error: Invalid content'],
  202: [400, 'Client error: Duplicate username'],
  301: [400, 'Could not establish session'],
  303: [400, 'Invalid JSON'],
  304: [401, 'Unauthorized operation'],
  403: [403, 'Token error: Invalid token'],
} as const satisfies Record<number, readonly [number, string]>;

export type ErrorNumber = keyof typeof numbered;

/** Refuses a request in chitchat's format. */
export class ChatError extends Error {
  private constructor(
    readonly status: number,
    readonly number: number,
    readonly text: string,
    readonly field: string | undefined,
    readonly retryAfterMs: number | undefined,
  ) {
    super(text);
    this.name = 'ChatError';
  }

  /** `field` names what is wrong. */
  static of(number: ErrorNumber, field?: string): ChatError {
    const [status, text] = numbered[number];
    return new ChatError(status, number, text, field, undefined);
  }

  /** An error without a number in chitchat; the status is used instead. */
  static unknown(status: number, detail: string, retryAfterMs?: number): ChatError {
    return new ChatError(status, status, `Unknown error: ${detail}`, undefined, retryAfterMs);
  }

  /** `about` says what the request was about, which decides the numbers of its errors; `field` names the invalid field. */
  static ofRejection(rejection: Rejection, about: 'room' | 'client', field?: string): ChatError {
    const { rejected, detail, retryAfterMs } = rejection;
    const number = numbers[about][rejected];
    if (number) return ChatError.of(number, field);
    if (rejected === 'TooSoon') return ChatError.unknown(429, detail, retryAfterMs ?? 1_000);
    if (rejected === 'Maintenance' || rejected === 'Unavailable') return ChatError.unknown(503, detail, retryAfterMs);
    return ChatError.unknown(400, detail);
  }

  get body(): object {
    const { number: code, text: error, field } = this;
    return { status: false, error: { code, error, ...(field !== undefined && { field }) } };
  }

  /** A complete response, for a connection that is closed after it. */
  get raw(): string {
    return rawAnswer(this.status, mediaType, JSON.stringify(this.body), { retryAfterMs: this.retryAfterMs });
  }
}

type Numbers = Partial<Record<Rejection['rejected'], ErrorNumber>>;
const numbers: Readonly<Record<'room' | 'client', Numbers>> = {
  room: { NotFound: 101, RoomClosed: 101, NameTaken: 102, NotAMember: 104, NotAllowed: 104, Invalid: 105 },
  client: {
    ...{ NotFound: 101, RoomClosed: 101, NameTaken: 202, Invalid: 303, NotAMember: 304, NotAllowed: 304 },
    ...{ WrongPassword: 304, Unauthenticated: 304, SecondFactorNeeded: 304 },
  },
};

const mediaType = 'application/json; charset=utf-8';

/** Every error of this door's listener, in chitchat's format. Errors that are our fault are logged. */
export class ChatErrors implements FaultFormat {
  constructor(private readonly log: Logger) {}

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const found = this.errorOf(error, {
      traceId: request.id,
      method: request.method,
      route: request.routeOptions?.url,
    });
    if (found.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(found.retryAfterMs / 1_000));
    reply.status(found.status).type(mediaType).send(JSON.stringify(found.body));
  }

  text(fault: Fault): string {
    return ofFault(fault).raw;
  }

  /** `place` is for the log. */
  errorOf(error: unknown, place: object): ChatError {
    if (error instanceof ChatError) return error;
    if (error instanceof Fault) return ofFault(error);
    if (isUnavailable(error)) {
      this.log.warn({ err: error, ...place }, 'a request failed because a server is unavailable');
      return ChatError.unknown(503, 'The service cannot reach its database at the moment.', 1_000);
    }
    const { statusCode = 500 } = (error ?? {}) as { statusCode?: number };
    // Messages of libraries are not exposed, because they may quote the input.
    if (statusCode >= 400 && statusCode < 500)
      return ChatError.unknown(statusCode, STATUS_CODES[statusCode] ?? 'Bad request');
    this.log.error({ err: error, ...place }, 'a request failed');
    return ChatError.unknown(500, 'Something went wrong on our side.');
  }
}

const statuses: Readonly<Record<FaultKind, number>> = {
  invalid: 400,
  'too-large': 413,
  late: 503,
  'too-many': 429,
  busy: 503,
};

const ofFault = ({ kind, detail, more }: Fault): ChatError =>
  ChatError.unknown(statuses[kind], detail, more.retryAfterMs);
