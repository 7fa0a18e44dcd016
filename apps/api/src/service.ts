import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parseStream } from '@verbatim/domain';
import type { Logger } from 'pino';
import { Registration } from './accounts/account-controller.js';
import { Authentication } from './accounts/authentication.js';
import { Directory } from './accounts/directory.js';
import { createFirstAdministrator } from './accounts/first-administrator.js';
import { appModule } from './app-module.js';
import type { Clock } from './clock.js';
import type { Config } from './config.js';
import type { Database } from './database/database.js';
import { servePages } from './docs/docs.js';
import { byStream, Feed } from './feed/feed.js';
import { type Foundation, layFoundation } from './foundation.js';
import { Gateway } from './gateway/gateway.js';
import { LiveRooms } from './gateway/live-rooms.js';
import { SocketAdapter } from './gateway/socket-adapter.js';
import { Metrics } from './operation/metrics.js';
import { Readiness } from './operation/readiness.js';
import { Tally } from './operation/tally.js';
import { Presence } from './presence/presence.js';
import { Idempotency } from './rest/idempotency.js';
import { ProblemFilter } from './rest/problem-filter.js';
import { ReadYourWrites } from './rest/read-your-writes.js';
import { httpServer } from './rest/server.js';
import { RoomAccess } from './rooms/room-access.js';

/** A running service. */
export interface Service {
  /** Where it is reached: `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Ends in good order: tells clients, finishes what was taken, then lets everything go. Every call answers the same promise. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly database: Database;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Is told the made-up password of the first administrator, once in the life of a database. */
  readonly announcePassword: (username: string, password: string) => void;
}

/** Milliseconds that clients get between being told of a shutdown and being disconnected, and that appends get to finish. */
const DRAIN = 300;
const FINISH = 10_000;
/** Milliseconds between two sweeps of what has expired. */
const SWEEP = 10 * 60_000;

/** Starts everything in order: what the doors stand on, the feed, the doors. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const foundation = await layFoundation(options);
  try {
    return await openDoors(foundation, options);
  } catch (error) {
    await foundation.stop();
    throw error;
  }
}

async function openDoors(
  foundation: Foundation,
  { config, database, log, announcePassword }: ServiceOptions,
): Promise<Service> {
  const {
    sql,
    store,
    sealer,
    openLog,
    rooms,
    users,
    names,
    passwords,
    sessions,
    tokens,
    vault,
    time,
    readModels,
    keys,
  } = foundation;
  const directory = new Directory(vault);
  const presence = new Presence(database.directUrl, log);
  const liveRooms = new LiveRooms(openLog, rooms, directory, readModels, presence);
  const feed = new Feed(store, sealer, log);
  const readiness = new Readiness([
    { name: 'database', ready: async () => (await sql`select 1`).length === 1 },
    { name: 'event store', ready: async () => (await store.head()) >= -1n },
    { name: 'feed', ready: () => feed.running },
    { name: 'read models', ready: () => readModels.caughtUp },
  ]);
  const tally = new Tally();
  const metrics = new Metrics([
    { name: 'verbatim_sockets', help: 'Open WebSocket connections.', read: (): number => gateway.size },
    {
      name: 'verbatim_other_replicas',
      help: 'Other replicas whose people are known here.',
      read: () => presence.replicas,
    },
    {
      name: 'verbatim_presence_dropped',
      help: 'News of presence and typing that were dropped because there were too many.',
      read: () => presence.dropped,
    },
    {
      name: 'verbatim_feed_position',
      help: 'Position up to which the feed has told everyone.',
      read: () => Number(feed.position),
    },
    {
      name: 'verbatim_projection_lag',
      help: 'Events that the read models do not show yet.',
      read: async () => (await readModels.side.status()).lag,
    },
    {
      name: 'verbatim_search_lag',
      help: 'Events that search does not know yet.',
      read: async () => (await readModels.side.status()).search.lag,
    },
    { name: 'verbatim_messages', help: 'Messages posted since this process began.', read: () => tally.messages },
    {
      name: 'verbatim_registrations',
      help: 'Accounts made since this process began.',
      read: () => tally.registrations,
    },
  ]);
  const idempotency = new Idempotency(sql, keys);
  const problems = new ProblemFilter(log);
  const app: NestFastifyApplication = await NestFactory.create<NestFastifyApplication>(
    appModule([
      ...[rooms, users, names, passwords, sessions, tokens, vault, time, readModels, openLog, directory, liveRooms],
      new Authentication(tokens, sessions, users, time.now),
      new RoomAccess(rooms),
      new Registration(config.REGISTRATION),
      new ReadYourWrites(readModels),
      idempotency,
      readiness,
      metrics,
      problems,
    ]),
    httpServer(problems),
    { logger: ['error', 'warn'], bodyParser: false, abortOnError: false },
  );
  app.useGlobalFilters(problems);
  app.useWebSocketAdapter(new SocketAdapter(app, () => app.get(Gateway)));
  await servePages(app);
  await app.init();
  const gateway: Gateway = app.get(Gateway);

  feed.add('rooms', (events) => {
    for (const [stream, run] of byStream(events)) {
      const { category, id } = parseStream(stream);
      if (category === 'room') rooms.take(id, run);
      else users.take(id, run);
    }
  });
  feed.add('sessions', (events) => sessions.take(events));
  feed.add('directory', (events) => directory.take(events));
  feed.add('sockets of accounts', (events) => gateway.take(events));
  feed.add('sockets of rooms', (events) => liveRooms.take(events));
  feed.add('figures', (events) => tally.take(events));
  await feed.start();
  // From here on nothing that other replicas do is missed, so now is the time to learn what they did before.
  await sessions.load();
  await createFirstAdministrator(
    { sql, users, names },
    { username: config.ADMIN_USERNAME, password: config.ADMIN_PASSWORD ?? null },
    (password) => announcePassword(config.ADMIN_USERNAME, password),
  );
  const sweep = setInterval(() => {
    Promise.all([sessions.sweep(), idempotency.sweep()]).catch((error) => log.warn({ err: error }, 'a sweep failed'));
  }, SWEEP);
  await app.listen(config.PORT, config.HOST);
  presence.start();

  const stop = async () => {
    clearInterval(sweep);
    readiness.drain();
    gateway.announceDrain();
    await new Promise((resolve) => setTimeout(resolve, DRAIN));
    await Promise.all([rooms.finish(FINISH), users.finish(FINISH)]);
    await gateway.closeAll();
    await presence.stop();
    await feed.stop();
    await app.close();
    await foundation.stop();
  };
  let stopping: Promise<void> | null = null;
  return { url: addressOf(app), stop: () => (stopping ??= stop()) };
}

function addressOf(app: NestFastifyApplication): string {
  const address = app.getHttpServer().address();
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
