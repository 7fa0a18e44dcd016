import { Global, Module } from '@nestjs/common';
import { Contributions, FeedSink, Figure } from '../../composition/contributions.js';
import { MetricsText } from '../../composition/metrics-text.js';
import { unit } from '../../host/part.js';
import { Activity } from './activity.js';
import { Metrics } from './metrics.js';

const metrics = { provide: MetricsText, useFactory: (all: Contributions) => new Metrics(all), inject: [Contributions] };

@Global()
@Module({ providers: [metrics], exports: [metrics] })
class MetricsModule {}

/** Metrics for Prometheus. A door serves them. */
export const metricsUnit = unit({
  name: 'metrics',
  module: MetricsModule,
  open() {
    const activity = new Activity();
    return {
      sinks: [new FeedSink('activity', 'others', (events) => activity.handle(events))],
      figures: [
        new Figure('verbatim_messages', 'Messages posted since this process started.', () => activity.messages),
        new Figure(
          'verbatim_registrations',
          'Accounts created since this process started.',
          () => activity.registrations,
        ),
      ],
    };
  },
});
