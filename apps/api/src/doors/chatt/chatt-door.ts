import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { nameKey, parseStream, type Recorded } from '@verbatim/domain';
import type { KeyRing } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { deriveCredentials } from '../../application/guests/browser/passphrase.js';
import { Authentication } from '../../application/sessions/authentication.js';
import { FeedSink, Figure, Sweep } from '../../composition/contributions.js';
import { DATABASE, type DatabaseAddress } from '../../composition/process-module.js';
import { hangUp } from '../../host/fault.js';
import type { Host } from '../../host/host.js';
import type { HttpListener } from '../../host/http-listener.js';
import { type Application, door } from '../../host/part.js';
import type { TcpListener } from '../../host/tcp-listener.js';
import { addressKey } from '../../limits/address-key.js';
import { CreationLimit } from '../../limits/creation-limit.js';
import type { LimitSettings } from '../../limits/limit-settings.js';
import { Limits } from '../../limits/limits.js';
import { Reads } from '../../limits/reads.js';
import { Semaphore } from '../../limits/semaphore.js';
import { LIMITS_IN_FORCE } from '../../limits/tokens.js';
import type { Person } from '../../live/live-event.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { LoadHere } from '../../live/load-here.js';
import { Subscribers } from '../../live/subscribers.js';
import { TokenWatch } from '../../live/token-watch.js';
import { newId } from '../../new-id.js';
import { GuestUse } from '../../storage/desk/guests.js';
import { Directory } from '../../storage/directory.js';
import { KEY_RING, LOG, SQL } from '../../storage/tokens.js';
import { TRACING, type Tracing } from '../../telemetry/tracing.js';
import { Problems } from '../problems.js';
import { Admission } from './admission.js';
import type { Client } from './client.js';
import { Clients } from './clients.js';
import { chattEncoder } from './encoder.js';
import { People, peopleMigration } from './people.js';
import { Publication } from './publication.js';
import { PublicationLedger } from './publication-ledger.js';
import { Publishing } from './publishing.js';
import { Reception } from './reception.js';
import { Replicas } from './replicas.js';
import { RoomFinder } from './room-finder.js';
import { RoomTopics } from './room-topics.js';
import { SessionLedger, sessionMigration } from './session-ledger.js';
import { ShownNames } from './shown-names.js';
import { isTopic, readTopic, userTopic } from './topics.js';
import { serveWeb } from './web.js';
import { maxMessageBytes, TcpWire, WebSocketWire } from './wire.js';

const port = z.preprocess(
  (value) => (value === '' ? undefined : value),
  z.coerce.number().int().min(0).max(65_535).optional(),
);

const passphrase = z
  .string()
  .optional()
  .transform((text) => text || undefined)
  .refine((text) => text === undefined || deriveCredentials(text) !== null, 'must be shorter');

/** Joins in progress at a time, over all clients. */
const JOINING_AT_ONCE = 16;
/** Milliseconds between checks for silent clients; acknowledgements are stored at the same time. */
const BEAT_MS = 1_000;
/** Milliseconds between confirmations that clients are connected. */
const TOUCH_MS = 120_000;
/** Milliseconds between notes that connected guests are in use. */
const NOTE_GUESTS_MS = 1_800_000;
/** Milliseconds between checks for people who have been silent for ten minutes. */
const LOOK_FOR_SILENT_MS = 60_000;

