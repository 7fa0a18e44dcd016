import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import type { Figure } from '../../composition/contributions.js';
import type { MetricFamily, MetricsText } from '../../composition/metrics-text.js';
import { shared } from '../../composition/shared-answer.js';

/** Where metrics come from. */
interface Measured {
  figures(): readonly Figure[];
  measurements(): readonly Metric[];
}

/** Metrics for Prometheus: those of the process, and all that modules, doors and units contribute. */
export class Metrics implements MetricsText {
  atMainListener = true;
  private registry: Registry | undefined;

  constructor(private readonly measured: Measured) {}

  readonly text = shared(() => this.registered.metrics());

  async families(): Promise<readonly MetricFamily[]> {
    return (await this.registered.getMetricsAsJSON()) as unknown as readonly MetricFamily[];
  }

  private get registered(): Registry {
    this.registry ??= this.register();
    return this.registry;
  }

  private register(): Registry {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const metric of this.measured.measurements()) registry.registerMetric(metric);
    for (const figure of this.measured.figures()) register(figure, registry);
    return registry;
  }
}

function register({ name, help, read, counts }: Figure, registry: Registry): void {
  const registers = [registry];
  if (counts) {
    new Counter({
      ...{ name, help, registers },
      async collect() {
        const count = await readable(read);
        if (Number.isNaN(count)) return;
        this.reset();
        this.inc(count);
      },
    });
    return;
  }
  new Gauge({
    ...{ name, help, registers },
    async collect() {
      this.set(await readable(read));
    },
  });
}

/** NaN for a figure that cannot be read now, for example because the database is down; the others are still served. */
async function readable(read: Figure['read']): Promise<number> {
  try {
    return await read();
  } catch {
    return Number.NaN;
  }
}
