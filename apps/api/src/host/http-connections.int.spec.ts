import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Problems } from '../doors/problems.js';
import { type LimitSettings, noLimits } from '../limits/limit-settings.js';
import { HttpConnections } from './http-connections.js';
import { HttpListener } from './http-listener.js';
import { Proxies, readTrustedProxies } from './proxies.js';
import { WaitingData } from './waiting-data.js';

const opened: Door[] = [];
afterEach(() => Promise.all(opened.splice(0).map((door) => door.close())));

/** A server that answers `/slow` on demand, and everything else at once. */
class Door {
  private answerSlow: (() => void)[] = [];
  slow = 0;
  most = 0;

  private constructor(
    readonly port: number,
    readonly connections: HttpConnections,
    private readonly server: FastifyInstance,
  ) {}

  static async open(limits: Partial<LimitSettings> = {}, trustProxy = ''): Promise<Door> {
    const proxies = new Proxies(readTrustedProxies(trustProxy) ?? null);
    const connections = new HttpConnections({ ...noLimits, ...limits }, proxies, new WaitingData(noLimits));
    const listener = new HttpListener(0, connections);
    listener.faults = new Problems(pino({ level: 'silent' }));
    const server = listener.fastify;
    let door: Door | undefined;
    server.get('/slow', () => door?.wait());
    server.get('/number/:n', ({ params }: FastifyRequest) => `<${(params as { n: string }).n}>`);
    server.get('/health/live', () => 'alive');
    const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
    door = new Door(Number(port), connections, server);
    opened.push(door);
    return door;
  }

  /** Opens a connection, from one of this machine's addresses. */
  async client(localAddress = '127.0.0.1'): Promise<Client> {
    const wire = connect({ host: '127.0.0.1', port: this.port, localAddress });
    await once(wire, 'connect');
    return new Client(wire);
  }

  /** Answers all pending requests for `/slow`. */
  answer(): void {
    for (const resolve of this.answerSlow.splice(0)) resolve();
  }

  async close(): Promise<void> {
    this.connections.endAll();
    this.answer();
    await this.server.close();
  }

  private async wait(): Promise<string> {
    this.slow += 1;
    this.most = Math.max(this.most, this.slow);
    await new Promise<void>((resolve) => this.answerSlow.push(resolve));
    this.slow -= 1;
    return 'at last';
  }
}

class Client {
  received = '';
  ended = false;

  constructor(readonly wire: Socket) {
    wire.on('data', (data) => {
      this.received += data;
    });
    wire.on('error', () => undefined);
    wire.on('close', () => {
      this.ended = true;
    });
  }

  ask(path: string, headers = ''): void {
    this.wire.write(`GET ${path} HTTP/1.1\r\nhost: here\r\n${headers}\r\n`);
  }

  /** The statuses of the responses so far. */
  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  }
}

describe('pipelined requests', () => {
  it('are handled one at a time and answered in order', async () => {
    const door = await Door.open();
    const client = await door.client();
    client.wire.write(
      Array.from(
        { length: 5 },
        (_, n) => `GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET /number/${n} HTTP/1.1\r\nhost: a\r\n\r\n`,
      ).join(''),
    );
    for (let n = 0; n < 5; n++) {
      await expect.poll(() => door.slow).toBe(1);
      door.answer();
    }
    await expect.poll(() => client.statuses.length).toBe(10);
    expect(client.received.match(/<\d>/g)).toEqual(['<0>', '<1>', '<2>', '<3>', '<4>']);
    expect(door.most).toBe(1);
  });

  it('close the connection when they are too many, and are not handled', async () => {
    const door = await Door.open();
    const client = await door.client();
    client.wire.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(1_500));
    await expect.poll(() => client.ended).toBe(true);
    expect(door.most).toBeLessThanOrEqual(1);
    await expect.poll(() => [door.connections.size, door.connections.requests]).toEqual([0, 0]);
  });

  it('count against the limit of an address until the connection is gone', async () => {
    const door = await Door.open({ LIMIT_REQUESTS_ADDRESS: 4 });
    const [client, other] = [await door.client(), await door.client()];
    for (let i = 0; i < 4; i++) client.ask('/slow');
    await expect.poll(() => door.connections.requests).toBe(4);
    other.ask('/number/1');
    await expect.poll(() => other.statuses).toEqual([429]);
    client.wire.destroy();
    await expect.poll(() => door.connections.requests).toBe(0);
    other.ask('/number/2');
    await expect.poll(() => other.statuses).toEqual([429, 200]);
  });
});

