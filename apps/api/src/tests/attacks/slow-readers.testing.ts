import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target, watch } from './read-attack.testing.js';

/** Connections that ask for pages and take no answer; a few of them ask many times at once. */
const CONNECTIONS = 150;
const PIPELINED = 10;
/** MiB that the service may grow by. What is read and not taken is two answers of 1 MiB for each account. */
const GROWTH = 128;

/** Clients that ask for the largest pages there are and do not read the answers, for so many seconds. */
export function slowReaders(seconds: number): void {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget();
  }, 120_000);
  afterAll(() => target.end());

  const ask = (times: number): Socket => {
    const { attacker, room, url } = target;
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined).pause();
    const lines = [
      `GET /v1/rooms/${room}/events?limit=200 HTTP/1.1`,
      'host: localhost',
      `authorization: Bearer ${attacker.accessToken}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`.repeat(times));
    return socket;
  };

  describe('large pages that nobody takes', () => {
    it(
      `cost next to no memory, and keep nobody else waiting, for ${seconds} seconds`,
      async () => {
        const before = target.residentMiB();
        const sockets: Socket[] = [];
        const { maxMiB, posts, probes } = await watch(target, async () => {
          for (let i = 0; i < CONNECTIONS; i++) sockets.push(ask(i < PIPELINED ? 15 : 1));
          for (let second = 0; second < seconds; second++) {
            await new Promise((resolve) => setTimeout(resolve, 1_000));
            // Those that were turned away come back.
            for (const [i, { destroyed }] of sockets.entries()) if (destroyed) sockets[i] = ask(1);
          }
        });
        expect(maxMiB - before).toBeLessThan(GROWTH);
        expect(maxMiB).toBeLessThan(512);
        expect(Math.min(posts.length, probes.length)).toBeGreaterThan(seconds);
        for (const socket of sockets) socket.destroy();
      },
      60_000 + seconds * 2_000,
    );

    it('leave nothing behind when their clients are gone', async () => {
      const { attacker, room } = target;
      await expect
        .poll(async () => (await attacker.get(`/v1/rooms/${room}/events`)).status, { timeout: 20_000 })
        .toBe(200);
      // More than may be unread at a time.
      for (let i = 0; i < 5; i++) expect((await attacker.get(`/v1/rooms/${room}/events`)).status).toBe(200);
    }, 60_000);
  });
}
