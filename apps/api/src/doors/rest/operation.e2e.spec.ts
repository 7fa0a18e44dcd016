import { isDeepStrictEqual } from 'node:util';
import { asyncapi, openapi } from '@verbatim/protocol';
import postgres from 'postgres';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { about } from '../../config.js';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { eventually, register, Visitor } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let visitor: Visitor;

beforeAll(async () => {
  service = await startTestService();
  visitor = new Visitor(service.url);
});
afterAll(() => service.stop());

describe('health', () => {
  it('shows that the process runs, and that it can serve', async () => {
    expect((await visitor.get('/health/live')).body).toEqual({ status: 'ok' });
    expect((await visitor.get('/health/ready')).body).toEqual({ status: 'ok' });
  });

  it('shows during a shutdown that the process runs but accepts no new traffic', async () => {
    const person = await register(service.url);
    const socket = await person.connect();
    const restarted = service.restart();
    await socket.next('drain');
    const [live, ready] = [await visitor.get('/health/live'), await visitor.get('/health/ready')];
    await restarted;
    visitor = new Visitor(service.url);

    expect(outcome(live)).toBe(200);
    expect(outcome(ready)).toBe('unavailable');
    expect(ready.body.detail).toContain('shutting down');
    expect(outcome(await visitor.get('/health/ready'))).toBe(200);
  });
});

describe('metrics', () => {
  const figure = async (name: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await visitor.get('/metrics')).text)?.[1]);

  it('are in the format of Prometheus', async () => {
    const { text, headers } = await visitor.get('/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-zA-Z_:][\w:]*(\{.*\})? [-+.\dNaInfe]+|)$/);
    }
  });

  it('are counters if their names end with _total, and only then', async () => {
    const { text } = await visitor.get('/metrics');
    const types = [...text.matchAll(/^# TYPE (verbatim_\w+) (\w+)$/gm)];
    expect(types.length).toBeGreaterThan(15);
    for (const [, name, type] of types) expect([name, type === 'counter']).toEqual([name, name?.endsWith('_total')]);
  });

  it('count sockets and events', async () => {
    const person = await register(service.url);
    const [sockets, position] = [await figure('verbatim_sockets'), await figure('verbatim_feed_position')];
    const socket = await person.connect();
    const room = await person.room();
    await socket.ask('follow', { room, after: -1 });
    await socket.next('events');

    expect(await figure('verbatim_sockets')).toBe(sockets + 1);
    expect(await figure('verbatim_feed_position')).toBeGreaterThan(position);
    expect(await figure('verbatim_projection_lag')).toBeGreaterThanOrEqual(0);
    socket.close();
    await socket.closed;
  });

  it('count messages and registrations', async () => {
    const [messages, registrations] = [
      await figure('verbatim_messages_total'),
      await figure('verbatim_registrations_total'),
    ];
    const person = await register(service.url);
    const room = await person.room();
    await person.post(`/v1/rooms/${room}/messages`, { text: 'hello' });

    await eventually(
      async () => [await figure('verbatim_messages_total'), await figure('verbatim_registrations_total')],
      (figures) => isDeepStrictEqual(figures, [messages + 1, registrations + 1]),
    );
  });
});

describe('metrics with a port of their own', () => {
  let replica: TestService;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    replica = await startTestService({ beside: service, environment: { METRICS_PORT: `${port}` } });
  });
  afterAll(() => replica.stop());

  it('are there, and not where clients are', async () => {
    const { status, headers, text } = await new Visitor(`http://127.0.0.1:${port}`).get('/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text).toMatch(/^verbatim_sockets 0$/m);
    expect(outcome(await new Visitor(replica.url).get('/metrics'))).toBe('not_found');
  });

  it('are alone there', async () => {
    for (const path of ['/', '/health/ready', '/v1/about'])
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(404);
  });
});

describe('metrics of the event store', () => {
  const figure = async (name: string) =>
    Number(new RegExp(`^verbatim_store_${name} (\\S+)$`, 'm').exec((await visitor.get('/metrics')).text)?.[1]);

  it('time its answers to appends and reads', async () => {
    const person = await register(service.url);
    const [appends, reads] = [await figure('append_seconds_count'), await figure('read_seconds_count')];
    const room = await person.room();
    await person.says(room, 'timed');
    await person.get(`/v1/rooms/${room}/events`);

    expect(await figure('append_seconds_count')).toBe(appends + 2);
    expect(await figure('read_seconds_count')).toBeGreaterThan(reads);
    expect(await figure('append_seconds_sum')).toBeGreaterThan(0);
  });

  it('show how far its subscriptions are behind', async () => {
    const person = await register(service.url);
    await person.room();
    await eventually(
      () => figure('subscription_lag_seconds'),
      (lag) => lag === 0,
    );
  });

  it('count reconnects', async () => {
    const before = await figure('reconnects_total');
    const sql = postgres(service.databaseUrl, { max: 1 });
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`;
    await sql.end();
    await eventually(
      () => figure('reconnects_total'),
      (count) => count > before,
    );
    await eventually(
      () => visitor.get('/health/ready'),
      (answer) => outcome(answer) === 200,
    );
  });
});

describe('what the service says about itself', () => {
  it('is its name, its version and the number of its protocol', async () => {
    const told = { name: 'Verbatim', version: about.version, protocol: 1, announcement: null, maintenance: null };
    expect((await visitor.get('/v1/about')).body).toEqual(told);
  });

  it('is the OpenAPI and the AsyncAPI of its schemas', async () => {
    expect((await visitor.get('/openapi.json')).body).toEqual(JSON.parse(JSON.stringify(openapi(about))));
    expect((await visitor.get('/asyncapi.json')).body).toEqual(JSON.parse(JSON.stringify(asyncapi(about))));
  });

  it('is shown on a page, with all that the page needs', async () => {
    const page = await request(service.url).get('/docs');
    expect([page.status, page.type]).toEqual([200, 'text/html']);
    const parts = [...page.text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path as string);
    expect(parts).toHaveLength(3);
    for (const path of parts) expect((await request(service.url).get(path)).status).toBe(200);
    for (const path of [
      '/docs/assets/../../package.json',
      '/docs/assets/%2e%2e/package.json',
      '/admin/..%2fpackage.json',
    ])
      expect((await request(service.url).get(path)).status).toBeGreaterThanOrEqual(400);
  });
});

it('all calls of operation have been seen with each of their answers', () => {
  expect(neverSeen('Operation')).toEqual([]);
});
