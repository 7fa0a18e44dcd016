import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAINTENANCE, parseStream } from '@verbatim/domain';
import { listAdministrators } from '@verbatim/projections';
import type { Logger } from 'pino';
import { appModule } from './app-module.js';
import { Authentication } from './application/accounts/authentication.js';
import { checkFirstAdministrator, createFirstAdministrator } from './application/accounts/first-administrator.js';
import { Overview } from './application/operation/overview.js';
import { Settings } from './application/operation/settings.js';
import { RoomAccess } from './application/rooms/room-access.js';
import { Proving } from './application/sessions/proving.js';
import { SecondFactorPolicy } from './application/sessions/second-factor-policy.js';
import { endExpiredSessions, RevokeSessionsHandler } from './application/sessions/session-commands.js';
import { IdentityProvider } from './application/single-sign-on/identity-provider.js';
import { WebhookBots } from './application/webhooks/webhook-bots.js';
import type { Clock } from './clock.js';
import type { Config } from './config.js';
import { servePages } from './doors/pages/docs.js';
import { Refusal } from './doors/refusal.js';
import { Registration } from './doors/rest/controllers/account-controller.js';
import { ProblemFilter } from './doors/rest/problem-filter.js';
import { ReadYourWrites } from './doors/rest/read-your-writes.js';
import { forAnswers, registerHelmet, tellBrowsers } from './doors/rest/security-headers.js';
import { httpServer } from './doors/rest/server.js';
import { Gateway } from './doors/websocket/gateway.js';
import { SocketAdapter } from './doors/websocket/socket-adapter.js';
import { byStream, Feed } from './feed/feed.js';
import { vaultSink } from './feed/vault-sink.js';
import { type Foundation, layFoundation } from './foundation.js';
import { refuseHost } from './host/host-header.js';
import { HttpConnections } from './host/http-connections.js';
import { Origins } from './host/origins.js';
import { Proxies } from './host/proxies.js';
import { Readiness } from './host/readiness.js';
import { WaitingData } from './host/waiting-data.js';
import { noLimits } from './limits/limit-settings.js';
import { Limits } from './limits/limits.js';
import { Reads } from './limits/reads.js';
import { LiveRooms } from './live/live-rooms.js';
import type { Load } from './live/presence/announcement.js';
import { Presence } from './live/presence/presence.js';
import { Subscribers } from './live/subscribers.js';
import { TokenWatch } from './live/token-watch.js';
import { Watchers } from './live/watchers.js';
import { newId } from './new-id.js';
import type { Database } from './storage/database/database.js';
import { explainStart } from './storage/database/unusable-server.js';
import { Idempotency } from './storage/desk/idempotency.js';
import { Directory } from './storage/directory.js';
import { InvitationCodes } from './storage/invitations/invitation-codes.js';
import { Attempts } from './storage/limits/attempts.js';
import { SharedLedger } from './storage/limits/shared-ledger.js';
import { Administrators } from './storage/vault/administrators.js';
import { Credentials } from './storage/vault/credentials.js';
import { Identities, Linking } from './storage/vault/identities.js';
import { SecondFactors } from './storage/vault/second-factors.js';
import { Metrics } from './units/metrics/metrics.js';
import { Tally } from './units/metrics/tally.js';
import { Rebuilds } from './units/rebuilds/rebuilds.js';
import type { Resolve } from './units/webhooks/address.js';
import { Receivers } from './units/webhooks/receivers.js';
import { WebhookRunner } from './units/webhooks/webhook-runner.js';
import { Inspections } from './write-side/inspections.js';

/** A running service. */
export interface Service {
  /** Where it is reached: `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Resolves with a sentence when it cannot go on: it has to be stopped, and started again. */
  readonly lost: Promise<string>;
  /** Ends in good order: tells clients, finishes what was taken, then lets everything go. Every call answers the same promise. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly database: Database;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Finds the addresses of receivers of webhooks; tests bring their own. */
  readonly resolve?: Resolve;
  /** Is told the made-up password of the first administrator, once in the life of a database. */
  readonly announcePassword: (username: string, password: string) => void;
}

