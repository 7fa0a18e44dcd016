import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Problems } from '../doors/problems.js';
import { unlimitedConnections } from './http-connections.testing.js';
import { HttpListener } from './http-listener.js';

const times = { head: 300, whole: 600, look: 50 };
const listener = new HttpListener(0, unlimitedConnections(), times);
listener.faults = new Problems(pino({ level: 'silent' }));
const server = listener.fastify;
let port: number;
beforeAll(async () => {
  server.get('/', async () => 'good day');
  server.post('/', async () => 'thank you');
  port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => server.close());

/** Sends a line now and then without ever finishing; returns what it received by the time it was cut off. */
async function dawdle(beginning: string, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (data) => {
    received += data;
  });
  socket.on('error', () => undefined);
  socket.write(beginning);
  const timer = setInterval(() => socket.write(line), 40);
  await once(socket, 'close');
  clearInterval(timer);
  return received;
}

it.each([
  ['head', 'GET / HTTP/1.1\r\nhost: here\r\n', 'x-slow: 1\r\n'],
  ['body', 'POST / HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n', ' '],
])(
  'a client that is too slow to send the %s of its request is cut off, and may try again',
  async (_, beginning, line) => {
    const received = await dawdle(beginning, line);
    expect(received).toMatch(/^HTTP\/1\.1 503 /);
    expect(received).toContain('"code":"unavailable"');
  },
);

it('other clients are served meanwhile', async () => {
  const slow = Promise.all(Array.from({ length: 20 }, () => dawdle('GET / HTTP/1.1\r\n', 'x: 1\r\n')));
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('good day');
  await slow;
});