describe('requests in flight', () => {
  it('are limited by address, with a time to wait; health checks are still answered', async () => {
    const door = await Door.open({ LIMIT_REQUESTS_ADDRESS: 2 });
    const busy = [await door.client(), await door.client()];
    for (const client of busy) client.ask('/slow');
    await expect.poll(() => door.slow).toBe(2);
    const [third, other] = [await door.client(), await door.client('127.0.0.9')];
    third.ask('/number/3');
    await expect.poll(() => third.statuses).toEqual([429]);
    expect(third.received).toMatch(/retry-after: 1\r\n/i);
    expect(third.received).toContain('"code":"rate_limited"');
    third.ask('/health/live');
    other.ask('/number/4');
    await expect.poll(() => [third.statuses, other.statuses]).toEqual([[429, 200], [200]]);
    door.answer();
    await expect.poll(() => door.connections.requests).toBe(0);
    third.ask('/number/5');
    await expect.poll(() => third.statuses).toEqual([429, 200, 200]);
  });

  it('are limited overall', async () => {
    const door = await Door.open({ LIMIT_REQUESTS_PROCESS: 2 });
    for (const address of ['127.0.0.2', '127.0.0.3']) (await door.client(address)).ask('/slow');
    await expect.poll(() => door.slow).toBe(2);
    const third = await door.client('127.0.0.4');
    third.ask('/number/1');
    third.ask('/health/live');
    await expect.poll(() => third.statuses).toEqual([503, 200]);
    expect(third.received).toContain('"code":"unavailable"');
  });

  it('count for the address that a trusted proxy names, or its network for IPv6', async () => {
    const door = await Door.open({ LIMIT_REQUESTS_ADDRESS: 1, LIMIT_CONNECTIONS_ADDRESS: 1 }, '1');
    const outcomes: number[][] = [];
    for (const [address, path] of [
      ['2001:db8:0:7::1', '/slow'],
      ['2001:db8:0:7::2', '/number/1'],
      ['2001:db8:0:8::1', '/number/1'],
    ]) {
      const client = await door.client();
      client.ask(path as string, `x-forwarded-for: ${address}\r\n`);
      if (path === '/slow') await expect.poll(() => door.slow).toBe(1);
      else {
        await expect.poll(() => client.statuses.length).toBe(1);
        outcomes.push(client.statuses);
      }
    }
    expect(outcomes).toEqual([[429], [200]]);
  });
});

describe('a connection beyond the limit', () => {
  it.each([
    ['of an address', { LIMIT_CONNECTIONS_ADDRESS: 3 }],
    ['in all', { LIMIT_CONNECTIONS: 3 }],
  ])('%s replaces the one that has been idle the longest', async (_, limits) => {
    const door = await Door.open(limits);
    const [busy, first, second] = [await door.client(), await door.client(), await door.client()];
    busy.ask('/slow');
    await expect.poll(() => door.slow).toBe(1);
    first.ask('/number/1');
    await expect.poll(() => first.statuses).toEqual([200]);
    const fourth = await door.client();
    fourth.ask('/health/live');
    await expect.poll(() => fourth.statuses).toEqual([200]);
    await expect.poll(() => second.ended).toBe(true);
    expect([busy.ended, first.ended, door.connections.size]).toEqual([false, false, 3]);
    door.answer();
    await expect.poll(() => busy.statuses).toEqual([200]);
  });
});

describe('the header Host', () => {
  it.each([
    ['twice', 'host: here\r\nhost: here\r\n'],
    ['twice, in different case', 'host: here\r\nHOST: there\r\n'],
    ['with a path', 'host: here/there\r\n'],
    ['with a space', 'host: here there\r\n'],
    ['with a user', 'host: me@here\r\n'],
    ['with a list', 'host: here, there/\r\n'],
  ])('is refused %s', async (_, headers) => {
    const door = await Door.open();
    const client = await door.client();
    client.wire.write(`GET /number/1 HTTP/1.1\r\n${headers}\r\n`);
    await expect.poll(() => client.statuses).toEqual([400]);
    expect(client.received).toContain('headers.host');
  });

  it.each(['here', 'here:80', '[::1]:3000', 'chat.example.org', 'xn--bcher-kva.example', '127.0.0.1:1', 'a_b.local'])(
    'may be %s',
    async (host) => {
      const door = await Door.open();
      const client = await door.client();
      client.wire.write(`GET /number/1 HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      await expect.poll(() => client.statuses).toEqual([200]);
    },
  );
});
