import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../config.js';
import { Host } from './host.js';

let host: Host;
afterEach(() => host.close());

const hostWith = (environment: Record<string, string> = {}) => {
  host = new Host(readConfig({ PORT: '0', ...environment }));
  return host;
};

describe('two doors of one listener', () => {
  it('have parsers, error formats and hooks of their own', async () => {
    const { main } = hostWith();
    await main.scope(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('text/line', { parseAs: 'string' }, (_request, body, done) => done(null, `<${body}>`));
      scope.setErrorHandler((error, _request, reply) => reply.status(418).send(`one: ${(error as Error).message}`));
      scope.addHook('onRequest', async (_request, reply) => {
        reply.header('x-door', 'one');
      });
      scope.post('/one', ({ body }) => `${body}`);
      scope.get('/one/fails', () => Promise.reject(new Error('broken')));
    });
    await main.scope(async (scope) => {
      scope.post('/two', ({ body }) => body);
      scope.get('/two/fails', () => Promise.reject(new Error('secret')));
    });
    await host.open();
    const post = (path: string, type: string, body: string) =>
      fetch(`${main.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });

    const one = await post('/one', 'text/line', 'hello');
    expect([await one.text(), one.headers.get('x-door')]).toEqual(['<hello>', 'one']);
    const two = await post('/two', 'application/json', '{"a":1}');
    expect([await two.json(), two.headers.get('x-door')]).toEqual([{ a: 1 }, null]);
    expect((await post('/two', 'text/line', 'hello')).status).toBe(415);
    const failed = await fetch(`${main.url}/one/fails`);
    expect([failed.status, await failed.text()]).toEqual([418, 'one: broken']);
    const other = await fetch(`${main.url}/two/fails`);
    expect([other.status, await other.text()]).toEqual([500, 'Internal Server Error\n']);
  });
});

describe('a door with a port of its own', () => {
  it('for HTTP has its own addresses and its own format', async () => {
    const { main } = hostWith();
    const own = host.listen(0);
    await own.scope(async (scope) => {
      scope.setNotFoundHandler((_request, reply) => reply.status(404).send('no such chat'));
      scope.get('/', () => 'own');
    });
    await main.scope(async (scope) => {
      scope.get('/', () => 'main');
    });
    await host.open();
    const text = async (url: string) => (await fetch(url)).text();
    expect([await text(`${main.url}/`), await text(`${own.url}/`)]).toEqual(['main', 'own']);
    expect(await text(`${own.url}/x`)).toBe('no such chat');
  });

  it('for another protocol gets each connection, up to the limit of an address', async () => {
    hostWith({ LIMIT_CONNECTIONS_ADDRESS: '2' });
    const listener = host.listenTcp(0, (socket) => socket.pipe(socket));
    await host.open();
    const open = async () => {
      const socket = connect(Number(new URL(`tcp://${listener.authority}`).port), '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const [first, second] = [await open(), await open()];
    first.write('echo\n');
    expect(String((await once(first, 'data'))[0])).toBe('echo\n');
    await once((await open()).resume(), 'close');
    expect(listener.size).toBe(2);
    second.destroy();
    await host.close();
    await vi.waitFor(() => expect(listener.size).toBe(0));
  });
});
