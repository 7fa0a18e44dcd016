import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import type { Device } from '../vault/sessions.js';

/** Characters of the header User-Agent that are kept. */
const MOST_USER_AGENT = 300;

/** Proxies whose word counts: how many stand in front of the service, or their networks; null: none. */
export type TrustedProxies = number | readonly string[] | null;

/** Reads `TRUST_PROXY`: empty for none, a number of hops, or networks with commas between them. Undefined if it is neither. */
export function readTrustedProxies(setting: string): TrustedProxies | undefined {
  if (setting === '' || setting === '0' || setting === 'off') return null;
  if (/^[1-9]\d?$/.test(setting)) return Number(setting);
  const networks = setting.split(',').map((network) => network.trim());
  return networks.every(isNetwork) ? networks : undefined;
}

function isNetwork(network: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
  const family = isIP(address);
  return family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}

/** Who really asks, and how, where proxies that are trusted have passed a request on. Others may claim what they like. */
export class Proxies {
  private readonly trusts: (address: string, hop: number) => boolean;
  /** Whether there are any: only then is it known whether somebody came by https. */
  readonly any: boolean;

  constructor(trusted: TrustedProxies) {
    this.any = trusted !== null;
    this.trusts = trusting(trusted);
  }

  /** The client's address. Mapped IPv4 addresses are told as IPv4. */
  addressOf({ socket, headers }: IncomingMessage): string {
    let address = plain(socket.remoteAddress ?? '');
    const passed = headers['x-forwarded-for'];
    // What came from the nearest proxy stands last.
    const before = String(passed ?? '').split(',');
    for (let hop = 0; before.length > 0 && this.trusts(address, hop); hop++) {
      const named = plain(before.pop()?.trim() ?? '');
      if (isIP(named) === 0) break;
      address = named;
    }
    return address;
  }

  /** The address at the other end of a connection; null if it is a trusted proxy, which connects on behalf of many. */
  peerOf(socket: Socket): string | null {
    const address = plain(socket.remoteAddress ?? '');
    return this.trusts(address, 0) ? null : address;
  }

  /** What is noted of where somebody signed in. */
  deviceOf(request: IncomingMessage): Device {
    const userAgent = request.headers['user-agent']?.slice(0, MOST_USER_AGENT) ?? null;
    return { address: this.addressOf(request), userAgent };
  }

  /** Whether the client came by https, as far as a proxy says so that is trusted. */
  secure(request: IncomingMessage): boolean {
    return this.told(request, 'x-forwarded-proto') === 'https';
  }

  /** The host, with its port, that the client asked for. */
  hostOf(request: IncomingMessage): string {
    return (this.told(request, 'x-forwarded-host') ?? request.headers.host ?? '').toLowerCase();
  }

  private told({ socket, headers }: IncomingMessage, name: string): string | undefined {
    if (!this.trusts(plain(socket.remoteAddress ?? ''), 0)) return undefined;
    const told = headers[name];
    return typeof told === 'string' ? told.split(',').at(-1)?.trim().toLowerCase() : undefined;
  }
}

function trusting(trusted: TrustedProxies): (address: string, hop: number) => boolean {
  if (trusted === null) return () => false;
  if (typeof trusted === 'number') return (_, hop) => hop < trusted;
  const networks = new BlockList();
  for (const network of trusted) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    networks.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return (address) => isIP(address) !== 0 && networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');
