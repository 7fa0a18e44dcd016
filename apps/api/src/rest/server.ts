import { isUtf8 } from 'node:buffer';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { Refusal } from './refusal.js';

/** Bytes of a request body. The longest message is 8,000 code points of at most 12 bytes each as JSON escapes. */
const MOST_BODY_BYTES = 131_072;

/** The HTTP server with its limits: size of bodies, time a request may take to arrive, and strict UTF-8 JSON. */
export function httpServer(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 65_000,
    genReqId: () => uuidv7(),
    requestIdHeader: false,
    exposeHeadRoutes: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: false },
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
  server.addHook('onRequest', async (request: FastifyRequest) => {
    if (!acceptsJson(request)) throw new Refusal('not_acceptable', 'This is answered as JSON only.');
  });
  return adapter;
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new Refusal('invalid_request', 'The body is not valid UTF-8.');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal('invalid_request', 'The body is not valid JSON.');
  }
}

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
