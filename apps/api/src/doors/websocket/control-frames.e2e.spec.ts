import { once } from 'node:events';
import type { Socket } from 'node:net';
import { closeReasons } from '@verbatim/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientFrame, filled, openRawSocket } from '../../tests/attacks/wire.testing.js';
import { register, type TestPerson, type TestSocket } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const FRAMES = 10;
/** Bytes that a client can send, those on their way included, before it is cut off for sending on after the end. */
const MAX_BYTES = 32 * 1_048_576;

let service: TestService;
let ada: TestPerson;
beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITS: 'on', LIMIT_FRAMES: `${FRAMES}/60` } });
  ada = await register(service.url);
});
afterAll(() => service.stop());

/** Each sends one frame. What it sends is one message with those after it, if it is a fragment. */
const kinds: Record<string, (socket: TestSocket) => void> = {
  ping: ({ socket }) => socket.ping(),
  pong: ({ socket }) => socket.pong(),
  'empty frame': ({ socket }) => socket.send(''),
  'empty fragment': ({ socket }) => socket.send('', { fin: false }),
  'fragment of one byte': ({ socket }) => socket.send(' ', { fin: false }),
  'frame with the event ping': (socket) => socket.send('ping'),
};

describe.each(Object.entries(kinds))('a %s', (_, send) => {
  it('counts against the limit on frames', async () => {
    const socket = await ada.connect();
    for (let i = 0; i < FRAMES - 1; i++) send(socket);
    // The end of the message, if those were fragments.
    socket.socket.send('{}');
    expect(await socket.refused('ping')).toBe('rate_limited');
    socket.close();
  });

  it('ends the connection with 4029 when far too many come', async () => {
    const socket = await ada.connect();
    for (let i = 0; i < FRAMES + 101; i++) send(socket);
    expect(await socket.closed).toBe(closeReasons.rateLimited.code);
  });
});

describe('a message', () => {
  it('may come in fragments, with pings between them', async () => {
    const socket = await ada.connect();
    const text = JSON.stringify({ event: 'ping', ref: 'in pieces', data: {} });
    for (const [i, piece] of [text.slice(0, 5), text.slice(5, 20), text.slice(20)].entries()) {
      if (i > 0) socket.socket.ping();
      socket.socket.send(piece, { fin: i === 2 });
    }
    const answer = await socket.when(() => socket.frames.find(({ ref }) => ref === 'in pieces'));
    expect(answer.event).toBe('pong');
    socket.close();
  });

  it('of more fragments than a message may have ends the connection', async () => {
    const lavish = await startTestService({
      environment: { RATE_LIMITS: 'on', LIMIT_FRAMES: '100000/60' },
      beside: service,
    });
    const socket = await ada.at(lavish.url).connect();
    for (let i = 0; i < 300; i++) socket.socket.send(' ', { fin: false });
    expect(await socket.closed).toBe(1008);
    await lavish.stop();
  });
});

describe('a client that keeps sending', () => {
  /** Sends the block again and again, and answers how many bytes it took until the connection was ended. */
  const sentUntilTheEnd = async (wire: Socket, block: Buffer): Promise<number> => {
    wire.resume();
    const closed = new Promise((resolve) => wire.once('close', resolve));
    const sending = setInterval(() => wire.writable && !wire.writableNeedDrain && wire.write(block), 2);
    await closed;
    clearInterval(sending);
    return wire.bytesWritten;
  };

  it('after the close frame is cut off, without waiting for the end of the closing handshake', async () => {
    for (const block of [filled(65_536, clientFrame('ping')), clientFrame('text', Buffer.alloc(60_000, 'x'))]) {
      const wire = await openRawSocket(service.url, await ada.ticket());
      expect(await sentUntilTheEnd(wire, block)).toBeLessThan(MAX_BYTES);
    }
  });

  it('before it is known who they are is cut off as well', async () => {
    const wire = await openRawSocket(service.url, 'nonsense');
    expect(await sentUntilTheEnd(wire, filled(65_536, clientFrame('pong')))).toBeLessThan(MAX_BYTES);
  });
});

it('frames that come before it is known who sends them are counted when it is', async () => {
  const wire = await openRawSocket(service.url, await ada.ticket());
  wire.write(filled(6 * (FRAMES + 102), clientFrame('ping')));
  const heard: Buffer[] = [];
  wire.on('data', (data) => heard.push(data));
  wire.resume();
  while (!Buffer.concat(heard).includes(closeReasons.rateLimited.name)) await once(wire, 'data');
  expect(Buffer.concat(heard).includes('"hello"')).toBe(true);
  wire.destroy();
});