/** chaTT: MQTT over TCP and WebSockets. */
export const chattDoor = door({
  name: 'chatt',
  settings: { CHATT_PORT: port, MQTT_PORT: port, MQTT_WS_PORT: port, CHATT_PASSPHRASE: passphrase },
  migrations: [sessionMigration, peopleMigration],
  async open(application, host, { CHATT_PORT, MQTT_PORT, MQTT_WS_PORT, CHATT_PASSPHRASE }) {
    if (CHATT_PORT === undefined && MQTT_PORT === undefined && MQTT_WS_PORT === undefined) return {};
    const shared = CHATT_PASSPHRASE === undefined ? null : deriveCredentials(CHATT_PASSPHRASE);
    const broker = new Broker(application, shared);
    const announced: { title: string; address: () => string }[] = [];
    if (CHATT_PORT !== undefined) {
      const brokerPort = MQTT_WS_PORT ?? null;
      const page = await serveWeb(CHATT_PORT, { ...broker.webParts(host), closed: shared !== null, brokerPort });
      announced.push({ title: 'chaTT', address: () => page.url });
    }
    if (MQTT_PORT !== undefined) {
      const listener = broker.listenTcp(host, MQTT_PORT);
      announced.push({ title: 'MQTT', address: () => `mqtt://${listener.authority}` });
    }
    if (MQTT_WS_PORT !== undefined) {
      const listener = broker.listenWebSocket(host, MQTT_WS_PORT);
      announced.push({ title: 'MQTT (ws)', address: () => listener.url.replace('http:', 'ws:') });
    }
    application.get(LoadHere).add(() => ({ sockets: broker.clients.size, people: broker.clients.people }));
    return {
      announced,
      start: () => broker.start(),
      async drain() {
        broker.reception.closed = true;
        await host.drainPause();
        for (const client of broker.clients) client.ignore();
      },
      close: () => broker.stop(),
      sinks: broker.sinks,
      sweeps: [
        new Sweep('MQTT sessions', () => broker.ledger.sweep()),
        new Sweep('MQTT publications', () => broker.publications.sweep()),
      ],
      figures: [new Figure('verbatim_mqtt_clients', 'MQTT clients connected here.', () => broker.clients.size)],
    };
  },
});

/** Bots of chaTT read an address from greetings. The real one is not published. */
const greeting = Buffer.from(JSON.stringify({ ipAddress: '127.0.0.1' }));
const goodBye = Buffer.from('{}');
/** Milliseconds that a shutdown waits for clients to be released. */
const CLOSING_PATIENCE_MS = 2_000;
/** Fragments of a message of a WebSocket; past these `ws` closes with 1008. */
const MAX_FRAGMENTS = 256;

class Broker {
  readonly clients = new Clients();
  readonly ledger: SessionLedger;
  readonly publications: PublicationLedger;
  readonly reception: Reception;
  private readonly replicas: Replicas;
  private readonly topics = new RoomTopics();
  private readonly names: ShownNames;
  private readonly people: People;
  private readonly queries: QueryBus;
  private readonly problems: Problems;
  private readonly reads: Reads;
  private readonly limits: Limits;
  private readonly guestUse: GuestUse;
  private beating: NodeJS.Timeout | undefined;
  private looking: NodeJS.Timeout | undefined;
  private touching: NodeJS.Timeout | undefined;
  private noting: NodeJS.Timeout | undefined;

  constructor(application: Application, shared: ReturnType<typeof deriveCredentials>) {
    const { clients, topics } = this;
    const [commands, queries] = [application.get(CommandBus), application.get(QueryBus)];
    this.queries = queries;
    this.limits = application.get(Limits);
    this.guestUse = application.get(GuestUse);
    this.reads = application.get(Reads);
    this.problems = application.get(Problems);
    this.names = new ShownNames(queries);
    const [sql, keys] = [application.get<Sql>(SQL), application.get<KeyRing>(KEY_RING)];
    this.ledger = new SessionLedger(sql, keys);
    this.publications = new PublicationLedger(sql, keys);
    this.people = new People(sql, application.get(Directory), this.names);
    const newContext = () => ({ correlation: newId(), door: 'chatt' });
    const finder = new RoomFinder(queries);
    this.replicas = new Replicas(application.get<DatabaseAddress>(DATABASE).directUrl, application.get<Logger>(LOG), {
      taken: (client, connection) => clients.takeOver(client, connection),
      moved: (name, here) => this.announce(name, here),
      missed: () => void this.endOutdated(),
    });
    const topicOf = (roomId: string) => topics.of(roomId);
    const nameOf = (person: Person) => this.names.of(person);
    const encoder = chattEncoder(topicOf, nameOf);
    this.reception = new Reception({
      ...{
        commands,
        queries,
        finder,
        topics,
        clients,
        newContext,
        limits: this.limits,
        ledger: this.ledger,
        publications: this.publications,
      },
      live: application.get(LiveRooms),
      problems: this.problems,
      creation: new CreationLimit(application.get<LimitSettings>(LIMITS_IN_FORCE).LIMIT_GUESTS),
      subscribers: application.get(Subscribers),
      tokenWatch: application.get(TokenWatch),
      joining: new Semaphore(JOINING_AT_ONCE),
      publishing: new Publishing(commands, queries, finder, newContext, application.get<Tracing | undefined>(TRACING)),
      encoderFor: ({ actor, nick, shownName }) =>
        nick === shownName ? encoder : chattEncoder(topicOf, (one) => (one.id === actor.id ? nick : nameOf(one))),
      admission: new Admission(commands, queries, application.get(Authentication), shared),
      replicas: this.replicas,
      moved: (client, here) => this.moved(client, here),
      heard: (client) => void this.people.heard(client.actor.id).catch(() => undefined),
    });
  }

