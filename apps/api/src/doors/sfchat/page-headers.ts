import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Proxies } from '../../host/proxies.js';

const ANALYTICS = 'https://www.google-analytics.com';
const YEAR_SECONDS = 31_536_000;

/** Sets the headers of a page and returns the nonce of its scripts, which is new for each response. */
export function pageHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  proxies: Proxies,
  { analytics = false, cache = 'no-store', referrer = 'same-origin' } = {},
): string {
  const nonce = randomBytes(16).toString('base64');
  const also = analytics ? ` ${ANALYTICS}` : '';
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'${also}`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data:${also}`,
    `connect-src 'self'${also}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    'report-uri /csp-report/',
  ];
  reply.headers({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': cache,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    // Not `no-referrer` by default, because browsers then hide the origin of forms.
    'referrer-policy': referrer,
    'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
    ...(proxies.secure(request.raw)
      ? { 'strict-transport-security': `max-age=${YEAR_SECONDS}; includeSubDomains` }
      : {}),
  });
  return nonce;
}

/** The value of a cookie of this request; null if it is missing or malformed. */
export function cookieOf({ headers }: FastifyRequest, name: string): string | null {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  const [, value = ''] = pairs.find(([own]) => own === name) ?? [];
  return /^[0-9a-f]{1,64}$/.test(value) ? value : null;
}

/** Adds a cookie that scripts and other sites cannot read. `seconds`: its lifetime; 0 removes it. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  proxies: Proxies,
  cookie: { readonly name: string; readonly value: string; readonly path: string; readonly seconds: number },
): void {
  const { name, value, path, seconds } = cookie;
  const secure = proxies.secure(request.raw) ? '; Secure' : '';
  reply.header('set-cookie', `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`);
}
