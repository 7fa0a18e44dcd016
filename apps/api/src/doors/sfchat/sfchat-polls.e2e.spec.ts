import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { pollTimes } from './polls.js';
import { type Answer, type ChatMember, FormVisitor, figureOf, textsIn } from './sfchat-client.testing.js';

/** Machines may be busy. */
const soon = { timeout: 15_000 };

let service: TestService;
let other: TestService;
let url: string;
let elsewhere: string;
let now = Date.parse('2026-03-01T12:00:00Z');
const usual = { ...pollTimes };

beforeAll(async () => {
  pollTimes.beforeNewer = 800;
  const clock = () => new Date(now);
  const [port, otherPort] = [await freePort(), await freePort()];
  service = await startTestService({ clock, environment: { SFCHAT_PORT: `${port}` } });
  other = await startTestService({ clock, beside: service, environment: { SFCHAT_PORT: `${otherPort}` } });
  url = `http://127.0.0.1:${port}`;
  elsewhere = `http://127.0.0.1:${otherPort}`;
});
afterAll(async () => {
  Object.assign(pollTimes, usual);
  await other?.stop();
  await service?.stop();
});

const polls = (replica: TestService) => figureOf(replica.url, 'verbatim_sfchat_polls');

async function readyChat(): Promise<{ ada: ChatMember; bob: ChatMember }> {
  const ada = await new FormVisitor(url).create();
  const bob = await new FormVisitor(elsewhere).join(ada.code);
  for (const member of [ada, bob]) await member.confirmAll();
  return { ada, bob };
}

async function timed(answer: Promise<Answer>): Promise<Answer & { took: number }> {
  const began = performance.now();
  return { ...(await answer), took: performance.now() - began };
}

const nothing = (status: string) => ({ results: { code: 200, msg: 'Ok', count: 0, status, messages: [] } });

describe('a poll', () => {
  it('is held for less than the 30 s after which proxies cut it, and gives way to a newer one after 3 s', () => {
    expect(usual).toMatchObject({ hold: 25_000, beforeNewer: 3_000 });
  });

  it('ends with an empty list when nothing happens', async () => {
    const { ada } = await readyChat();
    pollTimes.hold = 1_000;
    const { status, body, took } = await timed(ada.poll());
    pollTimes.hold = usual.hold;
    expect([status, body]).toEqual([200, nothing('ready')]);
    expect(took).toBeGreaterThan(950);
  });

  it('does not wait for anything but the exact text True', async () => {
    const { ada } = await readyChat();
    for (const value of ['False', 'true', '1', '']) {
      const { body, took } = await timed(ada.call('GET', `/api/v1/messages.json?longPolling=${value}`));
      expect(body).toEqual(nothing('ready'));
      expect(took).toBeLessThan(2_000);
    }
    const waiting = ada.call('GET', '/api/v1/messages.json?longPolling=True');
    await expect.poll(() => polls(service), soon).toBe(1);
    await ada.leave();
    expect((await waiting).body.results.status).toBe('closed');
  });

  it.each([
    ['at the same replica', () => url],
    ['at the other replica', () => elsewhere],
  ])('gives way to a newer one of the same person %s, but not at once', async (_, place) => {
    const { ada, bob } = await readyChat();
    const older = timed(ada.poll());
    await expect.poll(() => polls(service), soon).toBe(1);
    const newer = ada.at(place()).poll();
    const { status, body, took } = await older;
    expect([status, body]).toEqual([200, nothing('ready')]);
    expect(took).toBeGreaterThan(750);
    expect(took).toBeLessThan(6_000);
    await bob.say('for the newer one');
    expect(textsIn(await newer)).toEqual(['for the newer one']);
  });

  it('makes no storm when one chat is open in two tabs', async () => {
    const { ada } = await readyChat();
    const until = performance.now() + 2_000;
    let requests = 0;
    const tab = async () => {
      for (; performance.now() < until; requests++) await ada.poll();
    };
    const tabs = Promise.all([tab(), tab()]);
    await sleep(2_000);
    await ada.leave();
    await tabs;
    expect(requests).toBeLessThan(8);
  });

  it('loses nothing when the response breaks off on the way', async () => {
    const { ada, bob } = await readyChat();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      `GET /api/v1/messages.json HTTP/1.1\r\nhost: x\r\nx-sfc-usertoken: ${ada.token}\r\nx-sfc-chattoken: ${ada.code}\r\n\r\n`,
    );
    await expect.poll(() => polls(service), soon).toBe(1);
    socket.destroy();
    await expect.poll(() => polls(service), soon).toBe(0);
    await bob.say('still there');
    expect(textsIn(await ada.poll())).toEqual(['still there']);
    expect(textsIn(await ada.poll())).toEqual(['still there']);
  });

  it('reports that the other has been silent for too long', async () => {
    const { ada, bob } = await readyChat();
    await ada.say('are you there?');
    now += 72_000;
    expect((await ada.look()).body).toEqual(nothing('ready'));
    now += 1_000;
    const { body } = await ada.poll();
    expect([body.results.status, body.results.messages.map(({ msg }: { msg: string }) => msg)]).toEqual([
      'closed',
      ['Thank you for using SFChat.<br> Chat was successfully closed by Talker.'],
    ]);
    expect(textsIn(await bob.look())).toEqual([
      'are you there?',
      'Thank you for using SFChat<br>Current chat was successfully closed.',
    ]);
  });

  it('beyond capacity gets a late, empty answer, so that its page continues', async () => {
    const port = await freePort();
    const environment = { SFCHAT_PORT: `${port}`, RATE_LIMITS: 'on', LIMIT_REQUESTS_ADDRESS: '1' };
    const small = await startTestService({ clock: () => new Date(now), beside: service, environment });
    const { ada, bob } = await readyChat();
    const held = ada.at(`http://127.0.0.1:${port}`).poll();
    await expect.poll(() => polls(service).then(() => figureOf(small.url, 'verbatim_sfchat_polls')), soon).toBe(1);
    const { status, body, took } = await timed(bob.at(`http://127.0.0.1:${port}`).poll());
    expect([status, body]).toEqual([200, nothing('draft')]);
    expect(took).toBeGreaterThan(750);
    await ada.leave();
    await held;
    await small.stop();
  });

  it('is answered when its replica stops, as is everything else until then', async () => {
    const { ada, bob } = await readyChat();
    await bob.say('confirm me');
    const { body } = await ada.look();
    const leaving = { ada: ada.at(elsewhere), bob: bob.at(elsewhere) };
    const held = timed(leaving.bob.poll());
    await expect.poll(() => polls(other), soon).toBe(1);
    const stopped = other.stop();
    const answer = await held;
    expect([answer.status, answer.body]).toEqual([200, nothing('ready')]);
    expect(answer.headers.get('connection')).toBe('close');
    const [again, said, confirmed] = await Promise.all([
      timed(leaving.bob.poll()),
      leaving.bob.say('while it stops'),
      leaving.ada.confirm(body.results.messages[0]._id),
    ]);
    expect([again.status, said.status, confirmed.status]).toEqual([200, 202, 202]);
    expect(again.took).toBeLessThan(3_000);
    await stopped;
    expect(textsIn(await ada.poll())).toEqual(['while it stops']);
  });
});
