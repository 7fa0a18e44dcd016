import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidConfiguration, readConfig } from '../config.js';
import { newId } from '../new-id.js';
import { FakeCollector } from './collector.testing.js';
import { openTracing } from './open-tracing.js';
import { tracingLimits } from './spans.js';
import type { Tracing } from './tracing.js';

let collector: FakeCollector;
let lines: string[];
const open: Tracing[] = [];

beforeEach(async () => {
  collector = await FakeCollector.start();
  lines = [];
});
afterEach(async () => {
  await collector.stop();
  await Promise.all(open.splice(0).map((tracing) => tracing.close()));
});

async function tracing(environment: Record<string, string> = {}): Promise<Tracing> {
  const config = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment });
  // A closed one may still report a failure, which does not belong to the next test.
  const own = lines;
  const opened = await openTracing(config, pino({ level: 'info' }, { write: (line) => own.push(line) }));
  if (!opened) throw new Error('tracing is off');
  open.push(opened);
  return opened;
}

const eventOf = (correlation: string) =>
  ({ id: newId(), type: 'MessagePosted', stream: 'room-1', position: 7n, correlation }) as never;

describe('traces are off', () => {
  it.each<Record<string, string>>([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:4318/v1/metrics' },
  ])('with %j', async (environment) => {
    expect(await openTracing(readConfig(environment), pino({ level: 'silent' }))).toBeUndefined();
  });
});

it.each([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'sesame'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
])('the start is refused for %s=%s, without its value', (name, value) => {
  const start = () => readConfig({ [name]: value });
  expect(start).toThrow(InvalidConfiguration);
  expect(start).toThrow(name);
  expect(start).not.toThrow(value);
});

describe('sampling', () => {
  it('is decided by us alone, whatever a client asks for', async () => {
    const off = await tracing({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    expect(off.request(newId(), 'POST', {}, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)).toBeUndefined();
  });

  it('is the same on every replica', async () => {
    const ratio = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
    const [here, there] = [await tracing(ratio), await tracing(ratio)];
    const correlations = Array.from({ length: 400 }, () => newId());
    for (const correlation of correlations) here.request(correlation, 'request')?.end();
    there.done('feed', correlations.map(eventOf), Date.now());
    await Promise.all([here.close(), there.close()]);
    const tracesWith = (name: string) =>
      collector.spans.filter((span) => span.name === name).map(({ traceId }) => traceId);
    expect(tracesWith('feed').sort()).toEqual(tracesWith('request').sort());
    // Five standard deviations around a hundred.
    expect(Math.abs(tracesWith('feed').length - 100)).toBeLessThan(44);
  });

  it('skips what is no request, and a process that is catching up', async () => {
    const here = await tracing();
    here.done('feed', [eventOf('import of 2005-09-26.txt')], Date.now());
    here.done(
      'feed',
      Array.from({ length: tracingLimits.events + 1 }, () => eventOf(newId())),
      Date.now(),
    );
    expect(here.command('import of 2005-09-26.txt', 'PostMessage')).toBeUndefined();
    await here.close();
    expect(collector.spans).toEqual([]);
  });
});

it('a command that came through no door is the first span, with its next steps below it', async () => {
  const [here, correlation] = [await tracing(), newId()];
  for (const name of ['CreateRoom', 'AddMember']) here.command(correlation, name)?.end();
  await here.close();
  const [first, second] = collector.trace(correlation.replaceAll('-', ''));
  expect([first?.parentSpanId, second?.parentSpanId]).toEqual(['', first?.spanId]);
});

describe('a collector', () => {
  it('that never answers gets what fits into the queue; the rest is dropped', async () => {
    collector.delay = 60_000;
    const here = await tracing();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 20 * tracingLimits.waiting; i++) here.request(newId(), 'request')?.end();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200_000_000);
    const began = Date.now();
    await here.close();
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(collector.spans.length).toBeLessThanOrEqual(tracingLimits.waiting + tracingLimits.batch);
  });

  it('that is down is logged once, without its address, and once when it is back', async () => {
    collector.status = 400;
    const here = await tracing({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=sesame' });
    const logged = () => lines.map((line) => JSON.parse(line).msg);
    const send = async (until: () => boolean) => {
      const sent = () => {
        here.request(newId(), 'request')?.end();
        return until();
      };
      await expect.poll(sent, { timeout: 20_000 }).toBe(true);
    };
    await send(() => logged().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 2 * tracingLimits.delay));
    expect(logged()).toEqual([expect.stringContaining('is not accepting data')]);
    collector.status = 200;
    await send(() => logged().length === 2);
    expect(logged()[1]).toContain('again');
    expect(lines.join('')).not.toMatch(/sesame|127\.0\.0\.1/);
  });
});
