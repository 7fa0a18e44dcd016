import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The browser's errand while it is at the provider, and its share of the code that ends the sign-on. By the prefix browsers take them from
 * this very host only, over TLS or from their own machine: no neighbouring host can plant one (RFC 6265bis, 4.1.3).
 */
export const ERRAND = '__Host-verbatim_sso';
export const BROWSER = '__Host-verbatim_sso_browser';

/** The prefix demands the path, and forbids a domain. */
export const cookie = (name: string, value: string, seconds: number, sameSite: 'Lax' | 'Strict'): string =>
  `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=${sameSite}`;

export function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([key]) => key === name)?.[1];
}

/** Leads a browser on to an address that nobody else is to learn of. */
export function redirect(reply: FastifyReply, address: string): void {
  reply.header('location', address).header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
}
