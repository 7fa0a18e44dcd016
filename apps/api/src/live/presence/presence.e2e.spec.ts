import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy } from '../../../../../libs/event-store/src/postgres/cutting-proxy.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { register, type TestPerson, type TestSocket, Visitor } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { MAX_FOR_PRESENCE, presenceTimes } from './presence.js';

/** The comings and goings of one person in a room that a socket was notified of. */
const comings = (socket: TestSocket, room: string, { id }: TestPerson): string[] =>
  socket.frames
    .filter(({ event, data }) => event === 'presence' && data.room === room && data.user.id === id)
    .map(({ data }) => (data.online ? 'came' : 'went'));

const sees = (socket: TestSocket, room: string, person: TestPerson, news: readonly string[], patience?: number) =>
  socket.when(() => comings(socket, room, person).join() === news.join(), patience);

describe('two replicas', () => {
  let left: TestService;
  let right: TestService;
  let ada: TestPerson;
  let bob: TestPerson;
  let cem: TestPerson;

  beforeAll(async () => {
    left = await startTestService();
    right = await startTestService({ beside: left });
    [ada, bob, cem] = [await register(left.url), await register(left.url), await register(left.url)];
    await acquainted(left.url, right.url);
  });
  afterAll(async () => {
    await right.stop();
    await left.stop();
  });

  it('show the people of one who comes and goes at the other, and show newcomers who is there', async () => {
    const room = await ada.roomWith([bob, cem]);
    const here = await ada.follow(room);
    const there = await bob.at(right.url).follow(room);
    await sees(here, room, bob, ['came']);
    await sees(there, room, ada, ['came']);
    const late = await cem.at(right.url).follow(room);
    for (const person of [ada, bob]) await sees(late, room, person, ['came']);

    await there.ask('unfollow', { room });
    for (const socket of [here, late]) await sees(socket, room, bob, ['came', 'went']);
    here.close();
    await sees(late, room, ada, ['came', 'went']);
    late.close();
    there.close();
  });

  it('count a person once, and as gone when the last of their sockets has gone', async () => {
    const room = await ada.roomWith([bob]);
    const watchers = [await ada.follow(room), await ada.at(right.url).follow(room)];
    const sockets = [
      await bob.follow(room),
      await bob.at(right.url).follow(room),
      await bob.at(right.url).follow(room),
    ];
    for (const watcher of watchers) await sees(watcher, room, bob, ['came']);
    // Later news about someone else shows that there was none about them.
    const marks = [await markedBy(room, watchers)];
    for (const socket of sockets) {
      for (const watcher of watchers) expect(comings(watcher, room, bob)).toEqual(['came']);
      socket.close();
      await socket.closed;
      marks.push(await markedBy(room, watchers));
    }
    for (const watcher of watchers) await sees(watcher, room, bob, ['came', 'went']);
    for (const socket of [...watchers, ...marks]) socket.close();
  });

  it('show it when someone loses the right to read', async () => {
    const room = await ada.roomWith([bob]);
    const watcher = await ada.follow(room);
    const removed = await bob.at(right.url).follow(room);
    await sees(watcher, room, bob, ['came']);
    await ada.delete(`/v1/rooms/${room}/members/${bob.id}`);
    await sees(watcher, room, bob, ['came', 'went']);
    await removed.settled();
    const before = removed.frames.filter(({ event }) => event === 'presence').length;
    const other = await ada.at(right.url).follow(room);
    await sees(watcher, room, bob, ['came', 'went']);
    await removed.settled();
    expect(removed.frames.filter(({ event }) => event === 'presence')).toHaveLength(before);
    for (const socket of [watcher, removed, other]) socket.close();
  });

  it('show who is typing to the followers of the room only', async () => {
    const room = await ada.roomWith([bob, cem]);
    const [writer, own] = [await ada.follow(room), await ada.at(right.url).follow(room)];
    const [near, far] = [await bob.follow(room), await cem.at(right.url).follow(room)];
    const elsewhere = await cem.at(right.url).connect();
    writer.send('typing', { room });
    for (const reader of [near, far])
      expect((await reader.next('typing')).data).toEqual({ room, user: { id: ada.id, username: ada.username } });
    for (const socket of [writer, own, elsewhere]) {
      await socket.settled();
      expect(socket.frames.map(({ event }) => event)).not.toContain('typing');
    }
    for (const socket of [writer, own, near, far, elsewhere]) socket.close();
  });

  it('stop when a room has too many followers, and start again when it has fewer', async () => {
    const room = await ada.roomWith([bob, cem]);
    const crowd = await Promise.all(Array.from({ length: MAX_FOR_PRESENCE }, () => ada.follow(room)));
    const [first] = crowd as [TestSocket];
    const there = await bob.at(right.url).follow(room);
    const mark = await markedBy(await ada.roomWith([bob]), [], there);
    await first.settled();
    expect(comings(first, room, bob)).toEqual([]);

    for (const socket of crowd.slice(-3)) {
      socket.close();
      await socket.closed;
    }
    const late = await cem.at(right.url).follow(room);
    await sees(first, room, cem, ['came']);
    for (const socket of [...crowd, there, late, mark]) socket.close();
  });

  it('say goodbye when they shut down: their people are gone at once, and back after a restart', async () => {
    const third = await startTestService({ beside: left });
    const room = await ada.roomWith([bob]);
    const watcher = await ada.follow(room);
    await acquainted(left.url, third.url);
    await bob.at(third.url).follow(room);
    await sees(watcher, room, bob, ['came']);
    const begun = performance.now();
    await third.stop();
    await sees(watcher, room, bob, ['came', 'went']);
    expect(performance.now() - begun).toBeLessThan(presenceTimes.lease / 2);
    watcher.close();
  });

  /** Adds a new person to a room at the other replica, and waits until everyone has been notified. */
  async function markedBy(room: string, watchers: readonly TestSocket[], ...others: TestSocket[]): Promise<TestSocket> {
    const person = await register(left.url);
    await person.post(`/v1/rooms/${room}/members`, {});
    const socket = await person.at(right.url).follow(room);
    for (const watcher of watchers) await sees(watcher, room, person, ['came']);
    for (const other of others) await other.settled();
    return socket;
  }
});

