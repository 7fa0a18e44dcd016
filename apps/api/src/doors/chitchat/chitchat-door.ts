import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Authentication } from '../../application/sessions/authentication.js';
import { Time } from '../../clock.js';
import { FeedSink, Figure, Sweep } from '../../composition/contributions.js';
import type { Host } from '../../host/host.js';
import { type Application, door } from '../../host/part.js';
import { CreationLimit } from '../../limits/creation-limit.js';
import type { LimitSettings } from '../../limits/limit-settings.js';
import { Limits } from '../../limits/limits.js';
import { Reads } from '../../limits/reads.js';
import { LIMITS_IN_FORCE } from '../../limits/tokens.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { LoadHere } from '../../live/load-here.js';
import { Presence } from '../../live/presence/presence.js';
import { Subscribers } from '../../live/subscribers.js';
import { GuestUse } from '../../storage/desk/guests.js';
import { ReadModels } from '../../storage/read-models.js';
import { KEY_RING, LOG, SQL } from '../../storage/tokens.js';
import { TRACING, type Tracing } from '../../telemetry/tracing.js';
import { forAnswers, registerHelmet } from '../security-headers.js';
import { ChatError, ChatErrors } from './answers.js';
import { type CallParts, ChatCalls } from './chat-calls.js';
import { ChatRooms } from './chat-rooms.js';
import { ChatSockets, type DoorParts } from './chat-sockets.js';
import { Translator } from './encoder.js';
import { admitsOrigin } from './origins.js';
import { addPages } from './pages.js';
import { People } from './people.js';
import { RoomNumbers, roomNumberTables } from './room-numbers.js';
import { RoomTokens } from './room-tokens.js';
import { addRoutes } from './routes.js';
import { Seats, seatTables } from './seats.js';
import { TextHashes } from './text-hashes.js';
import { Visitors } from './visitors.js';

const blank = (value: unknown) => (value === '' ? undefined : value);

/** The door for clients of chitchat and of its fork Globes: rooms without accounts, over HTTP and WebSockets. */
export const chitchatDoor = door({
  name: 'chitchat',
  settings: {
    CHITCHAT_PORT: z.preprocess(blank, z.coerce.number().int().min(0).max(65_535).optional()),
    CHITCHAT_OPEN_ROOMS: z.preprocess(blank, z.enum(['on', 'off']).default('on')),
  },
  migrations: [roomNumberTables, seatTables],
  async open(application, host, { CHITCHAT_PORT, CHITCHAT_OPEN_ROOMS }) {
    if (CHITCHAT_PORT === undefined) return {};
    const listener = host.listen(CHITCHAT_PORT);
    const parts = await partsOf(application, host, CHITCHAT_OPEN_ROOMS === 'on');
    const { errors, rooms, seats } = parts;
    listener.faults = errors;
    await listener.scope(async (scope) => {
      prepareScope(scope, host, parts);
      await scope.register(async (calls) => {
        await registerHelmet(calls, forAnswers);
        addRoutes(calls, new ChatCalls(parts));
      });
      await scope.register((pages) => addPages(pages, parts));
    });
    const sockets = new ChatSockets(parts, listener);
    application.get(LoadHere).add(() => ({ sockets: sockets.size, people: sockets.people }));
    return {
      announced: [{ title: 'chitchat', address: () => listener.url }],
      async start() {
        sockets.start();
        // Nothing is created during maintenance; the next start tries again.
        await rooms.prepareFirst().catch((error: unknown) => void errors.errorOf(error, { task: 'first room' }));
      },
      async drain() {
        sockets.announceDrain();
        await host.drainPause();
        sockets.stopListening();
      },
      close: () => sockets.closeAll(),
      sinks: [new FeedSink('names at chitchat', 'others', (events) => sockets.handle(events))],
      figures: [
        new Figure('verbatim_chitchat_sockets', 'Open WebSocket connections of chitchat clients.', () => sockets.size),
        new Figure('verbatim_chitchat_people', 'People in rooms through chitchat clients.', () => sockets.people),
      ],
      sweeps: [new Sweep('seats of chitchat', () => seats.forget())],
    };
  },
});

async function partsOf(application: Application, host: Host, changeable: boolean): Promise<DoorParts & CallParts> {
  const [commands, queries] = [application.get(CommandBus), application.get(QueryBus)];
  const [sql, keys] = [application.get(SQL), application.get(KEY_RING)];
  const hashes = await TextHashes.open(keys);
  const seats = new Seats(sql, hashes);
  const people = new People(queries, seats, application.get(Presence));
  const { LIMIT_GUESTS } = application.get<LimitSettings>(LIMITS_IN_FORCE);
  return {
    ...{ host, commands, queries, seats, people },
    authentication: application.get(Authentication),
    live: application.get(LiveRooms),
    subscribers: application.get(Subscribers),
    limits: application.get(Limits),
    reads: application.get(Reads),
    guestUse: application.get(GuestUse),
    errors: new ChatErrors(application.get(LOG)),
    creation: new CreationLimit(LIMIT_GUESTS),
    rooms: new ChatRooms(commands, queries, new RoomNumbers(sql), hashes, application.get(ReadModels), changeable),
    tokens: new RoomTokens(keys, queries, application.get(Time)),
    visitors: new Visitors(commands, queries, seats),
    translator: new Translator(people),
    tracing: application.get<Tracing | undefined>(TRACING),
  };
}

/** Bodies are read regardless of their content type, and all requests are counted. */
function prepareScope(scope: FastifyInstance, host: Host, { errors, limits }: DoorParts): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler((error, request, reply) => errors.answer(error, request, reply));
  scope.setNotFoundHandler((request, reply) =>
    errors.answer(ChatError.unknown(404, 'There is nothing at this address.'), request, reply),
  );
  scope.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const tooSoon = limits.visit(host.proxies.addressOf(request.raw));
    if (tooSoon) throw ChatError.ofRejection(tooSoon, 'client');
    if (!/^(GET|HEAD)$/.test(request.method) && !admitsOrigin(request.raw, host)) throw ChatError.of(304, 'origin');
  });
}
