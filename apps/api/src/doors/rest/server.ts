import { isUtf8 } from 'node:buffer';
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { callList, errors, problem, problemMediaType } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpConnections } from '../../host/http-connections.js';
import { newId } from '../../new-id.js';
import { Refusal } from '../refusal.js';
import { methodsAt, noSuchPlace } from './places.js';
import { isPlain } from './plain-json.js';
import type { ProblemFilter } from './problem-filter.js';

/** Bytes of a request body. The longest message is 8,000 code points of at most 12 bytes each as JSON escapes. */
const MOST_BODY_BYTES = 131_072;
/** Milliseconds in which the head of a request, and all of it, have to come, and between two looks whether they have. */
export const arrivalTimes = { head: 10_000, whole: 30_000, look: 1_000 };

/** Milliseconds after which a connection is ended on which nothing moves, and one that is kept for further requests. */
const STILL_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;

/**
 * The HTTP server with its limits: connections and requests at a time, size of bodies, time a request may take to arrive, and
 * strict UTF-8 JSON. `problems` answers requests that no route gets to see, because their address cannot be read.
 */
export function httpServer(
  problems: ProblemFilter,
  connections: HttpConnections,
  times = arrivalTimes,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: MOST_BODY_BYTES,
    serverFactory: (handle: RequestListener) => listener(handle, connections, times),
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
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  // After the hooks that put headers on every answer.
  server.addHook('preParsing', async (request: FastifyRequest) => {
    const refusal = connections.refusalOf(request.raw);
    if (refusal) throw refusal;
    if (isNowhere(request)) throw noSuchPlace(request);
    if (isBodyless(request)) delete request.raw.headers['content-type'];
    if (!acceptsAnswer(request)) throw new Refusal('not_acceptable', 'This is answered as another media type.');
  });
  return adapter;
}

function listener(handle: RequestListener, connections: HttpConnections, times: typeof arrivalTimes): Server {
  const server = createServer({
    requestTimeout: times.whole,
    headersTimeout: times.head,
    connectionsCheckingInterval: times.look,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.setTimeout(STILL_MS);
  server.on('request', connections.guard(server, handle));
  // An expectation that nobody knows is no reason to refuse a request.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return server;
}

/**
 * No route, or one that only a placeholder matches: `PATCH /v1/users/export` would be taken for a person named "export".
 * Decided before the body is read, so that the answer does not depend on it.
 */
function isNowhere({ is404, method, url }: FastifyRequest): boolean {
  if (is404) return true;
  const methods = methodsAt(url);
  return methods.length > 0 && !methods.includes(method);
}

/** Some clients name a type for the body they do not send. */
const isBodyless = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new Refusal('invalid_request', 'The body is not valid UTF-8.');
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    throw new Refusal('invalid_request', 'The body is not valid JSON.');
  }
  if (!isPlain(json))
    throw new Refusal('invalid_request', 'The body is nested too deeply, or a number in it is too large.');
  return json;
}

/** Ends a connection on which something came that is not HTTP, is too much of it, or did not come in time. */
function hangUp({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [known, detail] =
    hangUpReasons[code ?? ''] ?? (['invalid_request', 'This is not a request of HTTP/1.1.'] as const);
  refuseConnection(socket, new Refusal(known, detail));
}

/** Answers on a connection that no request is made of, and ends it. */
export function refuseConnection(socket: Socket, { code, detail, more }: Refusal): void {
  const body = JSON.stringify(problem(code, detail, { traceId: newId() }));
  const { status } = errors[code];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${problemMediaType}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(more.retryAfterMs === undefined ? [] : [`retry-after: ${Math.ceil(more.retryAfterMs / 1_000)}`]),
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const hangUpReasons: Readonly<Record<string, readonly ['too_large' | 'unavailable', string]>> = {
  HPE_HEADER_OVERFLOW: ['too_large', 'The address and the headers are too long.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['too_large', 'The chunks have too long extensions.'],
  // It may have been us who did not look in time, and the same request may well be taken another time.
  ERR_HTTP_REQUEST_TIMEOUT: ['unavailable', 'The request did not arrive in time.'],
};

const json = ['*/*', 'application/*', 'application/json', 'application/problem+json'];

/** The calls that answer something else than JSON: patterns of their paths, and what of it may be asked for. */
const otherTypes = callList.flatMap(([, { path, mediaType }]) => {
  if (!mediaType) return [];
  const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  return [{ pattern, types: [mediaType, mediaType.replace(/\/.*/, '/*')] }];
});

/** Pages and metrics have types of their own; nearly everything under /v1 is JSON, and so is each error. */
function acceptsAnswer({ url, headers }: FastifyRequest): boolean {
  if (!url.startsWith('/v1') || !headers.accept) return true;
  const other = otherTypes.find(({ pattern }) => pattern.test(url.split('?')[0] ?? ''));
  const types = other ? [...json, ...other.types] : json;
  return headers.accept
    .split(',')
    .map((range) => range.split(';') as [string, ...string[]])
    .some(([type, ...options]) => {
      const quality = options.find((option) => option.trim().startsWith('q='));
      if (quality && Number(quality.trim().slice(2)) === 0) return false;
      return types.includes(type.trim().toLowerCase());
    });
}