describe('a replica in a process of its own', () => {
  let databaseUrl: string;
  let folder: string;
  let proxy: CuttingProxy;
  let left: ServiceProcess;
  let right: ServiceProcess;
  let ada: TestPerson;
  let bob: TestPerson;

  beforeAll(async () => {
    databaseUrl = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-presence-'));
    proxy = await CuttingProxy.open(databaseUrl);
    const environment = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder, LOG_LEVEL: 'fatal' };
    left = await startProcess(environment);
    right = await startProcess({ ...environment, DATABASE_DIRECT_URL: proxy.url });
    [ada, bob] = [await register(left.url), await register(left.url)];
    await acquainted(left.url, right.url);
  });
  afterAll(async () => {
    await left.end('SIGKILL');
    await right.end('SIGKILL');
    await proxy.close();
    await dropDatabase(databaseUrl);
    await rm(folder, { recursive: true, force: true });
  });

  it('shows what happened while it had no connection, once it has one again', async () => {
    const [one, two] = [await ada.roomWith([bob]), await ada.roomWith([bob])];
    const watcher = await ada.follow(one);
    await watcher.ask('follow', { room: two });
    const mover = await bob.at(right.url).follow(one);
    await sees(watcher, one, bob, ['came']);

    proxy.refuse('resets', 2_000);
    await mover.ask('unfollow', { room: one });
    await mover.ask('follow', { room: two });
    await sees(watcher, one, bob, ['came', 'went']);
    await sees(watcher, two, bob, ['came']);

    // And the other way round: what it missed meanwhile.
    proxy.refuse('hangs up', 2_000);
    await watcher.ask('unfollow', { room: two });
    await sees(mover, two, ada, ['came', 'went']);
    watcher.close();
    mover.close();
  });

  it('that is killed takes its people with it when its lease expires', async () => {
    const room = await ada.roomWith([bob]);
    const watcher = await ada.follow(room);
    const [killed, own] = [await bob.at(right.url).follow(room), await ada.at(right.url).follow(room)];
    await sees(watcher, room, bob, ['came']);
    await right.end('SIGKILL');
    await Promise.all([killed.closed, own.closed]);
    const begun = performance.now();
    await sees(watcher, room, bob, ['came', 'went'], 20_000);
    const silence = performance.now() - begun;
    expect(silence).toBeGreaterThan(presenceTimes.lease - presenceTimes.heartbeat - 500);
    expect(silence).toBeLessThan(presenceTimes.lease + presenceTimes.heartbeat + 2_000);
    watcher.close();
  });
});

/** Waits until two replicas know each other. */
async function acquainted(...urls: string[]): Promise<void> {
  for (const url of urls) {
    const deadline = performance.now() + 15_000;
    for (let known = 0; known < 1; ) {
      const { text } = await new Visitor(url).get('/metrics');
      known = Number(/^verbatim_other_replicas (\d+)$/m.exec(text)?.[1]);
      if (performance.now() > deadline) throw new Error('the replicas do not know each other');
      if (known < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
