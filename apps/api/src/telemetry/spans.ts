import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Recorded } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { exporterOptions, FAREWELL_MS, resourceOf, tellOutages } from './collector.js';
import { endpointOf, type TelemetrySettings } from './telemetry-settings.js';
import type { Span, SpanFacts, Tracing } from './tracing.js';

export const tracingLimits = {
  /** Spans waiting to be sent; further ones are dropped. */
  waiting: 4_096,
  /** Spans per call to the collector, and milliseconds between two calls. */
  batch: 512,
  delay: 2_000,
  /** Maximum number of events in a batch that get a span each; larger batches mean that a process is catching up. */
  events: 500,
  /** Recent traces that are known to have their first span. */
  begun: 10_000,
} as const;

/** Trailing digits of a correlation id that decide whether its trace is sampled: its last group, which is random. */
const RANDOM_DIGITS = 12;

/** Tracing with OpenTelemetry over OTLP. Nothing here waits for the collector. */
export class OpenTelemetryTracing implements Tracing {
  private readonly ids = new Ids();
  private readonly threshold: number;
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private readonly begun = new LRUCache<string, true>({ max: tracingLimits.begun });

  constructor(settings: TelemetrySettings, log: Logger) {
    this.threshold = (1 - shareOf(settings)) * 16 ** RANDOM_DIGITS;
    const exporter = new OTLPTraceExporter(exporterOptions(settings, endpointOf(settings, 'traces') ?? ''));
    this.provider = new TracerProvider({
      resource: resourceOf(settings),
      idGenerator: this.ids,
      // Sampling is decided per trace, before its spans are created.
      sampler: new AlwaysOnSampler(),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: tellOutages(exporter, 'traces', log),
          maxQueueSize: tracingLimits.waiting,
          maxExportBatchSize: tracingLimits.batch,
          scheduledDelayMillis: tracingLimits.delay,
        }),
      ],
    });
    this.tracer = this.provider.getTracer('verbatim');
  }

  request(correlation: string, name: string, facts?: SpanFacts, parent?: string): Span | undefined {
    const traceId = this.recorded(correlation);
    return traceId === null ? undefined : this.first(traceId, name, facts, parent);
  }

  command(correlation: string, name: string, facts?: SpanFacts): Span | undefined {
    const traceId = this.recorded(correlation);
    if (traceId === null) return undefined;
    if (!this.begun.has(traceId)) return this.first(traceId, name, facts);
    return this.span(this.tracer.startSpan(name, { attributes: { ...facts } }, below(traceId)));
  }

  done(name: string, events: readonly Recorded[], began: number, facts?: SpanFacts): void {
    if (events.length > tracingLimits.events) return;
    for (const event of events) {
      const traceId = this.recorded(event.correlation);
      if (traceId === null) continue;
      const attributes = { ...factsOf(event), ...facts };
      const options = { attributes, startTime: began, kind: SpanKind.CONSUMER };
      this.tracer.startSpan(name, options, below(traceId)).end();
    }
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FAREWELL_MS);
    });
    await Promise.race([this.provider.shutdown().catch(() => undefined), patience]);
    clearTimeout(timer);
  }

  /**
   * The trace id if the trace is sampled. Its last digits decide, so that all replicas agree, at little cost for
   * unsampled ones.
   */
  private recorded(correlation: string): string | null {
    return Number.parseInt(correlation.slice(-RANDOM_DIGITS), 16) < this.threshold ? null : traceIdOf(correlation);
  }

  private first(traceId: string, name: string, facts?: SpanFacts, parent?: string): Span {
    this.begun.set(traceId, true);
    const remote = parent === undefined ? null : parseTraceParent(parent);
    const links = remote ? [{ context: remote }] : [];
    this.ids.next = { traceId, spanId: firstSpanOf(traceId) };
    const span = this.tracer.startSpan(
      name,
      { root: true, kind: SpanKind.SERVER, attributes: { ...facts }, links },
      ROOT_CONTEXT,
    );
    this.ids.next = undefined;
    return this.span(span);
  }

  private span(span: OtelSpan): Span {
    return {
      step: (name, facts) =>
        this.span(this.tracer.startSpan(name, { attributes: { ...facts } }, trace.setSpan(ROOT_CONTEXT, span))),
      end: (facts, failed) => {
        if (facts) span.setAttributes({ ...facts });
        if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }
}

/** A correlation id is a UUID; the trace id has the same digits without dashes. Null for other ids, which imports use. */
function traceIdOf(correlation: string): string | null {
  const digits = correlation.replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(digits) ? digits : null;
}

/** The second half of the trace id: random, and never zero in a UUID. */
const firstSpanOf = (traceId: string): string => traceId.slice(16);

/** The context of a step below the first span of a trace, which may be on another replica. */
const below = (traceId: string): Context =>
  trace.setSpanContext(ROOT_CONTEXT, {
    ...{ traceId, spanId: firstSpanOf(traceId), traceFlags: TraceFlags.SAMPLED },
    isRemote: true,
  });

const factsOf = ({ id, type, stream, position }: Recorded): SpanFacts => ({
  'verbatim.event.id': id,
  'verbatim.event.type': type,
  'verbatim.stream': stream,
  'verbatim.position': Number(position),
});

/** The sampling ratio, from 0 to 1. */
const shareOf = ({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }: TelemetrySettings): number =>
  ({ always_off: 0, always_on: 1, traceidratio: OTEL_TRACES_SAMPLER_ARG })[OTEL_TRACES_SAMPLER];

/** Random ids, except for the first span of a trace. */
class Ids implements IdGenerator {
  next: { readonly traceId: string; readonly spanId: string } | undefined;
  private readonly random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.next?.traceId ?? this.random.generateTraceId();
  }

  generateSpanId(): string {
    return this.next?.spanId ?? this.random.generateSpanId();
  }
}
