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

/** Sends a line now and then, never coming to an end; answers what it was told when it was cut off. */
async function dawdle(beginning: string, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let told = '';
  socket.on('data', (data) => {
    told += data;
  });
  socket.on('error', () => undefined);
  socket.write(beginning);
  const timer = setInterval(() => socket.write(line), 40);
  await once(socket, 'close');
  clearInterval(timer);
  return told;
}

it.each([
  ['head', 'GET / HTTP/1.1\r\nhost: here\r\n', 'x-slow: 1\r\n'],
  ['body', 'POST / HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n', ' '],
])('a client that dawdles over the %s of its request is cut off, and may try again', async (_, beginning, line) => {
  const told = await dawdle(beginning, line);
  expect(told).toMatch(/^HTTP\/1\.1 503 /);
  expect(told).toContain('"code":"unavailable"');
});

it('one that does not is served meanwhile', async () => {
  const slow = Promise.all(Array.from({ length: 20 }, () => dawdle('GET / HTTP/1.1\r\n', 'x: 1\r\n')));
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('good day');
  await slow;
});
