import { Global, Module } from '@nestjs/common';
import { z } from 'zod';
import { Contributions, FeedSink, Figure } from '../../composition/contributions.js';
import { METRICS_TYPE, MetricsText } from '../../composition/metrics-text.js';
import type { Host } from '../../host/host.js';
import { unit } from '../../host/part.js';
import { Activity } from './activity.js';
import { Metrics } from './metrics.js';

const providers = [
  { provide: Metrics, useFactory: (all: Contributions) => new Metrics(all), inject: [Contributions] },
  { provide: MetricsText, useExisting: Metrics },
];

@Global()
@Module({ providers, exports: providers })
class MetricsModule {}

/** Metrics for Prometheus. They are served by the REST door, or by a separate listener on METRICS_PORT. */
export const metricsUnit = unit({
  name: 'metrics',
  module: MetricsModule,
  settings: {
    METRICS_PORT: z.preprocess(
      (value) => (value === '' ? undefined : value),
      z.coerce.number().int().min(1).max(65_535).optional(),
    ),
  },
  open(application, host, { METRICS_PORT }) {
    if (METRICS_PORT !== undefined) listen(application.get(Metrics), host, METRICS_PORT);
    const activity = new Activity();
    return {
      sinks: [new FeedSink('activity', 'others', (events) => activity.handle(events))],
      figures: [
        new Figure('verbatim_messages_total', 'Messages posted since this process started.', () => activity.messages),
        new Figure(
          'verbatim_registrations_total',
          'Accounts created since this process started.',
          () => activity.registrations,
        ),
      ],
    };
  },
});

function listen(metrics: Metrics, host: Host, port: number): void {
  metrics.atMainListener = false;
  host.listen(port).fastify.get('/metrics', async (_, reply) => {
    reply.header('content-type', METRICS_TYPE).header('cache-control', 'no-store');
    return metrics.text();
  });
}
