import type { IncomingMessage } from 'node:http';
import type { Proxies } from './proxies.js';

/** Whether a setting is an origin in the form that browsers send: `https://chat.example.org`, `http://localhost:5173`. */
export const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;

/**
 * The origins whose scripts may call the service: its own, and those allowed by name. Clients other than browsers send no
 * Origin and need none: the check protects people with a browser, not the service.
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

  /** The same for a listener whose pages are served from another port of the same host. */
  admitsHost(request: IncomingMessage): boolean {
    const { origin } = request.headers;
    if (this.admits(request) || origin === undefined) return true;
    return URL.canParse(origin) && hostname(origin) === hostname(`http://${this.proxies.hostOf(request)}`);
  }

  /** Without a trusted proxy the client's scheme is unknown, so both count. */
  private isOwn(origin: string, request: IncomingMessage): boolean {
    const host = this.proxies.hostOf(request);
    const schemes = !this.proxies.any ? ['http', 'https'] : [this.proxies.secure(request) ? 'https' : 'http'];
    return schemes.some((scheme) => originOf(`${scheme}://${host}`) === origin);
  }
}

/** As browsers write it: lower case, without the scheme's default port. Null if it cannot be a host. */
function originOf(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { origin, pathname, search, hash, username } = new URL(address);
  return pathname + search + hash + username === '/' ? origin : null;
}

/** `NaN`, which equals nothing, if the address cannot be parsed. */
const hostname = (address: string): string | number => (URL.canParse(address) ? new URL(address).hostname : Number.NaN);
