import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Time } from '../../clock.js';
import { FeedSink, Figure, Sweep } from '../../composition/contributions.js';
import { Feed } from '../../feed/feed.js';
import type { Host } from '../../host/host.js';
import { type Application, door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { Reads } from '../../limits/reads.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { LoadHere } from '../../live/load-here.js';
import { Subscribers } from '../../live/subscribers.js';
import { Attempts } from '../../storage/limits/attempts.js';
import { KEY_RING, SQL } from '../../storage/tokens.js';
import { NameCipher } from '../../storage/vault/name-cipher.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import { Problems } from '../problems.js';
import { Callers } from './callers.js';
import { ContactClaims, contactTables } from './contact-claims.js';
import { Deliveries } from './deliveries.js';
import { Envelopes } from './envelope.js';
import { KeyPairs, keyPairTables } from './key-pairs.js';
import { PublicTokens } from './public-tokens.js';
import { addRoutes } from './routes.js';
import { Sending } from './sending.js';
import { Sockets } from './sockets.js';

const blank = (value: unknown) => (value === '' ? undefined : value);

/** What clients of chatable speak: registration, tokens and history over HTTP, messages to one person over a WebSocket. */
export const chatableDoor = door({
  name: 'chatable',
  settings: {
    CHATABLE_PORT: z.preprocess(blank, z.coerce.number().int().min(0).max(65_535).optional()),
  },
  migrations: [keyPairTables, contactTables],
  async open(application, host, { CHATABLE_PORT }) {
    if (CHATABLE_PORT === undefined) return {};
    return openAt(CHATABLE_PORT, application, host);
  },
});

async function openAt(port: number, application: Application, host: Host) {
  const [commands, queries] = [application.get(CommandBus), application.get(QueryBus)];
  const [limits, users, { now }] = [application.get(Limits), application.get(Users), application.get(Time)];
  const [sql, keys] = [application.get(SQL), application.get(KEY_RING)];
  const envelopes = new Envelopes(application.get(Problems));
  const keyPairs = new KeyPairs(sql, keys, now);
  const callers = new Callers(keyPairs, queries, now);
  const contacts = new ContactClaims(sql, application.get(NameCipher), users);
  const tokens = new PublicTokens(commands, queries, keyPairs, contacts, application.get(Attempts));
  const deliveries = new Deliveries(application.get(LiveRooms), queries, application.get(Feed));

  const listener = host.listen(port);
  listener.faults = envelopes;
  const { proxies } = host;
  const reads = application.get(Reads);
  await listener.scope((scope) =>
    addRoutes(scope, { commands, queries, callers, tokens, limits, reads, proxies, envelopes }),
  );
  const sockets = new Sockets({
    ...{ host, listener, callers, users, deliveries, limits, envelopes, now },
    sessions: application.get(Sessions),
    subscribers: application.get(Subscribers),
    sending: new Sending(commands, envelopes),
  });
  listener.onUpgrade('/api/ws', (request, socket, head) => sockets.upgrade(request, socket, head));
  // The people are among those of the native door already, which counts the sockets of all accounts.
  application.get(LoadHere).add(() => ({ sockets: sockets.size, people: 0 }));

  return {
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
    sweeps: [new Sweep('nonces of chatable', () => keyPairs.sweep())],
    figures: [new Figure('verbatim_chatable_sockets', 'Open WebSockets of chatable.', () => sockets.size)],
  };
}
