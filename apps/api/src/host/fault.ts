import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What can be wrong with a connection or request before it reaches a door. */
export type FaultKind = 'invalid' | 'too-large' | 'late' | 'too-many' | 'busy';

/** A connection or request refused by the host. Each door formats it in its own way. */
export class Fault extends Error {
  constructor(
    readonly kind: FaultKind,
    /** One sentence for people. */
    readonly detail: string,
    readonly more: {
      /** Milliseconds until a retry may succeed, if known. */
      readonly retryAfterMs?: number;
      /** The offending header, in lower case, and what it must be. */
      readonly header?: { readonly name: string; readonly message: string };
    } = {},
  ) {
    super(detail);
    this.name = 'Fault';
  }
}

/** How a door responds to errors outside its own routes. */
export interface FaultFormat {
  /** Answers a request whose address cannot be parsed, a `Fault`, or an error of a scope without an error handler. */
  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void;
  /** Answers on a connection without a parsable request. The host closes it afterwards. */
  text(fault: Fault): string;
}

const statuses: Readonly<Record<FaultKind, number>> = {
  invalid: 400,
  'too-large': 413,
  late: 503,
  'too-many': 429,
  busy: 503,
};

/** For listeners whose door has no format of its own: one sentence of plain text. */
export const plainFaults: FaultFormat = {
  answer(error, _request, reply) {
    const fault = error instanceof Fault ? error : null;
    const { statusCode = 500 } = error as { statusCode?: number };
    const status = fault ? statuses[fault.kind] : statusCode;
    reply
      .status(status)
      .type('text/plain; charset=utf-8')
      .send(`${fault?.detail ?? STATUS_CODES[status]}\n`);
  },
  text: (fault) => rawAnswer(statuses[fault.kind], 'text/plain; charset=utf-8', `${fault.detail}\n`, fault.more),
};

/** A complete response as text, for a connection that is closed with it. */
export function rawAnswer(
  status: number,
  mediaType: string,
  body: string,
  { retryAfterMs }: { readonly retryAfterMs?: number } = {},
): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${mediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(retryAfterMs === undefined ? [] : [`retry-after: ${Math.ceil(retryAfterMs / 1_000)}`]),
    'cache-control: no-store',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Sends a last text on a connection and closes it. */
export function hangUp(socket: Socket, text: string): void {
  socket.end(text, () => socket.destroy());
}
