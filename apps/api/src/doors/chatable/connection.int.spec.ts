import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { noLimits } from '../../limits/limit-settings.js';
import { Limits } from '../../limits/limits.js';
import { newId } from '../../new-id.js';
import { Connection, connectionLimits } from './connection.js';

let server: WebSocketServer;
beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterAll(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

/** A client, and the service's connection to it, which handles nothing until it is told to go on. */
async function opened() {
  let resolve = (): void => undefined;
  const goOn = new Promise<void>((done) => {
    resolve = done;
  });
  const accepted = once(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }];
  const limits = new Limits(noLimits, { note: () => undefined });
  const actor = { id: newId(), role: 'user' } as const;
  const caller = { actor, username: 'ada', sessionId: newId(), expiresAt: new Date(), confirms: false };
  const handled: unknown[] = [];
  const connection = new Connection(
    ...([socket, request.socket, caller, limits.connection(actor.id)] as const),
    () => true,
    async (_, packet) => {
      await goOn;
      handled.push(packet);
    },
  );
  await once(client, 'open');
  return { client, socket, connection, handled, goOn: () => resolve() };
}

it('waiting packets are counted, without the spaces around them', async () => {
  const { client, connection, handled, goOn } = await opened();
  const [short, long] = [{ recipient: 'bob', message: 'text' }, 'x'.repeat(100_000)];
  for (let i = 0; i < 10; i++) client.send(JSON.stringify({ ...short, author: long }));
  client.send(JSON.stringify({ ...short, message: long }));
  client.send(JSON.stringify({ ...short, recipient: long }));
  client.send(JSON.stringify({ ...short, message: 'the last' }));
  client.close();
  await once(client, 'close');
  expect(connection.heldBytes).toBeGreaterThan(13 * 200);
  expect(connection.heldBytes).toBeLessThan(13 * 500);
  goOn();
  await connection.settled();
  expect(handled.slice(-4)).toEqual([
    short,
    { refused: 'the message must have at most 8000 characters' },
    { refused: 'unknown username' },
    { ...short, message: 'the last' },
  ]);
  expect(connection.heldBytes).toBe(0);
});

it('reading pauses when much is waiting, until some has been handled', async () => {
  const { client, socket, connection, handled, goOn } = await opened();
  const packet = JSON.stringify({ recipient: 'bob', message: 'x'.repeat(8_000) });
  for (let i = 0; i < 60; i++) client.send(packet);
  await expect.poll(() => socket.isPaused).toBe(true);
  const { packetsWaitingBytes, packetBytes } = connectionLimits;
  expect(connection.heldBytes).toBeLessThan(packetsWaitingBytes + 2 * packetBytes);
  goOn();
  await expect.poll(() => handled.length).toBe(60);
  expect(connection.heldBytes).toBe(0);
  client.terminate();
});
