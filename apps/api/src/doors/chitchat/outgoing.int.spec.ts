import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Outgoing } from './outgoing.js';

let server: WebSocketServer;
const failures: unknown[] = [];

beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterAll(async () => {
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

/** Somebody who has connected, and what is on its way to them. */
async function connected(): Promise<{ client: WebSocket; socket: WebSocket; outgoing: Outgoing; heard: string[] }> {
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const heard: string[] = [];
  client.on('message', (data) => heard.push(`${data}`)).on('error', () => undefined);
  const opened = once(client, 'open');
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  await opened;
  return { client, socket, heard, outgoing: new Outgoing(socket, (error) => failures.push(error)) };
}

describe('what is on its way to a client', () => {
  it('goes in order, however long a piece takes, and although one fails', async () => {
    const { client, outgoing, heard } = await connected();
    let ready = (_: string): void => undefined;
    const late = new Promise<string>((resolve) => {
      ready = resolve;
    });
    outgoing.put(async () => outgoing.send(await late));
    outgoing.put(() => Promise.reject(new Error('cannot be made')));
    outgoing.put(() => outgoing.send('second'));
    expect(heard).toEqual([]);
    ready('first');
    await expect.poll(() => heard).toEqual(['first', 'second']);
    expect(failures).toEqual([new Error('cannot be made')]);
    client.close();
  });

  it('ends the connection when its client does not read and more than a mebibyte waits', async () => {
    const { client, socket, outgoing } = await connected();
    (client as unknown as { _socket: Socket })._socket.pause();
    const frame = 'x'.repeat(65_536);
    let most = 0;
    const ended = once(socket, 'close');
    while (socket.readyState === socket.OPEN) {
      outgoing.put(() => outgoing.send(frame));
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, socket.bufferedAmount);
    }
    await ended;
    expect(most).toBeGreaterThan(1_048_576);
    expect(most).toBeLessThan(1_048_576 + 2 * frame.length);
    client.terminate();
  });

  it('ends the connection when too many pieces wait to be made', async () => {
    const { client, socket, outgoing } = await connected();
    const ended = once(socket, 'close');
    for (let i = 0; i < 2_000; i++) outgoing.put(() => new Promise(() => undefined));
    expect(socket.readyState).toBe(socket.OPEN);
    outgoing.put(() => undefined);
    await ended;
    client.terminate();
  });

  it('pauses the sending of history', async () => {
    const { client, socket, outgoing } = await connected();
    const wire = (client as unknown as { _socket: Socket })._socket;
    wire.pause();
    while (!outgoing.congested && socket.readyState === socket.OPEN) {
      outgoing.put(() => outgoing.send('x'.repeat(65_536)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    let drained = false;
    const waiting = outgoing.drained().then(() => {
      drained = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    wire.resume();
    await waiting;
    expect(outgoing.congested).toBe(false);
    client.terminate();
  });
});
