import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The browser's errand while it is at the provider, and its half of the code that ends the sign-on. Because of the prefix,
 * browsers accept them from this host only, over TLS or locally: no sibling host can set one (RFC 6265bis, 4.1.3).
 */
export const ERRAND = '__Host-verbatim_sso';
export const BROWSER = '__Host-verbatim_sso_browser';

/** The prefix requires the path and forbids a domain. */
export const cookie = (name: string, value: string, seconds: number, sameSite: 'Lax' | 'Strict'): string =>
  `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=${sameSite}`;

export function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([key]) => key === name)?.[1];
}

/** Redirects a browser to an address that must not leak. */
export function redirect(reply: FastifyReply, address: string): void {
  reply.header('location', address).header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
}
