import { isUtf8 } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { errors, problem, problemMediaType } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { newId } from '../new-id.js';
import type { ProblemFilter } from './problem-filter.js';
import { Refusal } from './refusal.js';

/** Bytes of a request body. The longest message is 8,000 code points of at most 12 bytes each as JSON escapes. */
const MOST_BODY_BYTES = 131_072;
/** Arrays and objects of a body that may lie in one another. Ours are flat. */
const MOST_LEVELS = 32;

/**
 * The HTTP server with its limits: size of bodies, time a request may take to arrive, and strict UTF-8 JSON.
 * `problems` answers requests that no route gets to see, because their address cannot be read.
 */
export function httpServer(problems: ProblemFilter): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 65_000,
    genReqId: () => newId(),
    requestIdHeader: false,
    exposeHeadRoutes: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: false },
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      problems.answer(error, request, reply),
    clientErrorHandler: hangUp,
  });
  const server = adapter.getInstance();
  // An expectation that nobody knows is no reason to refuse a request.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  server.addHook('onRequest', async (request: FastifyRequest) => {
    if (!acceptsJson(request)) throw new Refusal('not_acceptable', 'This is answered as JSON only.');
  });
  return adapter;
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new Refusal('invalid_request', 'The body is not valid UTF-8.');
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal('invalid_request', 'The body is not valid JSON.');
  }
  if (!isPlain(json))
    throw new Refusal('invalid_request', 'The body is nested too deeply, or a number in it is too large.');
  return json;
}

/** JSON can be nested deeper than a stack, and its numbers can be larger than a double. */
function isPlain(value: unknown, levels = MOST_LEVELS): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isPlain(inner, levels - 1));
}

/** Ends a connection on which something came that is not HTTP, is too much of it, or did not come in time. */
function hangUp({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [known, detail] =
    hangUpReasons[code ?? ''] ?? (['invalid_request', 'This is not a request of HTTP/1.1.'] as const);
  const body = JSON.stringify(problem(known, detail, { traceId: newId() }));
  const { status } = errors[known];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${problemMediaType}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const hangUpReasons: Readonly<Record<string, readonly ['too_large' | 'invalid_request', string]>> = {
  HPE_HEADER_OVERFLOW: ['too_large', 'The address and the headers are too long.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['too_large', 'The chunks have too long extensions.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['invalid_request', 'The request did not arrive in time.'],
};

/** Pages and metrics have types of their own; everything under /v1 and the health checks are JSON. */
function acceptsJson({ url, headers }: FastifyRequest): boolean {
  if (!url.startsWith('/v1') || !headers.accept) return true;
  return headers.accept
    .split(',')
    .map((range) => range.split(';') as [string, ...string[]])
    .some(([type, ...options]) => {
      const quality = options.find((option) => option.trim().startsWith('q='));
      if (quality && Number(quality.trim().slice(2)) === 0) return false;
      return ['*/*', 'application/*', 'application/json', 'application/problem+json'].includes(
        type.trim().toLowerCase(),
      );
    });
}
