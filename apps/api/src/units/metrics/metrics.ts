import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import type { Figure } from '../../composition/contributions.js';
import type { MetricsText } from '../../composition/metrics-text.js';
import { shared } from '../../composition/shared-answer.js';

/** Where metrics come from. */
interface Measured {
  figures(): readonly Figure[];
  measurements(): readonly Metric[];
}

/** Metrics for Prometheus: those of the process, and all that modules, doors and units contribute. */
export class Metrics implements MetricsText {
  private registry: Registry | undefined;

  constructor(private readonly measured: Measured) {}

  readonly text = shared(() => {
    this.registry ??= this.register();
    return this.registry.metrics();
  });

  private register(): Registry {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const metric of this.measured.measurements()) registry.registerMetric(metric);
    for (const { name, help, read } of this.measured.figures()) {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          this.set(await read());
        },
      });
    }
    return registry;
  }
}
