/** A metric with all its current values, as returned by prom-client. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** For histograms, ends with `_bucket`, `_sum` or `_count`. */
    readonly metricName?: string;
  }[];
}

/** All metrics, as text for Prometheus and one by one. Provided by the metrics unit. */
export abstract class MetricsText {
  /** Whether the doors of the main listener serve them. */
  abstract readonly atMainListener: boolean;

  abstract text(): Promise<string>;

  abstract families(): Promise<readonly MetricFamily[]>;
}

/** The media type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
