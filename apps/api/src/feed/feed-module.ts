import { Global, Module, type Provider } from '@nestjs/common';
import { Sealer } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { FeedSink, Figure, Measurements, ReadinessCheck } from '../composition/contributions.js';
import { OpenResources } from '../composition/open-resources.js';
import { MeasuredEventStore } from '../storage/measured-event-store.js';
import { LOG } from '../storage/tokens.js';
import { PersonalTokens } from '../storage/vault/personal-tokens.js';
import { Sessions } from '../storage/vault/sessions.js';
import { TRACING, type Tracing } from '../telemetry/tracing.js';
import { Feed } from './feed.js';
import { vaultSink } from './vault-sink.js';

const providers: Provider[] = [
  {
    provide: Feed,
    useFactory: (store: MeasuredEventStore, sealer: Sealer, log: Logger, resources: OpenResources, tracing?: Tracing) =>
      resources.add(new Feed(store, sealer, log, tracing), (feed) => feed.stop()),
    inject: [MeasuredEventStore, Sealer, LOG, OpenResources, { token: TRACING, optional: true }],
  },
  {
    provide: Symbol('check of the feed'),
    useFactory: (feed: Feed) => new ReadinessCheck('feed', () => feed.running),
    inject: [Feed],
  },
  {
    provide: Symbol('figure of the feed'),
    useFactory: (feed: Feed) =>
      new Figure(
        'verbatim_feed_position',
        'Position up to which all feed sinks have been called; the queues may be behind.',
        () => Number(feed.position),
      ),
    inject: [Feed],
  },
  {
    provide: Symbol('measurements of the feed'),
    useFactory: (feed: Feed) => new Measurements(feed.metrics),
    inject: [Feed],
  },
  {
    provide: Symbol('sink of the vault'),
    useFactory: (feed: Feed, sessions: Sessions, tokens: PersonalTokens) =>
      new FeedSink('vault', 'others', vaultSink(feed, sessions, tokens)),
    inject: [Feed, Sessions, PersonalTokens],
  },
];

/** The subscription through which this process learns of events. */
@Global()
@Module({ providers, exports: providers })
export class FeedModule {}
