import { type HrTime, ValueType } from '@opentelemetry/api';
import { hrTime, millisToHrTime } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  type MetricData,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Logger } from 'pino';
import type { MetricFamily, MetricsText } from '../../composition/metrics-text.js';
import { exporterOptions, FAREWELL_MS, resourceOf, tellOutages } from '../../telemetry/collector.js';
import { endpointOf, type TelemetrySettings } from '../../telemetry/telemetry-settings.js';

/** Sends all metrics at intervals, under their Prometheus names. Returns a function that stops it. */
export function exportMetrics(
  metrics: Pick<MetricsText, 'families'>,
  settings: TelemetrySettings,
  log: Logger,
): () => Promise<void> {
  const exporter = new OTLPMetricExporter(exporterOptions(settings, endpointOf(settings, 'metrics') ?? ''));
  const interval = settings.OTEL_METRIC_EXPORT_INTERVAL;
  const reader = new PeriodicExportingMetricReader({
    exporter: tellOutages(exporter, 'metrics', log),
    exportIntervalMillis: interval,
    exportTimeoutMillis: Math.min(interval, settings.OTEL_EXPORTER_OTLP_TIMEOUT),
    metricProducers: [new PrometheusMetrics(metrics)],
  });
  const provider = new MeterProvider({ resource: resourceOf(settings), readers: [reader] });
  return () => provider.shutdown({ timeoutMillis: FAREWELL_MS }).catch(() => undefined);
}

/** Translates the metrics of prom-client since the process started. */
export class PrometheusMetrics implements MetricProducer {
  private readonly began = millisToHrTime(performance.timeOrigin);

  constructor(private readonly metrics: Pick<MetricsText, 'families'>) {}

  async collect() {
    const now = hrTime();
    const families = await this.metrics.families();
    const metrics = families.flatMap((family) => translated(family, this.began, now) ?? []);
    const scopeMetrics = [{ scope: { name: 'verbatim' }, metrics }];
    return { resourceMetrics: { resource: resourceFromAttributes({}), scopeMetrics }, errors: [] };
  }
}

/** Null for a summary; this service has none. */
function translated(family: MetricFamily, startTime: HrTime, endTime: HrTime): MetricData | null {
  const base = {
    descriptor: { name: family.name, description: family.help, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (family.type === 'histogram') {
    const dataPoints = histogramsOf(family).map((one) => ({ startTime, endTime, ...one }));
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  if (family.type === 'summary') return null;
  const dataPoints = family.values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ value, labels }) => ({ startTime, endTime, attributes: { ...labels }, value }));
  return family.type === 'counter'
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** Prometheus buckets are cumulative, those of OpenTelemetry are not. */
function histogramsOf({ name, values }: MetricFamily) {
  const byLabels = new Map<string, { attributes: Record<string, string | number>; sum: number; upTo: number[][] }>();
  for (const { metricName, value, labels } of values) {
    const { le, ...attributes } = labels;
    const key = JSON.stringify(attributes);
    const one = byLabels.get(key) ?? { attributes, sum: 0, upTo: [] };
    byLabels.set(key, one);
    if (metricName === `${name}_sum`) one.sum = value;
    else if (metricName === `${name}_bucket`)
      one.upTo.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
  }
  return [...byLabels.values()].map(({ attributes, sum, upTo }) => {
    const sorted = upTo.toSorted(([a = 0], [b = 0]) => a - b);
    const counts = sorted.map(([, count = 0], i) => count - (sorted[i - 1]?.[1] ?? 0));
    const boundaries = sorted.map(([le = 0]) => le).filter(Number.isFinite);
    return { attributes, value: { buckets: { boundaries, counts }, sum, count: sorted.at(-1)?.[1] ?? 0 } };
  });
}
