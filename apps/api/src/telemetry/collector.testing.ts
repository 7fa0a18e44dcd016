import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

/** A span as received. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly milliseconds: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly linkedTraces: readonly string[];
  readonly service: Readonly<Record<string, string | number>>;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly values: readonly number[];
  readonly buckets: readonly number[];
}

/**
 * A fake OpenTelemetry collector: receives OTLP over HTTP on loopback and decodes its protobuf by the published field
 * numbers (opentelemetry-proto 1.x), without any code of the sending library.
 */
export class FakeCollector {
  readonly spans: ReceivedSpan[] = [];
  readonly metrics: ReceivedMetric[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** All bytes received, for searching. */
  readonly bodies: Buffer[] = [];
  /** Delay of its responses in milliseconds. */
  delay = 0;
  status = 200;

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<FakeCollector> {
    const server = createServer();
    const collector = new FakeCollector(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        if (collector.status === 200) collector.take(request, Buffer.concat(parts));
        setTimeout(() => {
          response.writeHead(collector.status, { 'content-type': 'application/x-protobuf' });
          response.end();
        }, collector.delay);
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  trace(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(request: IncomingMessage, body: Buffer): void {
    this.headers.push(request.headers);
    this.bodies.push(body);
    if (request.headers['content-type'] !== 'application/x-protobuf') throw new Error('not OTLP as protobuf');
    if (request.url?.endsWith('/v1/traces')) this.takeTraces(body);
    else if (request.url?.endsWith('/v1/metrics')) this.takeMetrics(body);
    else throw new Error(`no such address: ${request.url}`);
  }

  private takeTraces(body: Buffer): void {
    for (const { resource, scopeSpans } of decode('Traces', body).resourceSpans)
      for (const span of scopeSpans.flatMap(({ spans }: { spans: AnyMessage[] }) => spans))
        this.spans.push({
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          name: span.name,
          milliseconds: Number(BigInt(String(span.endTimeUnixNano)) - BigInt(String(span.startTimeUnixNano))) / 1e6,
          attributes: factsOf(span.attributes),
          linkedTraces: span.links.map(({ traceId }: AnyMessage) => hex(traceId)),
          service: factsOf(resource.attributes),
        });
  }

  private takeMetrics(body: Buffer): void {
    for (const { scopeMetrics } of decode('Metrics', body).resourceMetrics)
      for (const metric of scopeMetrics.flatMap(({ metrics }: { metrics: AnyMessage[] }) => metrics)) {
        const points = (metric.gauge ?? metric.sum ?? metric.histogram).dataPoints as AnyMessage[];
        this.metrics.push({
          name: metric.name,
          values: points.map(({ asDouble, sum }) => asDouble ?? sum),
          buckets: points.flatMap(({ bucketCounts = [] }) => bucketCounts.map(Number)),
        });
      }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: decoded protobuf has no static type.
type AnyMessage = any;

const schema = protobuf.parse(`
  syntax = "proto3";
  message Traces { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Link links = 13;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Metrics { repeated ResourceMetrics resource_metrics = 1; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
  message ScopeMetrics { repeated Metric metrics = 2; }
  message Metric { string name = 1; oneof data { Numbers gauge = 5; Numbers sum = 7; Histogram histogram = 9; } }
  message Numbers { repeated NumberPoint data_points = 1; }
  message NumberPoint { double as_double = 4; }
  message Histogram { repeated HistogramPoint data_points = 1; }
  message HistogramPoint { fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; }
  message Resource { repeated KeyValue attributes = 1; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`).root;

const decode = (type: string, body: Buffer): AnyMessage => schema.lookupType(type).decode(body);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const factsOf = (pairs: AnyMessage[]): Record<string, string | number> =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.stringValue || (value.intValue ? Number(value.intValue) : value.doubleValue),
    ]),
  );
