import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Authentication } from '../../application/sessions/authentication.js';
import { Time } from '../../clock.js';
import { FeedSink, Figure } from '../../composition/contributions.js';
import { Feed } from '../../feed/feed.js';
import type { Host } from '../../host/host.js';
import { type Application, door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { Reads } from '../../limits/reads.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { LoadHere } from '../../live/load-here.js';
import { Subscribers } from '../../live/subscribers.js';
import { TRACING, type Tracing } from '../../telemetry/tracing.js';
import { Problems } from '../problems.js';
import { Deliveries } from './deliveries.js';
import { Envelopes } from './envelope.js';
import { PublicTokens } from './public-tokens.js';
import { addRoutes } from './routes.js';
import { Sending } from './sending.js';
import { Sockets } from './sockets.js';

const blank = (value: unknown) => (value === '' ? undefined : value);

/** The protocol of chatable: registration, tokens and history over HTTP, messages to one person over a WebSocket. */
export const chatableDoor = door({
  name: 'chatable',
  settings: {
    CHATABLE_PORT: z.preprocess(blank, z.coerce.number().int().min(0).max(65_535).optional()),
  },
  async open(application, host, { CHATABLE_PORT }) {
    if (CHATABLE_PORT === undefined) return {};
    return openAt(CHATABLE_PORT, application, host);
  },
});

async function openAt(port: number, application: Application, host: Host) {
  const [commands, queries] = [application.get(CommandBus), application.get(QueryBus)];
  const [limits, { now }] = [application.get(Limits), application.get(Time)];
  const envelopes = new Envelopes(application.get(Problems));
  const tokens = new PublicTokens(commands);
  const deliveries = new Deliveries(application.get(LiveRooms), queries, application.get(Feed));

  const listener = host.listen(port);
  listener.faults = envelopes;
  const { proxies } = host;
  const reads = application.get(Reads);
  await listener.scope((scope) => addRoutes(scope, { commands, queries, tokens, limits, reads, proxies, envelopes }));
  const sockets = new Sockets({
    ...{ host, listener, queries, deliveries, limits, envelopes, now },
    authentication: application.get(Authentication),
    subscribers: application.get(Subscribers),
    sending: new Sending(commands, envelopes, application.get<Tracing | undefined>(TRACING)),
  });
  listener.onUpgrade('/api/ws', (request, socket, head) => sockets.upgrade(request, socket, head));
  // People are not counted here: the native door counts the sockets of all accounts.
  application.get(LoadHere).add(() => ({ sockets: sockets.size, people: 0 }));

  return {
    announced: [{ title: 'chatable', address: () => listener.url }],
    drain: () => sockets.drain(),
    close: () => sockets.close(),
    sinks: [
      new FeedSink(
        'deliveries of chatable',
        'others',
        (events) => deliveries.handle(events),
        () => deliveries.rescue(),
      ),
    ],
    figures: [new Figure('verbatim_chatable_sockets', 'Open WebSockets of chatable.', () => sockets.size)],
  };
}
