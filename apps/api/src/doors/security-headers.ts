import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import { callList } from '@verbatim/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Origins } from '../host/origins.js';
import type { Proxies } from '../host/proxies.js';
import { Refusal } from './refusal.js';

/** What pages of other origins may send, and see of an answer: all that the calls have, and what is of HTTP itself. */
const allowedHeaders = ['authorization', 'content-type', ...headersOf('request')].join(', ');
const exposedHeaders = ['allow', 'content-disposition', 'retry-after', 'www-authenticate', ...headersOf('answer')].join(
  ', ',
);
const allowedMethods = [...new Set(callList.map(([, { method }]) => method))].join(', ');
/** Where single sign-on keeps its cookies, which pages of other origins on the same site have to send along. */
const cookiePlace = /^\/v1\/auth\/sso(?=[/?]|$)/;
/** Seconds for which a browser need not ask again. */
const PREFLIGHT_SECONDS = 600;
const YEAR_SECONDS = 31_536_000;

/** Abilities of browsers that no page of ours needs. */
const nothingPermitted = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'usb']
  .map((ability) => `${ability}=()`)
  .join(', ');

/** Sets security headers on every response, and lets pages of allowed origins read it (CORS). */
export function addBrowserHeaders(server: FastifyInstance, origins: Origins, proxies: Proxies): void {
  server.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const { raw, url } = request;
    reply.header('permissions-policy', nothingPermitted);
    // What is behind /v1 is credentials and private data.
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

/** Answers that are no pages: nothing is loaded, run or framed on their account. */
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
    // Only where https leads here; see above.
    hsts: false,
  };
}
