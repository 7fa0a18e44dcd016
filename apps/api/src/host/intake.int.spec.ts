import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { clientFrame, filled } from '../tests/attacks/wire.testing.js';
import { Intake } from './intake.js';

/** Empty frames in one write: about a packet of 64 KiB. */
const BLOCK = filled(65_536, clientFrame('text'));
const FRAMES = BLOCK.length / clientFrame('text').length;

let server: Server;
let sockets: WebSocketServer;
/** Frames of one turn: the last of one packet and the first of the next may share it. */
const MOST_IN_A_TURN = 2 * 32;
/** What the newest connection has received, and how many frames came in each turn of the event loop. */
let received: string[];
let turns: number[];
let opened: { socket: WebSocket; intake: Intake };

beforeAll(async () => {
  server = createServer();
  sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const intake = new Intake(socket, request.socket);
    const [texts, counts]: [string[], number[]] = [[], [0]];
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      if (counts.at(-1) === 0) setImmediate(() => counts.push(0));
      counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
      texts.push(String(data));
    });
    [received, turns, opened] = [texts, counts, { socket, intake }];
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  server.close();
});

const port = (): number => (server.address() as { port: number }).port;

async function open(): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port()}`);
  await once(client, 'open');
  return client;
}

/** A connection whose bytes are written as they are. */
async function openWire(): Promise<Socket> {
  const wire = connect(port(), '127.0.0.1');
  wire.on('error', () => undefined);
  wire.write(
    'GET / HTTP/1.1\r\nhost: chat\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(wire, 'data');
  return wire;
}

const allReceived = (count: number) => vi.waitFor(() => expect(received.length).toBe(count), 10_000);

describe('frames that come in one packet', () => {
  it('are handled over several turns of the event loop, all of them and in their order', async () => {
    const wire = await openWire();
    const texts = Array.from({ length: 5_000 }, (_, i) => `${i}`);
    wire.write(Buffer.concat(texts.map((text) => clientFrame('text', Buffer.from(text)))));
    await allReceived(texts.length);
    expect(received).toEqual(texts);
    expect(Math.max(...turns)).toBeLessThanOrEqual(MOST_IN_A_TURN);
    wire.destroy();
  });

  it('are all handled although the client ends the connection behind them', async () => {
    const wire = await openWire();
    wire.end(BLOCK);
    await allReceived(FRAMES);
  });

  it('are all handled although the socket is paused and resumed meanwhile', async () => {
    const wire = await openWire();
    for (let i = 0; i < 5; i++) wire.write(Buffer.concat([BLOCK, clientFrame('text', Buffer.alloc(60_000, 'x'))]));
    const restless = setInterval(() => {
      opened.socket.pause();
      opened.socket.resume();
    }, 1);
    await allReceived(5 * (FRAMES + 1));
    clearInterval(restless);
    expect(Math.max(...turns)).toBeLessThanOrEqual(MOST_IN_A_TURN);
    expect(opened.intake.heldBytes).toBe(0);
    wire.destroy();
  });

  it('are not handled after the connection was closed because of the first ones', async () => {
    const wire = await openWire();
    opened.socket.on('message', () => opened.socket.close(1008));
    wire.write(BLOCK);
    await once(wire.resume(), 'close');
    expect(received.length).toBeLessThan(1_200);
  });

  it('are dropped when the socket is cut off', async () => {
    const wire = await openWire();
    opened.socket.once('message', () => opened.socket.terminate());
    wire.write(BLOCK);
    await once(wire.resume(), 'close');
    expect(received.length).toBeLessThanOrEqual(32);
    expect(opened.intake.heldBytes).toBe(0);
  });
});

it('a long message arrives although it takes many packets', async () => {
  const client = await open();
  const text = 'é'.repeat(500_000);
  client.send(text);
  client.send('after it');
  await allReceived(2);
  expect(received).toEqual([text, 'after it']);
  client.close();
  await once(client, 'close');
});
