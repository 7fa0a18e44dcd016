import type { IncomingMessage } from 'node:http';
import type { Proxies } from './proxies.js';

/** Whether a setting names an origin as browsers do: `https://chat.example.org`, `http://localhost:5173`. */
export const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;

/**
 * The pages whose scripts may speak to the service: those of its own origin, and those that are allowed by name. Programs
 * that are no browsers send no Origin and are not asked for one: it protects people with a browser, not the service.
 */
export class Origins {
  private readonly allowed: ReadonlySet<string>;

  constructor(
    allowed: readonly string[],
    private readonly proxies: Proxies,
  ) {
    this.allowed = new Set(allowed);
  }

  admits(request: IncomingMessage): boolean {
    const { origin } = request.headers;
    return origin === undefined || this.allowed.has(origin) || this.isOwn(origin, request);
  }

  /** Behind a proxy that is not trusted it is not known whether it is https or http that leads here, so both are. */
  private isOwn(origin: string, request: IncomingMessage): boolean {
    const host = this.proxies.hostOf(request);
    const schemes = !this.proxies.any ? ['http', 'https'] : [this.proxies.secure(request) ? 'https' : 'http'];
    return host !== '' && schemes.some((scheme) => origin === `${scheme}://${host}`);
  }
}
