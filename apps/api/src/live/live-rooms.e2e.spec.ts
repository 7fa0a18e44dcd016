import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSocket, register, type TestPerson } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';

/** Two replicas on one database, and direct access to the database to disturb them. */
let here: TestService;
let there: TestService;
let sql: Sql;
let ada: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  here = await startTestService();
  there = await startTestService({ beside: here, environment: { LOG_LEVEL: 'fatal' } });
  sql = postgres(here.databaseUrl, { max: 2, onnotice: () => undefined });
  [ada, bob] = [await register(here.url), await register(here.url)];
});
afterAll(async () => {
  await sql.end();
  await there.stop();
  await here.stop();
});

describe('following', () => {
  it('is answered even if another frame about the room overtakes it', async () => {
    const room = await ada.room();
    const socket = await ada.connect();
    const answers = await Promise.all([socket.ask('follow', { room }), socket.ask('follow', { room })]);
    expect(answers.map(({ event, data }) => data.code ?? event)).toEqual(['conflict', 'following']);
    await ada.says(room, 'once');
    await socket.when(() => socket.events(room).length > 0);
    await socket.settled();
    expect(socket.events(room)).toHaveLength(1);
    socket.close();
  });

  it('of many rooms with a long history continues over a slow line', async () => {
    const rooms = await Promise.all(Array.from({ length: 30 }, () => ada.room()));
    const poster = await ada.connect();
    const text = 'an ordinary sentence '.repeat(380);
    const posts = rooms.flatMap((room) => Array.from({ length: 40 }, () => poster.ask('post', { room, text })));
    expect(new Set((await Promise.all(posts)).map(({ event }) => event))).toEqual(new Set(['ack']));
    poster.close();

    const line = await slowLine(here.url, 3_000);
    const socket = openSocket(line.url, { ticket: await ada.ticket() });
    await socket.next('hello');
    for (const room of rooms) socket.send('follow', { room, after: -1 });
    await socket.when(() => rooms.every((room) => socket.events(room).at(-1)?.revision === 41), 20_000);
    socket.close();
    line.close();
  }, 60_000);

  it('continues when the feed reports late that the person was not in the room for a while', async () => {
    const room = await ada.roomWith([bob]);
    const whileDeaf = await startedDeafenable();
    await bob.at(there.url).says(room, 'warms the caches of the other replica');
    const socket = await bob.at(there.url).connect();
    await whileDeaf(async () => {
      await bob.delete(`/v1/rooms/${room}/members/me`);
      await bob.post(`/v1/rooms/${room}/members`, {});
      expect((await socket.ask('post', { room, text: 'back again' })).event).toBe('ack');
      expect((await socket.ask('follow', { room })).event).toBe('following');
    });
    const { revision } = await ada.says(room, 'welcome');
    await socket.when(() => socket.events(room).at(-1)?.revision === revision);
    expect(socket.frames.filter(({ event }) => event === 'removed')).toEqual([]);
    socket.close();
  });

  it('works for people who just joined, or received more, at another replica', async () => {
    const room = await ada.room();
    const whileDeaf = await startedDeafenable();
    await ada.at(there.url).says(room, 'warms the caches of the other replica');
    const [mine, socket] = [await ada.at(there.url).connect(), await bob.at(there.url).connect()];
    await whileDeaf(async () => {
      const { revision } = await ada.says(room, 'known to this replica only');
      const resumed = await mine.ask('follow', { room, after: revision });
      expect(resumed.data).toEqual({ room, revision, recovered: true });
      await bob.post(`/v1/rooms/${room}/members`, {});
      expect((await socket.ask('follow', { room })).event).toBe('following');
    });
    const { revision } = await ada.says(room, 'welcome');
    await socket.when(() => socket.events(room).at(-1)?.revision === revision);
    await mine.when(() => mine.events(room).at(-1)?.revision === revision);
    expect(mine.events(room).map((event) => event.revision)).toEqual([revision - 1, revision]);
    mine.close();
    socket.close();
  });

  it('ends when the history cannot be read, and resumes', async () => {
    const room = await ada.roomWith([]);
    await ada.says(room, 'to be delivered');
    const socket = await ada.connect();
    // The room's state is cached here, its history is not.
    await sql`alter table log.events rename to events_away`;
    const { event } = await socket.ask('follow', { room, after: -1 });
    const code = await socket.closed;
    await sql`alter table log.events_away rename to events`;

    expect([event, code]).toEqual(['following', 4009]);
    const again = await ada.follow(room, -1);
    await again.when(() => again.events(room).some(({ data }) => data.text === 'to be delivered'));
    again.close();
  });

  it('never sends a text that was redacted before it could be sent', async () => {
    const room = await ada.room();
    const poster = await ada.connect();
    const long = (n: number) => `${n} ${'👋'.repeat(7_900)}`;
    for (let i = 0; i < 450; i += 50)
      await Promise.all(Array.from({ length: 50 }, (_, k) => poster.ask('post', { room, text: long(i + k) })));
    const follower = await ada.connect();
    // While no one reads, most of the history cannot be sent, so live events are buffered behind it.
    await follower.ask('follow', { room, after: -1 });
    follower.socket.pause();
    const { id } = await ada.says(room, 'a secret that slipped out');
    await ada.delete(`/v1/rooms/${room}/messages/${id}`);
    const edited = await ada.says(room, 'another secret');
    await ada.patch(`/v1/rooms/${room}/messages/${edited.id}`, { text: 'harmless' });
    follower.socket.resume();
    await follower.when(() => follower.events(room).at(-1)?.type === 'MessageEdited', 60_000);

    const texts = follower.events(room).map(({ data }) => data.text);
    expect(texts.filter((text) => /secret/.test(text ?? ''))).toEqual([]);
    expect(follower.events(room).map(({ revision }) => revision)).toEqual(Array.from({ length: 456 }, (_, i) => i));
    follower.close();
    poster.close();
  }, 120_000);

  it('ends rather than skip what could not be sent', async () => {
    const [zoe, yan] = [await register(here.url), await register(here.url)];
    const room = await zoe.roomWith([yan]);
    // After a restart it has to look up yan's name.
    await there.restart();
    const follower = await zoe.at(there.url).follow(room);
    const poster = await yan.connect();
    await sql`alter table vault.names rename to names_away`;
    poster.send('post', { room, text: 'by an unknown author' });
    const code = await follower.closed;
    await sql`alter table vault.names_away rename to names`;

    expect(code).toBe(4009);
    const again = await zoe.at(there.url).follow(room, 2);
    await again.when(() => again.events(room).some(({ data }) => data.text === 'by an unknown author'));
    again.close();
    poster.close();
  });
});

/**
 * Restarts the other replica without the key of a message that is about to be posted. Returns a function that stalls it:
 * during `work` it receives no events, because it waits for the key.
 */
async function startedDeafenable(): Promise<(work: () => Promise<void>) => Promise<void>> {
  const eve = await register(here.url);
  const room = await eve.room();
  await eve.says(room, 'creates the key');
  await there.restart();
  return async (work) => {
    await sql.begin(async (tx) => {
      await tx`lock table vault.keys in access exclusive mode`;
      await eve.says(room, 'uses the key');
      await work();
    });
  };
}

/** A proxy to the service that passes this many bytes per millisecond. */
async function slowLine(url: string, bytes: number): Promise<{ url: string; close(): void }> {
  const line = createServer((client) => {
    const service = connectTcp(Number(new URL(url).port), '127.0.0.1');
    client.pipe(service);
    client.on('error', () => service.destroy());
    service.on('error', () => client.destroy());
    service.on('close', () => client.destroy());
    service.on('data', (data) => {
      client.write(data);
      service.pause();
      setTimeout(() => service.resume(), data.length / bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(line, 'listening');
  const { port } = line.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, close: () => line.close() };
}
