import { Global, Module, type Provider } from '@nestjs/common';
import type { Logger } from 'pino';
import { Time } from '../clock.js';
import { FeedSink, Figure } from '../composition/contributions.js';
import { DATABASE, type DatabaseAddress } from '../composition/process-module.js';
import { Reads } from '../limits/reads.js';
import { REPLICA_COUNT } from '../limits/tokens.js';
import { Directory } from '../storage/directory.js';
import { OpenLog } from '../storage/open-log.js';
import { ReadModels } from '../storage/read-models.js';
import { LOG } from '../storage/tokens.js';
import { Rooms } from '../write-side/entities.js';
import { Inspections } from '../write-side/inspections.js';
import { LiveRooms } from './live-rooms.js';
import { LoadHere } from './load-here.js';
import { Presence } from './presence/presence.js';
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
    inject: [OpenLog, Rooms, Directory, ReadModels, Presence, Inspections, Time, Reads],
  },
  { provide: Watchers, useFactory: (readModels: ReadModels) => new Watchers(readModels), inject: [ReadModels] },
  {
    provide: Symbol('sinks of followed rooms'),
    useFactory: (rooms: LiveRooms, watchers: Watchers) => [
      new FeedSink('followed rooms', 'subscribers', (events) => rooms.take(events)),
      new FeedSink('watchers', 'subscribers', (events) => watchers.take(events)),
    ],
    inject: [LiveRooms, Watchers],
  },
  {
    provide: Symbol('figures of presence'),
    useFactory: (presence: Presence) => [
      new Figure('verbatim_other_replicas', 'Other replicas whose people are known here.', () => presence.replicas),
      new Figure(
        'verbatim_presence_dropped',
        'Updates of presence and typing that were dropped because there were too many.',
        () => presence.dropped,
      ),
    ],
    inject: [Presence],
  },
];

/** Following rooms, presence and watching, for doors of any kind. */
@Global()
@Module({ providers, exports: providers })
export class LiveModule {}