/** Milliseconds that clients get between being told of a shutdown and being disconnected, and that appends get to finish. */
const DRAIN = 300;
const FINISH = 10_000;
/** Administrators among whom another is looked for when one is taken away. */
const MOST_ADMINISTRATORS = 100;
/** Milliseconds between two sweeps of what has expired. */
const SWEEP = 10 * 60_000;

/** Starts everything in order: what the doors stand on, the feed, the doors. Rejects with UnusableServer, among others. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, database } = options;
  try {
    const foundation = await layFoundation(options);
    return await openDoors(foundation, options).catch(async (error: unknown) => {
      await foundation.stop();
      throw error;
    });
  } catch (error) {
    throw await explainStart(error, config, database);
  }
}

async function openDoors(
  foundation: Foundation,
  { config, database, announcePassword, resolve }: ServiceOptions,
): Promise<Service> {
  const {
    outages,
    continuity,
    sql,
    direct,
    store,
    sealer,
    openLog,
    rooms,
    users,
    invitations,
    announcements,
    maintenances,
    maintenance,
    names,
    nameCipher,
    passwords,
    sessions,
    tokens,
    personalTokens,
    webhookSecrets,
    webhookBots,
    webhookDeliveries,
    preferences,
    loadHistory,
    vault,
    time,
    readModels,
    keys,
  } = foundation;
  const { log } = outages;
  const firstAdministrator = { username: config.ADMIN_USERNAME, password: config.ADMIN_PASSWORD ?? null };
  await checkFirstAdministrator(users, firstAdministrator);
  const credentials = new Credentials(sql, time.now);
  const factors = new SecondFactors(sql, keys, time.now);
  const identities = new Identities(sql, nameCipher, time.now);
  const policy = new SecondFactorPolicy(config.REQUIRE_MFA);
  const administrators = new Administrators(sql, {
    candidates: () => listAdministrators(readModels.db, MOST_ADMINISTRATORS),
    isOne: async (id) => {
      const { state } = await users.newest(id);
      return state.status === 'active' && state.role === 'admin';
    },
  });
  const directory = new Directory(names);
  const presence = new Presence(database.directUrl, () => ({ sockets: gateway.size, people: gateway.people }), log);
  const limitsNow = config.RATE_LIMITS === 'on' ? config : noLimits;
  const ledger = new SharedLedger(sql, () => presence.replicas, log);
  const limits = new Limits(limitsNow, ledger);
  const reads = new Reads(limits);
  const inspections = new Inspections(rooms);
  const feed = new Feed(store, sealer, log);
  const liveRooms = new LiveRooms(openLog, rooms, directory, readModels, presence, inspections, time, reads, feed);
  const watchers = new Watchers(readModels);
  const subscribers = new Subscribers(users, liveRooms, watchers, policy, feed);
  const tokenWatch = new TokenWatch(personalTokens);
  const receivers = new Receivers(config.WEBHOOK_ALLOW_PRIVATE === 'on', resolve);
  const webhooks = new WebhookRunner(direct, {
    ...{ rooms, users, openLog, readModels, directory, receivers, log, clock: time.now },
    ...{ secrets: webhookSecrets, deliveries: webhookDeliveries },
  });
  const readiness = new Readiness([
    { name: 'database', ready: async () => (await sql`select 1`).length === 1 },
    { name: 'event store', ready: async () => (await store.head()) >= -1n },
    { name: 'feed', ready: () => feed.running },
    { name: 'log (put back to an earlier state)', ready: () => continuity.intact },
    { name: 'read models', ready: () => readModels.caughtUp },
  ]);
  const tally = new Tally();
  const metrics = new Metrics(
    [
      { name: 'verbatim_sockets', help: 'Open WebSocket connections.', read: (): number => gateway.size },
      { name: 'verbatim_people', help: 'Accounts that have an open connection here.', read: () => gateway.people },
      {
        name: 'verbatim_http_connections',
        help: 'Open HTTP connections; those of WebSockets are not among them.',
        read: () => connections.size,
      },
      {
        name: 'verbatim_http_requests',
        help: 'HTTP requests in flight, health checks not included.',
        read: () => connections.requests,
      },
      {
        name: 'verbatim_waiting_bytes',
        help: 'Bytes waiting in all sockets: to be read by clients, and of requests that have not arrived in full.',
        read: () => waitingData.bytes,
      },
      {
        name: 'verbatim_ended_for_memory',
        help: 'Connections ended since this process began because too much was waiting in all of them.',
        read: () => waitingData.ended.forMemory,
      },
      {
        name: 'verbatim_ended_for_slowness',
        help: 'Connections ended since this process began because their clients read too slowly.',
        read: () => waitingData.ended.forSlowness,
      },
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
        name: 'verbatim_webhooks_sending',
        help: 'Whether it is this process that sends to webhooks.',
        read: () => Number(webhooks.sending),
      },
      {
        name: 'verbatim_feed_position',
        help: 'Position up to which the sinks of the feed have got the events; its queues may be behind.',
        read: () => Number(feed.position),
      },
      {
        name: 'verbatim_projection_lag',
        help: 'How far the read models are behind the log, in positions.',
        read: async () => (await readModels.side.status()).lag,
      },
      {
        name: 'verbatim_search_lag',
        help: 'How far search is behind the log, in positions.',
        read: async () => (await readModels.side.status()).search.lag,
      },
      { name: 'verbatim_messages', help: 'Messages posted since this process began.', read: () => tally.messages },
      {
        name: 'verbatim_registrations',
        help: 'Accounts made since this process began.',
        read: () => tally.registrations,
      },
    ],
    [...store.metrics, ...outages.metrics, ...feed.metrics],
  );
  const idempotency = new Idempotency(sql, keys);
  const problems = new ProblemFilter(log);
  const proxies = new Proxies(config.TRUST_PROXY ?? null);
  const origins = new Origins(config.ALLOWED_ORIGINS, proxies);
  const attempts = new Attempts(sql, nameCipher, limitsNow);
  const waitingData = new WaitingData(limitsNow);
  const connections = new HttpConnections(limitsNow, proxies, waitingData);
  const http = httpServer(problems, connections);
  tellBrowsers(http.getInstance(), origins, proxies);
  await registerHelmet(http.getInstance(), forAnswers);
  const app: NestFastifyApplication = await NestFactory.create<NestFastifyApplication>(
    appModule([
      ...[rooms, users, names, passwords, sessions, tokens, personalTokens, vault, time, readModels, openLog],
      ...[
        directory,
        liveRooms,
        watchers,
        subscribers,
        tokenWatch,
        webhookSecrets,
        webhookBots,
        webhookDeliveries,
        receivers,
        preferences,
      ],
      ...[credentials, factors, policy, administrators, identities, new Linking(sql)],
      new IdentityProvider(config, keys, time.now, log),
      new Proving(users, credentials, factors, sessions, attempts),
      new Authentication(tokens, sessions, personalTokens, users, policy, time.now),
      new RoomAccess(rooms, inspections, readModels),
      ...[limits, reads, waitingData, attempts, proxies, invitations, new InvitationCodes(vault)],
      new Registration(config.REGISTRATION),
      ...[
        new Overview(readModels, presence, loadHistory, credentials, directory, readiness, time),
        announcements,
        maintenances,
        maintenance,
        Settings.of(config),
      ],
      new ReadYourWrites(readModels),
      new Rebuilds(readModels.side, log),
      idempotency,
      readiness,
      metrics,
      problems,
    ]),
    http,
    { logger: ['error', 'warn'], bodyParser: false, abortOnError: false },
  );
  app.useGlobalFilters(problems);
  app.useWebSocketAdapter(
    new SocketAdapter(
      app,
      () => app.get(Gateway),
      (request) => {
        if (!origins.admits(request)) return foreignOrigin;
        const refusal = refuseHost(request) ?? limits.refuseUpgrade(proxies.addressOf(request));
        if (!refusal) connections.upgraded(request.socket);
        return refusal;
      },
    ),
  );
  await servePages(app);
  await app.init();
  const gateway: Gateway = app.get(Gateway);

  feed.add('continuity of the log', (events) => continuity.take(events));
  feed.add('maintenance', (events) => maintenance.take(events));
  // Before the states: whoever is let in again finds the sessions of before revoked.
  feed.add('sessions', (events) => sessions.handle(events));
  feed.add('rooms', (events) => {
    for (const [stream, run] of byStream(events)) {
      const { category, id } = parseStream(stream);
      if (category === 'room') rooms.take(id, run);
      else if (category === 'user') users.take(id, run);
      else if (category === 'invitation') invitations.take(id, run);
      else if (category === 'announcement') announcements.take(id, run);
      else if (category === 'maintenance') maintenances.take(id, run);
    }
  });
  feed.add('personal tokens', (events) => personalTokens.handle(events));
  feed.add('directory', (events) => directory.take(events));
  feed.add(
    'subscribers',
    (events) => subscribers.handle(events),
    (events) => subscribers.rescue(events),
  );
  feed.add(
    'rooms of subscribers',
    (events) => liveRooms.handle(events),
    (events) => liveRooms.rescue(events),
  );
  feed.add('watchers', (events) => watchers.handle(events));
  feed.add('vault', vaultSink(feed, sessions, personalTokens));
  feed.add('webhooks', (events) => webhooks.take(events));
  feed.add('figures', (events) => tally.take(events));
  await continuity.start();
  await feed.start();
  // From here on nothing that other replicas do is missed, so now is the time to learn what they did before.
  await sessions.load();
  maintenance.adopt((await maintenances.newest(MAINTENANCE)).state);
  await createFirstAdministrator({ sql, users, names }, firstAdministrator, (password) =>
    announcePassword(config.ADMIN_USERNAME, password),
  );
  const bots = app.get(WebhookBots);
  const sweep = setInterval(() => {
    const endings = endExpiredSessions(sessions, app.get(RevokeSessionsHandler), () => ({ correlation: newId() }));
    const swept = [tokens, credentials, identities, idempotency, attempts, ledger, bots, loadHistory, passwords];
    Promise.all([endings.then(() => sessions.sweep()), ...swept.map((kept) => kept.sweep())]).catch((error) =>
      log.warn({ err: error }, 'a sweep failed'),
    );
  }, SWEEP);
  await app.listen(config.PORT, config.HOST);
  presence.start();
  loadHistory.start(() => totalOf(presence.loads.values()), log);
  webhooks.start();
  ledger.start();
  // Bots that a release before this one left behind are not to wait for the first sweep.
  void readModels.side
    .caughtUp()
    .then(() => bots.sweep())
    .catch((error) => log.warn({ err: error }, 'bots without a webhook are left to the next sweep'));

  const stop = async () => {
    clearInterval(sweep);
    loadHistory.stop();
    readiness.drain();
    gateway.announceDrain();
    await new Promise((resolve) => setTimeout(resolve, DRAIN));
    gateway.stopListening();
    await Promise.all(
      [rooms, users, invitations, announcements, maintenances].map((mailboxes) => mailboxes.finish(FINISH)),
    );
    tokenWatch.stop();
    await gateway.closeAll();
    await webhooks.stop();
    await ledger.stop();
    await presence.stop();
    await feed.stop();
    const patience = setTimeout(() => connections.endAll(), FINISH);
    await app.close();
    clearTimeout(patience);
    waitingData.stop();
    await foundation.stop();
  };
  let stopping: Promise<void> | null = null;
  return { url: addressOf(app), lost: continuity.broken, stop: () => (stopping ??= stop()) };
}

/** Of all replicas together, as far as they tell. */
function totalOf(loads: Iterable<Load | null>): Load {
  const total = { people: 0, sockets: 0 };
  for (const load of loads) {
    total.people += load?.people ?? 0;
    total.sockets += load?.sockets ?? 0;
  }
  return total;
}

const foreignOrigin = new Refusal('forbidden', 'Pages of this origin may not open sockets here.');

function addressOf(app: NestFastifyApplication): string {
  const address = app.getHttpServer().address();
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
