import { z } from 'zod';

const blank = (value: unknown) => (value === '' ? undefined : value);
const address = z.preprocess(
  blank,
  z
    .url()
    .regex(/^https?:\/\//, 'must begin with http:// or https://')
    .optional(),
);
const protocol = z.preprocess(blank, z.literal('http/protobuf', 'must be http/protobuf').optional());
const exporter = z.preprocess(blank, z.enum(['otlp', 'none']).default('otlp'));
const pairs = z
  .string()
  .default('')
  .transform(readPairs)
  .refine((read) => read !== null, 'must be comma-separated name=value pairs, percent-encoded')
  .transform((read) => read ?? {});

const samplers = ['always_on', 'always_off', 'traceidratio'] as const;

/**
 * The environment variables of OpenTelemetry, with its names and meanings
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and .../protocol/exporter/).
 */
export const telemetrySettings = {
  OTEL_SDK_DISABLED: z.preprocess(blank, z.stringbool().default(false)),
  OTEL_EXPORTER_OTLP_ENDPOINT: address,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address,
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: address,
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_HEADERS: pairs,
  OTEL_EXPORTER_OTLP_TIMEOUT: z.preprocess(blank, z.coerce.number().int().min(1).max(60_000).default(10_000)),
  OTEL_TRACES_EXPORTER: exporter,
  OTEL_METRICS_EXPORTER: exporter,
  OTEL_SERVICE_NAME: z.preprocess(blank, z.string().max(200).default('verbatim')),
  OTEL_RESOURCE_ATTRIBUTES: pairs,
  /** Traces start here, so a sampler that asks the parent first behaves like the one it falls back to. */
  OTEL_TRACES_SAMPLER: z.preprocess(
    (value) => (typeof value === 'string' ? blank(value.replace(/^parentbased_/, '')) : value),
    z.enum(samplers).default('always_on'),
  ),
  OTEL_TRACES_SAMPLER_ARG: z.preprocess(blank, z.coerce.number().min(0).max(1).default(1)),
  OTEL_METRIC_EXPORT_INTERVAL: z.preprocess(blank, z.coerce.number().int().min(100).max(3_600_000).default(60_000)),
};

export type TelemetrySettings = z.infer<z.ZodObject<typeof telemetrySettings>>;

/** Where to send traces or metrics; undefined when they are off. */
export function endpointOf(settings: TelemetrySettings, signal: 'traces' | 'metrics'): string | undefined {
  const [own, kind] =
    signal === 'traces'
      ? [settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, settings.OTEL_TRACES_EXPORTER]
      : [settings.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, settings.OTEL_METRICS_EXPORTER];
  if (settings.OTEL_SDK_DISABLED || kind === 'none') return undefined;
  const all = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  return own ?? (all && `${all.replace(/\/+$/, '')}/v1/${signal}`);
}

/** Parses `a=1,b=x%20y`; null if it is invalid. */
function readPairs(text: string): Readonly<Record<string, string>> | null {
  const read: Record<string, string> = {};
  for (const pair of text.split(',').filter((pair) => pair.trim() !== '')) {
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~\w/-]+)\s*=\s*([^\s].*?|)\s*$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) return null;
    try {
      read[name] = decodeURIComponent(value);
    } catch {
      return null;
    }
  }
  return read;
}
