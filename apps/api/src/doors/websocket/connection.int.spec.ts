import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { noLimits } from '../../limits/limit-settings.js';
import { Limits } from '../../limits/limits.js';
import { newId } from '../../new-id.js';
import { Connection } from './connection.js';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
  await once(server, 'listening');
});
afterEach(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

const limits = new Limits(noLimits, { note: () => undefined });

/** A client, and the service's connection to it. */
async function opened(options: ClientOptions = {}) {
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
  const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }];
  const actor = { id: newId(), role: 'user' } as const;
  const allowances = limits.connection(actor.id);
  const connection = new Connection(socket, request.socket, actor, 'ada', newId(), 'all', allowances);
  socket.on('ping', (payload: Buffer) => connection.handlePing(payload));
  socket.on('pong', (payload: Buffer) => connection.handlePong(payload));
  await once(client, 'open');
  return { client, socket, connection };
}

/** Resolves when everything that was written to the service so far has been read by it. */
async function settled(client: WebSocket, socket: WebSocket): Promise<void> {
  const read = once(socket, 'message');
  client.send('settled');
  await read;
}

describe('a client', () => {
  it('that answers pings is kept', async () => {
    const { client, socket, connection } = await opened();
    for (let beats = 0; beats < 6; beats++) {
      const answered = once(socket, 'pong');
      connection.beat();
      await answered;
    }
    expect(client.readyState).toBe(client.OPEN);
  });

  it('whose answer comes after the next ping is kept', async () => {
    const { client, socket, connection } = await opened({ autoPong: false });
    let before: Buffer | undefined;
    for (let beats = 0; beats < 6; beats++) {
      const pinged = once(client, 'ping');
      connection.beat();
      const [payload] = (await pinged) as [Buffer];
      if (before) client.pong(before);
      before = payload;
      await settled(client, socket);
    }
    expect(client.readyState).toBe(client.OPEN);
  });

  it.each([
    ['that answers no ping', () => undefined],
    ['whose pongs are empty', (client: WebSocket) => client.pong()],
    ['whose pongs are made up', (client: WebSocket) => client.pong(Buffer.alloc(8, 7))],
    [
      'that answers an old ping again and again',
      (client: WebSocket, pings: readonly Buffer[]) => client.pong(pings[0]),
    ],
  ])('%s counts as gone after some beats', async (_, answer) => {
    const { client, socket, connection } = await opened({ autoPong: false });
    const ended = once(client, 'close');
    const pings: Buffer[] = [];
    client.on('ping', (payload: Buffer) => pings.push(payload));
    let beats = 0;
    for (; socket.readyState === socket.OPEN && beats < 10; beats++) {
      const pinged = once(client, 'ping');
      connection.beat();
      if (socket.readyState !== socket.OPEN) break;
      await pinged;
      answer(client, pings);
      await settled(client, socket);
    }
    expect((await ended)[0]).toBe(1006);
    // An old ping counted once, when it was new.
    expect(beats).toBeLessThanOrEqual(3);
  });

  it('is sent unguessable pings', async () => {
    const { client, connection } = await opened();
    const payloads: string[] = [];
    client.on('ping', (payload: Buffer) => payloads.push(payload.toString('hex')));
    for (let beats = 1; beats <= 3; beats++) {
      const pinged = once(client, 'ping');
      connection.beat();
      await pinged;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(new Set(payloads).size).toBe(3);
    for (const payload of payloads) expect(payload).toHaveLength(16);
  });
});

describe('pings of a client', () => {
  it('that come in one packet have one answer, to the latest', async () => {
    const { client, socket } = await opened();
    const answers: string[] = [];
    client.on('pong', (payload: Buffer) => answers.push(String(payload)));
    const { _socket: wire } = client as unknown as { _socket: Socket };
    wire.cork();
    for (let i = 1; i <= 100; i++) client.ping(`ping ${i}`);
    wire.uncork();
    await settled(client, socket);
    client.ping('the last');
    while (!answers.includes('the last')) await once(client, 'pong');
    expect(answers).toEqual(['ping 100', 'the last']);
  });
});
