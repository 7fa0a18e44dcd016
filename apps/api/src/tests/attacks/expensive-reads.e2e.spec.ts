import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/test-client.testing.js';
import { startTarget, type Target } from './read-attack.testing.js';

describe('an account that reads what is expensive', () => {
  let target: Target;
  beforeAll(async () => {
    // One second of reading at once, and then 50 ms in each second.
    target = await startTarget({ LIMIT_READ_TIME: '1000/20' });
  }, 120_000);
  afterAll(() => target.end());

  /** Reads pages of events until it is refused; returns the seconds to wait. */
  async function readUntilRefused(person: TestPerson): Promise<number> {
    for (;;) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => person.get(`/v1/rooms/${target.room}/events?limit=200`)),
      );
      const refused = answers.find(({ status }) => status !== 200);
      if (!refused) continue;
      expect(refused.body.code).toBe('rate_limited');
      return Number(refused.headers['retry-after']);
    }
  }
  const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  it('is refused when its time is used up, with the time to wait', async () => {
    const { attacker, bystander, room } = target;
    const seconds = await readUntilRefused(attacker);
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    // It may still write, and others may read.
    expect((await attacker.post(`/v1/rooms/${room}/messages`, { text: 'still here' })).status).toBe(201);
    expect((await bystander.get('/v1/rooms')).status).toBe(200);
    await sleep(seconds * 1_000);
    expect((await attacker.get(`/v1/rooms/${room}/messages?limit=1`)).status).toBe(200);
  }, 120_000);

  it('gets no more of the processor than its share, however often it asks', async () => {
    const { attacker, room } = target;
    await readUntilRefused(attacker);
    const before = target.cpuSeconds();
    const end = performance.now() + 4_000;
    const ask = async () => {
      while (performance.now() < end) {
        await attacker.get(`/v1/rooms/${room}/events?limit=200`);
        await sleep(100);
      }
    };
    await Promise.all(Array.from({ length: 4 }, ask));
    expect((target.cpuSeconds() - before) / 4).toBeLessThan(0.5);
  }, 120_000);

  it('pays for history on sockets from the same account, and gets it all, only later', async () => {
    const { attacker, room } = target;
    const pastOf = async () => {
      const socket = await attacker.follow(room, -1);
      return socket.when(() => {
        const events = socket.frames.flatMap(({ event, data }) => (event === 'events' ? data.events : []));
        if (events.length < 82) return false;
        expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i));
        socket.close();
        return true;
      }, 100_000);
    };
    await Promise.all(Array.from({ length: 6 }, pastOf));
    expect((await attacker.get(`/v1/rooms/${room}/events?limit=1`)).status).toBe(429);
  }, 120_000);
});

describe('an account that asks for a hundred pages at once', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget();
  }, 120_000);
  afterAll(() => target.end());

  it('keeps others waiting for a few of them at most', async () => {
    const { attacker, bystander, room } = target;
    let answered = 0;
    const headers = { authorization: `Bearer ${attacker.accessToken}` };
    const pages = Array.from({ length: 100 }, async () => {
      const answer = await fetch(`${target.url}/v1/rooms/${room}/events?limit=200`, { headers });
      await answer.arrayBuffer();
      answered++;
      return answer.status;
    });
    await expect.poll(() => answered, { interval: 1 }).toBeGreaterThan(0);
    const begun = answered;
    expect((await bystander.get('/v1/rooms')).status).toBe(200);
    expect(answered - begun).toBeLessThan(30);
    // On a slow machine some have waited too long by the time it is their turn.
    for (const status of await Promise.all(pages)) expect([200, 503]).toContain(status);
  }, 60_000);

  it('is refused what is too much even to wait', async () => {
    const { attacker, room } = target;
    const headers = { authorization: `Bearer ${attacker.accessToken}` };
    const ask = () => fetch(`${target.url}/v1/rooms/${room}/events?limit=200`, { headers });
    const answers = await Promise.all(Array.from({ length: 300 }, ask));
    const statuses = answers.map(({ status }) => status);
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toMatch(/^\d+$/);
  }, 60_000);
});
