/** All metrics as Prometheus reads them. The metrics unit provides it. */
export abstract class MetricsText {
  /** Whether the doors of the main listener hand them out. */
  abstract readonly atMainListener: boolean;

  abstract text(): Promise<string>;
}

/** The media type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
