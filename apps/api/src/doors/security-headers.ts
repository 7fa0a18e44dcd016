import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import { callList } from '@verbatim/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Origins } from '../host/origins.js';
import type { Proxies } from '../host/proxies.js';
import { Refusal } from './refusal.js';

/** The headers that pages of other origins may send and read: those of the calls, and standard HTTP ones. */
const allowedHeaders = ['authorization', 'content-type', ...headersOf('request')].join(', ');
const exposedHeaders = ['allow', 'content-disposition', 'retry-after', 'www-authenticate', ...headersOf('answer')].join(
  ', ',
);
const allowedMethods = [...new Set(callList.map(([, { method }]) => method))].join(', ');
/** The paths of single sign-on's cookies, which pages of other origins on the same site have to send. */
const cookiePlace = /^\/v1\/auth\/sso(?=[/?]|$)/;
/** Seconds for which browsers cache a preflight. */
const PREFLIGHT_SECONDS = 600;
const YEAR_SECONDS = 31_536_000;

/** Browser features that none of our pages need. */
const nothingPermitted = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'usb']
  .map((ability) => `${ability}=()`)
  .join(', ');

/** Sets security headers on every response, and lets pages of allowed origins read it (CORS). */
export function addBrowserHeaders(server: FastifyInstance, origins: Origins, proxies: Proxies): void {
  server.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const { raw, url } = request;
    reply.header('permissions-policy', nothingPermitted);
    // Responses under /v1 contain credentials and private data.
    if (url.startsWith('/v1')) reply.header('cache-control', 'no-store');
    if (proxies.secure(raw)) reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}; includeSubDomains`);
    reply.header('vary', 'origin');
    if (raw.headers.origin === undefined) return;
    const admitted = origins.admits(raw);
    if (admitted) {
      reply.header('access-control-allow-origin', raw.headers.origin);
      reply.header('access-control-expose-headers', exposedHeaders);
      if (cookiePlace.test(url)) reply.header('access-control-allow-credentials', 'true');
    }
    if (raw.method !== 'OPTIONS' || raw.headers['access-control-request-method'] === undefined) return;
    if (!admitted) throw new Refusal('forbidden', 'Pages of this origin may not call the service.');
    return reply
      .header('access-control-allow-methods', allowedMethods)
      .header('access-control-allow-headers', allowedHeaders)
      .header('access-control-max-age', PREFLIGHT_SECONDS)
      .status(204)
      .send();
  });
}

function headersOf(part: 'request' | 'answer'): string[] {
  const names = callList.flatMap(([, { headers }]) => Object.keys(headers[part]));
  return [...new Set(names)].map((name) => name.toLowerCase());
}

/** For responses that are not pages: they may not load, run or frame anything. */
export const forAnswers = helmetFor({ defaultSrc: ["'none'"] });

export const registerHelmet = (server: FastifyInstance, options: FastifyHelmetOptions) =>
  server.register(helmet, options);

export function helmetFor(directives: Record<string, string[]>): FastifyHelmetOptions {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { ...directives, baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    // Only if https leads here; see above.
    hsts: false,
  };
}
