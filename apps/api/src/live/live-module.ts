import { Global, Module, type Provider } from '@nestjs/common';
import type { Logger } from 'pino';
import { Time } from '../clock.js';
import { FeedSink, Figure } from '../composition/contributions.js';
import { OpenResources } from '../composition/open-resources.js';
import { DATABASE, type DatabaseAddress } from '../composition/process-module.js';
import { Feed } from '../feed/feed.js';
import { Reads } from '../limits/reads.js';
import { REPLICA_COUNT } from '../limits/tokens.js';
import { Directory } from '../storage/directory.js';
import { OpenLog } from '../storage/open-log.js';
import { ReadModels } from '../storage/read-models.js';
import { LOG } from '../storage/tokens.js';
import { PersonalTokens } from '../storage/vault/personal-tokens.js';
import { TRACING } from '../telemetry/tracing.js';
import { Rooms, Users } from '../write-side/entities.js';
import { Inspections } from '../write-side/inspections.js';
import { LiveRooms } from './live-rooms.js';
import { LoadHere } from './load-here.js';
import { Presence } from './presence/presence.js';
import { SECOND_FACTOR_RULE, Subscribers } from './subscribers.js';
import { TokenWatch } from './token-watch.js';
import { Watchers } from './watchers.js';

const providers: Provider[] = [
  LoadHere,
  {
    provide: Presence,
    useFactory: ({ directUrl }: DatabaseAddress, here: LoadHere, log: Logger) =>
      new Presence(directUrl, () => here.total, log),
    inject: [DATABASE, LoadHere, LOG],
  },
  {
    provide: REPLICA_COUNT,
    useFactory: (presence: Presence) => () => presence.replicas,
    inject: [Presence],
  },
  {
    provide: LiveRooms,
    useFactory: (...parts: ConstructorParameters<typeof LiveRooms>) => new LiveRooms(...parts),
    inject: [
      ...[OpenLog, Rooms, Directory, ReadModels, Presence, Inspections, Time, Reads, Feed],
      { token: TRACING, optional: true },
    ],
  },
  { provide: Watchers, useFactory: (readModels: ReadModels) => new Watchers(readModels), inject: [ReadModels] },
  {
    provide: Subscribers,
    useFactory: (...parts: ConstructorParameters<typeof Subscribers>) => new Subscribers(...parts),
    inject: [Users, LiveRooms, Watchers, SECOND_FACTOR_RULE, Feed],
  },
  {
    provide: TokenWatch,
    useFactory: (tokens: PersonalTokens, resources: OpenResources) =>
      resources.add(new TokenWatch(tokens), (watch) => watch.stop()),
    inject: [PersonalTokens, OpenResources],
  },
  {
    provide: Symbol('sinks of subscribers'),
    useFactory: (subscribers: Subscribers, rooms: LiveRooms, watchers: Watchers) => [
      new FeedSink(
        'subscribers',
        'subscribers',
        (events) => subscribers.handle(events),
        (events) => subscribers.rescue(events),
      ),
      new FeedSink(
        'followed rooms',
        'subscribers',
        (events) => rooms.handle(events),
        (events) => rooms.rescue(events),
      ),
      new FeedSink('watchers', 'subscribers', (events) => watchers.handle(events)),
    ],
    inject: [Subscribers, LiveRooms, Watchers],
  },
  {
    provide: Symbol('figures of presence'),
    useFactory: (presence: Presence) => [
      new Figure('verbatim_other_replicas', 'Other replicas whose presence is known here.', () => presence.replicas),
      new Figure(
        'verbatim_presence_dropped_total',
        'Presence and typing updates dropped because too many were waiting.',
        () => presence.dropped,
      ),
    ],
    inject: [Presence],
  },
];

/** Following rooms, presence and watching, for every kind of door. */
@Global()
@Module({ providers, exports: providers })
export class LiveModule {}
