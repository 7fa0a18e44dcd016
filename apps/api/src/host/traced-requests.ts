import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Span, Tracing } from '../telemetry/tracing.js';

/** Paths that machines poll all the time. */
const UNTRACED = /^\/(health\/|metrics$)/;

/** Makes each request the first span of its trace: the request id is the correlation id of everything it causes. */
export function traceRequests(fastify: FastifyInstance, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  fastify.addHook('onRequest', (request, _, done) => {
    const { method, routeOptions, headers } = request;
    const route = routeOptions.url;
    if (route === undefined || !UNTRACED.test(route)) {
      const facts = { 'http.request.method': method, ...(route !== undefined && { 'http.route': route }) };
      const name = route === undefined ? method : `${method} ${route}`;
      const parent = typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
      const span = tracing.request(request.id, name, facts, parent);
      if (span) spans.set(request, span);
    }
    done();
  });
  fastify.addHook('onResponse', (request, { statusCode }, done) => {
    spans.get(request)?.end({ 'http.response.status_code': statusCode }, statusCode >= 500);
    done();
  });
}