  // Listening ---------------------------------------------------------------------------------------------------------

  listenTcp(host: Host, port: number): TcpListener {
    return host.listenTcp(port, (socket) => {
      const address = host.proxies.peerOf(socket) ?? socket.remoteAddress ?? '';
      this.count(address, (gone) => socket.once('close', gone));
      host.waitingData.watch(socket, this.reception.receive(new TcpWire(socket, address)));
    });
  }

  listenWebSocket(host: Host, port: number): HttpListener {
    const listener = host.listen(port);
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: maxMessageBytes,
      maxFragments: MAX_FRAGMENTS,
      // Pings are counted, and answered by the wire.
      autoPong: false,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : offered.has('mqttv3.1') ? 'mqttv3.1' : false),
    });
    listener.onUpgrade(/^/, (request, socket, head) => {
      if (!host.origins.admitsHost(request))
        return hangUp(socket, 'HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      const address = host.proxies.addressOf(request);
      server.once('wsClientError', () => listener.answerWithoutUpgrade(request, socket, head));
      server.handleUpgrade(request, socket, head, (opened) => {
        opened.on('error', () => undefined);
        listener.connections.upgraded(socket);
        this.count(address, (gone) => opened.once('close', gone));
        host.waitingData.watch(socket, this.reception.receive(new WebSocketWire(opened, socket, address)));
      });
      server.removeAllListeners('wsClientError');
    });
    return listener;
  }

  private count(address: string, whenGone: (gone: () => void) => void): void {
    const { socketsOfAddresses } = this.limits;
    socketsOfAddresses.enter(addressKey(address));
    whenGone(() => socketsOfAddresses.leave(addressKey(address)));
  }

  /** For the page and its requests. */
  webParts(host: Host) {
    const { queries, limits, reads, problems, people, ledger } = this;
    return { host, queries, limits, reads, problems, people, ledger };
  }

  // People ------------------------------------------------------------------------------------------------------------

  /** Announces greetings, though not too often, and goodbyes of people who were present. */
  private async moved({ actor, admitted: { shownName } }: Client, here: boolean): Promise<void> {
    // If this fails, the next sign of life or the check for silence corrects it.
    const isNews = await (here ? this.people.heard(actor.id) : this.people.gone(actor.id)).catch(() => here);
    if (!isNews) return;
    this.announce(shownName, here);
    await this.replicas.move(shownName, here);
  }

  /** Announces that a person came or went. */
  private announce(name: string, here: boolean): void {
    const topic = userTopic(name, here ? 'hello' : 'logout');
    if (!isTopic(topic) || readTopic(topic) === null) return;
    const publication = new Publication(topic, here ? greeting : goodBye);
    for (const client of this.clients) client.deliver(publication);
  }

  private async announceSilent(): Promise<void> {
    for (const name of await this.people.takeSilent().catch(() => [])) {
      this.announce(name, false);
      await this.replicas.move(name, false);
    }
  }

  // Running -----------------------------------------------------------------------------------------------------------

  start(): void {
    this.replicas.start();
    this.beating = setInterval(() => this.beat(), BEAT_MS).unref();
    this.touching = setInterval(() => void this.touch(), TOUCH_MS).unref();
    this.noting = setInterval(() => void this.noteGuests().catch(() => undefined), NOTE_GUESTS_MS).unref();
    this.looking = setInterval(() => void this.announceSilent(), LOOK_FOR_SILENT_MS).unref();
  }

  async stop(): Promise<void> {
    for (const timer of [this.beating, this.looking, this.touching, this.noting]) clearInterval(timer);
    const going = [...this.clients].map((client) => {
      client.end('shuttingDown');
      return client.finish().catch(() => undefined);
    });
    await Promise.race([
      Promise.all(going),
      new Promise((resolve) => setTimeout(resolve, CLOSING_PATIENCE_MS).unref()),
    ]);
    await this.replicas.stop();
  }

  /** Confirms who is connected, because a killed replica cannot remove its clients. */
  private async touch(): Promise<void> {
    await this.ledger.touch([...this.clients].flatMap(({ entry }) => entry ?? [])).catch(() => undefined);
  }

  /** Keeps connected guests from being deactivated as unused. */
  private async noteGuests(): Promise<void> {
    const guests = [...this.clients].filter(({ guestKey }) => guestKey !== null);
    for (const userId of new Set(guests.map(({ actor }) => actor.id))) await this.guestUse.note(userId);
  }

  private beat(): void {
    const now = performance.now();
    for (const client of this.clients) if (client.isSilent(now)) client.end('silent');
    // If this fails, the texts are sent again.
    this.ledger.move([...this.clients].flatMap((client) => client.takeMove() ?? [])).catch(() => undefined);
  }

  /** Ends clients that have connected elsewhere, in case notifications were missed. */
  private async endOutdated(): Promise<void> {
    const entries = [...this.clients].flatMap(({ entry }) => entry ?? []);
    const outdated = await this.ledger.outdated(entries).catch(() => new Set<string>());
    for (const client of this.clients) if (client.entry && outdated.has(client.entry.client)) client.end('takenOver');
  }

  // The feed ----------------------------------------------------------------------------------------------------------

  get sinks(): FeedSink[] {
    return [
      new FeedSink('names at MQTT', 'caches', (events) => {
        this.topics.handle(events);
        this.names.handle(events);
      }),
      new FeedSink('rooms at MQTT', 'others', (events) => {
        this.moveClients(events);
        this.endNamesakes(events);
      }),
    ];
  }

  /** Ends guests whose name was taken by a registered person. They could not connect with it either. */
  private endNamesakes(events: readonly Recorded[]): void {
    for (const event of events) {
      const keys = namesTaken(event).map(nameKey);
      if (keys.length === 0) continue;
      for (const client of this.clients)
        if (client.guestKey !== null && keys.includes(client.guestKey)) client.close('unauthenticated');
    }
  }

  /** Clients follow rooms that appear and that their people join, and drop those they leave. */
  private moveClients(events: readonly Recorded[]): void {
    if (this.clients.size === 0) return;
    for (const event of events) {
      const { id, category } = parseStream(event.stream);
      if (category !== 'room') continue;
      if (event.type === 'MemberJoined')
        for (const client of this.clients.of(event.data.userId)) client.consider(id, event.revision, false);
      if (event.type === 'MemberLeft' || event.type === 'MemberRemoved')
        for (const client of this.clients.of(event.data.userId)) client.forget(id);
      if (opensToAll(event)) for (const client of this.clients) client.consider(id, event.revision, true);
    }
  }
}

/** The names that a registered person takes with this event. */
function namesTaken(event: Recorded): string[] {
  if (event.type === 'UserRegistered' && event.data.origin !== 'guest')
    return [event.data.username, event.data.displayName].filter((name) => name !== null);
  return event.type === 'UserChanged' && event.data.displayName !== null ? [event.data.displayName] : [];
}

/** Whether this event may open a room to everyone. */
const opensToAll = (event: Recorded): boolean =>
  (event.type === 'RoomCreated' || event.type === 'RoomChanged') &&
  (event.data.visibility === 'public' || (event.type === 'RoomChanged' && event.data.passwordId === null));
