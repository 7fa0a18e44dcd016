/** A metric with all its values now, as prom-client gives it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** Of histograms: with `_bucket`, `_sum` or `_count` at the end. */
    readonly metricName?: string;
  }[];
}

/** All metrics, as Prometheus reads them and one by one. The metrics unit provides it. */
export abstract class MetricsText {
  /** Whether the doors of the main listener hand them out. */
  abstract readonly atMainListener: boolean;

  abstract text(): Promise<string>;

  abstract families(): Promise<readonly MetricFamily[]>;
}

/** The media type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
