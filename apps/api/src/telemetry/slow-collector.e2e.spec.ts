import { afterAll, beforeAll, expect, it } from 'vitest';
import { register, type TestPerson } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';
import { FakeCollector } from './collector.testing.js';

let collector: FakeCollector;
let service: TestService;
let ada: TestPerson;
let room: string;

beforeAll(async () => {
  collector = await FakeCollector.start();
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_METRIC_EXPORT_INTERVAL: '100' };
  service = await startTestService({ environment });
  ada = await register(service.url);
  room = await ada.room();
});
afterAll(async () => {
  await service.stop();
});

it('a post waits neither for a collector that does not answer, nor for one that is gone', async () => {
  collector.delay = 120_000;
  const follower = await ada.follow(room);
  // The collector holds the first batch and has answered nothing so far.
  const kept = collector.bodies.length;
  await ada.says(room, 'before');
  await expect.poll(() => collector.bodies.length, { timeout: 10_000 }).toBeGreaterThan(kept);
  for (let i = 0; i < 20; i++) await ada.says(room, `while it is slow ${i}`);
  await collector.stop();
  for (let i = 0; i < 20; i++) await ada.says(room, `while it is gone ${i}`);
  const received = () =>
    follower.frames.flatMap(({ event, data }) => (event === 'events' ? data.events : [])).map(({ data }) => data.text);
  await expect.poll(() => received().length).toBe(41);
  follower.close();
});
