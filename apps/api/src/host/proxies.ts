import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import parseForwarded from 'forwarded-parse';
import ipaddr from 'ipaddr.js';

/** Characters of the User-Agent header that are kept. */
const MAX_USER_AGENT = 300;

/** Where a request comes from, as recorded with sessions. */
export interface ClientDevice {
  readonly address: string;
  readonly userAgent: string | null;
}

/** The trusted proxies: how many are in front of the service, or their networks; null: none. */
export type TrustedProxies = number | readonly string[] | null;

/** Parses `TRUST_PROXY`: empty for none, a number of hops, or comma-separated networks. Undefined if it is invalid. */
export function readTrustedProxies(setting: string): TrustedProxies | undefined {
  if (setting === '' || setting === '0' || setting === 'off') return null;
  if (/^[1-9]\d?$/.test(setting)) return Number(setting);
  const networks = setting.split(',').map((network) => network.trim());
  return networks.every(isNetwork) ? networks : undefined;
}

const isNetwork = (text: string): boolean =>
  text.includes('/') ? ipaddr.isValidCIDR(text) && !text.endsWith('/0') : isIP(text) !== 0;

/**
 * Who sent a request, and to which address, as reported by the trusted proxies in `X-Forwarded-For`, `-Proto` and `-Host`
 * or in `Forwarded` (RFC 7239). Each proxy appends its entry to these lists, so an entry counts only if a trusted proxy
 * wrote it; the client may have forged earlier ones.
 */
export class Proxies {
  private readonly trusts: (address: string, hop: number) => boolean;
  /** Whether any proxy is trusted: only then is the client's scheme known. */
  readonly any: boolean;

  constructor(private readonly trusted: TrustedProxies) {
    this.any = trusted !== null;
    this.trusts = trustOf(trusted);
  }

  /** The client's address. IPv4 addresses mapped to IPv6 are given as IPv4. */
  addressOf(request: IncomingMessage): string {
    return this.route(request).at(-1) ?? '';
  }

  /**
   * The address at the other end of a connection; null if it is a trusted proxy, which connects on behalf of many
   * clients.
   */
  peerOf(socket: Socket): string | null {
    const address = withoutPort(socket.remoteAddress ?? '');
    return this.trusts(address, 0) ? null : address;
  }

  /** Where a request comes from, for limits and for the list of sessions. */
  clientOf(request: IncomingMessage): { readonly address: string; readonly device: ClientDevice } {
    return { address: this.addressOf(request), device: this.deviceOf(request) };
  }

  /** What is recorded about where someone signed in from. */
  deviceOf(request: IncomingMessage): ClientDevice {
    const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null;
    return { address: this.addressOf(request), userAgent };
  }

  /** Whether the client used https (or wss), according to a trusted proxy. */
  secure(request: IncomingMessage): boolean {
    return /^(https|wss)$/i.test(this.reported(request, 'proto') ?? '');
  }

  /** The host, with any port, that the client asked for. */
  hostOf(request: IncomingMessage): string {
    return (this.reported(request, 'host') ?? request.headers.host ?? '').toLowerCase();
  }

  /** The addresses from the nearest proxy to the client, as far as trusted proxies named them. */
  private route(request: IncomingMessage): string[] {
    const route = [withoutPort(request.socket.remoteAddress ?? '')];
    for (const named of listOf(request, 'for').reverse()) {
      const address = withoutPort(named);
      if (!this.trusts(route.at(-1) ?? '', route.length - 1) || isIP(address) === 0) break;
      route.push(address);
    }
    return route;
  }

  /** The entry of the outermost trusted proxy. If fewer proxies write entries than are trusted, the first entry. */
  private reported(request: IncomingMessage, part: 'proto' | 'host'): string | undefined {
    const hops = this.hopsOf(request);
    const list = listOf(request, part);
    return hops === 0 ? undefined : list[Math.max(0, list.length - hops)];
  }

  /** How many trusted proxies the request came through. */
  private hopsOf(request: IncomingMessage): number {
    if (typeof this.trusted === 'number') return this.trusted;
    const route = this.route(request);
    const client = route.findIndex((address, hop) => !this.trusts(address, hop));
    return client === -1 ? route.length : client;
  }
}

/** The entries of one kind, outermost first. `Forwarded` counts only instead of the others, never beside them. */
function listOf({ headers }: IncomingMessage, part: 'for' | 'proto' | 'host'): string[] {
  const legacy = ['for', 'proto', 'host'].some((name) => headers[`x-forwarded-${name}`] !== undefined);
  const entries = legacy
    ? String(headers[`x-forwarded-${part}`] ?? '').split(',')
    : forwarded(headers.forwarded).map((entry) => entry[part] ?? '');
  const trimmed = entries.map((entry) => entry.trim());
  return part === 'for' ? trimmed : trimmed.filter((entry) => entry !== '');
}

function forwarded(header: string | undefined): { for?: string; proto?: string; host?: string }[] {
  if (header === undefined) return [];
  try {
    return parseForwarded(header);
  } catch {
    return [];
  }
}

function trustOf(trusted: TrustedProxies): (address: string, hop: number) => boolean {
  if (trusted === null) return () => false;
  if (typeof trusted === 'number') return (_, hop) => hop < trusted;
  return proxyAddr.compile([...trusted]);
}

/** Some proxies add the port: `192.0.2.1:443`, `[2001:db8::1]:443`. */
function withoutPort(text: string): string {
  const [, bracketed, dotted] = /^(?:\[(.+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return (bracketed ?? dotted ?? text).replace(/^::ffff:(?=\d+\.)/i, '');
}
