import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestPerson } from '../harness/test-client.testing.js';
import { attackersAddress } from './attack.testing.js';

/** Opens a TCP connection on which nothing is read unless the caller does. Rejects when it is refused. */
export async function openWire(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const wire = connect({ host: hostname, port: Number(port), localAddress: attackersAddress });
  wire.pause();
  await once(wire, 'connect');
  // From here on an end is what attackers expect.
  wire.on('error', () => undefined);
  return wire;
}

/** Waits until the connection ends or so many milliseconds have passed, and lets it go. What nobody reads does not show its end. */
export async function keep(wire: Socket, milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const go = () => {
      clearTimeout(timer);
      resolve();
    };
    wire.once('close', go);
    signal.addEventListener('abort', go, { once: true });
  });
  wire.destroy();
}

/** The head of a request, with an empty body. */
export const requestHead = (path: string, person?: TestPerson): string =>
  `GET ${path} HTTP/1.1\r\nhost: chat\r\n${person ? `authorization: Bearer ${person.accessToken}\r\n` : ''}\r\n`;

/** Opens a WebSocket and nothing else: no frame of the service is read or answered. */
export const openRawSocket = (url: string, ticket: string): Promise<Socket> =>
  openUpgraded(new URL(`/v1/ws?ticket=${ticket}`, url).href);

/** The same for a WebSocket of any door. */
export async function openUpgraded(url: string): Promise<Socket> {
  const wire = await openWire(url);
  const { pathname, search } = new URL(url);
  const key = randomBytes(16).toString('base64');
  wire.write(
    `GET ${pathname}${search} HTTP/1.1\r\nhost: chat\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
      `sec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
  );
  return wire;
}

export const opcodes = { continuation: 0x0, text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** A frame as clients send it, masked with zeros. */
export function clientFrame(opcode: keyof typeof opcodes, payload: Buffer = Buffer.alloc(0), final = true): Buffer {
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of((final ? 0x80 : 0) | opcodes[opcode], ...size), Buffer.alloc(4), payload]);
}

/** The same bytes so often that they fill about `bytes`. */
export const filled = (bytes: number, frame: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: Math.max(1, Math.floor(bytes / frame.length)) }, () => frame));

/** Writes as fast as the other side takes it, up to `bytesPerSecond`, until the signal is aborted or the connection ends. */
export async function flood(wire: Socket, block: Buffer, bytesPerSecond: number, signal: AbortSignal): Promise<number> {
  let written = 0;
  const begun = performance.now();
  while (!signal.aborted && !wire.destroyed && wire.writable) {
    const due = ((performance.now() - begun) / 1_000) * bytesPerSecond - written;
    if (due < block.length) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    } else if (wire.write(block)) {
      written += block.length;
      await new Promise(setImmediate);
    } else {
      written += block.length;
      await new Promise<void>((resolve) => {
        const go = () => {
          wire.off('drain', go).off('close', go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        wire.on('drain', go).on('close', go);
        signal.addEventListener('abort', go);
      });
    }
  }
  wire.destroy();
  return written;
}
