import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Outbox } from './outbox.js';
import { binaryFrame, textFrame } from './websocket-frames.js';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterEach(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;

/** A client, and the service's side of its connection. */
async function opened(make = () => new WebSocket(`ws://127.0.0.1:${port()}`)) {
  const accepted = once(server, 'connection');
  const client = make();
  const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }];
  return {
    client,
    socket,
    wire: request.socket,
    outbox: new Outbox(request.socket, () => socket.readyState === socket.OPEN),
  };
}

/** A client that collects what arrives as bytes. */
function bareClient() {
  const client = connect(port(), '127.0.0.1');
  client.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  return client as unknown as WebSocket;
}

describe('a frame', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 300_000])('of %i bytes is read as it was written', async (length) => {
    const { client, outbox } = await opened();
    const text = 'é'.repeat(length >> 1).padEnd(length - (length >> 1), 'x');
    const message = once(client, 'message');
    outbox.put(textFrame(text));
    const [data, isBinary] = await message;
    expect([String(data) === text, isBinary]).toEqual([true, false]);
    const bytes = once(client, 'message');
    outbox.put(binaryFrame(Buffer.from(text)));
    const [same, isBytes] = await bytes;
    expect([String(same) === text, isBytes]).toEqual([true, true]);
  });
});

describe('an outbox', () => {
  test('sends the frames of one turn in one write, in order', async () => {
    const { client, outbox, wire } = await opened();
    const texts: string[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data) => texts.push(String(data)) === 4 && resolve());
    });
    let writes = 0;
    const write = wire.write.bind(wire);
    wire.write = ((bytes: Buffer) => {
      writes += 1;
      return write(bytes);
    }) as typeof wire.write;
    for (const text of ['a', 'b', 'c']) outbox.put(textFrame(text));
    await new Promise((resolve) => setImmediate(resolve));
    outbox.put(textFrame('d'));
    await all;
    expect([texts, writes]).toEqual([['a', 'b', 'c', 'd'], 2]);
  });

  test('counts waiting bytes, and resolves when they are sent or the client is gone', async () => {
    const { client, outbox } = await opened(bareClient);
    (client as unknown as Socket).pause();
    const frame = textFrame('x'.repeat(1_000_000));
    for (let i = 0; i < 20; i++) outbox.put(frame);
    expect(outbox.waitingBytes).toBe(20 * frame.length);
    const drained = outbox.drained();
    expect(outbox.waitingBytes).toBeGreaterThan(frame.length);
    (client as unknown as Socket).resume();
    await drained;
    expect(outbox.waitingBytes).toBe(0);

    (client as unknown as Socket).pause();
    for (let i = 0; i < 20; i++) outbox.put(frame);
    const gone = outbox.drained();
    (client as unknown as Socket).destroy();
    await gone;
  });

  test('writes nothing after a frame that closes the connection', async () => {
    const { client, outbox, socket } = await opened(bareClient);
    const chunks: Buffer[] = [];
    (client as unknown as Socket).on('data', (chunk: Buffer) => chunks.push(chunk));
    outbox.put(textFrame('too late'));
    socket.close(4_001, 'over');
    await new Promise((resolve) => setImmediate(resolve));
    (client as unknown as Socket).end();
    await once(client, 'close');
    expect(Buffer.concat(chunks).includes('over')).toBe(true);
    expect(Buffer.concat(chunks).includes('too late')).toBe(false);
  });
});
