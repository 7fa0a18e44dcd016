/** All metrics as Prometheus reads them. The metrics unit provides it. */
export abstract class MetricsText {
  abstract text(): Promise<string>;
}
