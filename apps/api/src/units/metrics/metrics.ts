import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { shared } from '../../doors/rest/shared-answer.js';

/** A figure that is read when it is asked for. */
export interface Figure {
  readonly name: `verbatim_${string}`;
  readonly help: string;
  read(): number | Promise<number>;
}

/** Figures for Prometheus: those of the process, and those of the service. */
export class Metrics {
  private readonly registry = new Registry();

  /** `measured` are metrics that belong to no registry yet. */
  constructor(figures: readonly Figure[], measured: readonly Metric[] = []) {
    collectDefaultMetrics({ register: this.registry });
    for (const metric of measured) this.registry.registerMetric(metric);
    for (const { name, help, read } of figures) {
      new Gauge({
        name,
        help,
        registers: [this.registry],
        async collect() {
          this.set(await read());
        },
      });
    }
  }

  readonly text = shared(() => this.registry.metrics());
}
