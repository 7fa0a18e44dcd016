import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';

/** A figure that is read when it is asked for. */
export interface Figure {
  readonly name: `verbatim_${string}`;
  readonly help: string;
  read(): number | Promise<number>;
}

/** Figures for Prometheus: those of the process, and those of the service. */
export class Metrics {
  private readonly registry = new Registry();
  private reading: Promise<string> | null = null;

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

  /** However many ask at a time, the figures are read once. */
  text(): Promise<string> {
    this.reading ??= this.registry.metrics().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }
}
