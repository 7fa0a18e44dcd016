import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register } from './tests/harness/test-client.testing.js';
import { startTestService, type TestService } from './tests/harness/test-service.testing.js';

describe('the shortest path: two people talk', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.stop());

  it('delivers what one writes to the other, live and in the history, as a sealed event', async () => {
    const ada = await register(service.url);
    const bob = await register(service.url);
    const room = await ada.room();
    expect((await bob.post(`/v1/rooms/${room}/members`, {})).status).toBe(201);
    const ear = await bob.connect();
    expect((await ear.ask('follow', { room })).data).toMatchObject({ recovered: true });

    const posted = await ada.post(`/v1/rooms/${room}/messages`, { text: 'Grüße, 世界 👋' });

    expect(posted.status).toBe(201);
    const { data } = await ear.next('events');
    expect(data.events[0].data.text).toBe('Grüße, 世界 👋');
    const history = await bob.get(`/v1/rooms/${room}/messages`);
    expect(history.body.items.map((message: { text: string }) => message.text)).toEqual(['Grüße, 世界 👋']);
    const events = await bob.get(`/v1/rooms/${room}/events`);
    expect(events.body.items.at(-1).sealed).not.toContain('世界');
    ear.close();
  });
});

it('starts without a warning', async () => {
  let logged = '';
  const write = (chunk: Buffer, _: string, done: () => void) => {
    logged += chunk;
    done();
  };
  const service = await startTestService({ log: pino({ level: 'warn' }, new Writable({ write })) });
  await service.stop();
  expect(logged).toBe('');
});
