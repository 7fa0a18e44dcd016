import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually, register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { Receiver } from './receiver.testing.js';

/** 320 receivers that answer 200, but only after this many milliseconds. */
const SLOW = 9_000;
const [ROOMS, HOOKS] = [16, 20];
/** Slots that one owner, or any single cause, can release while someone else waits for one. */
const FEW = 4;

const environment = { WEBHOOK_ALLOW_PRIVATE: 'on' };
let left: TestService;
let right: TestService;
let bob: TestPerson;
let lounge: string;
let receiver: Receiver;
let slow: Server;
let slowUrl: string;
/** Requests that slow receivers have received and answered. */
let asked = 0;
let answered = 0;

beforeAll(async () => {
  left = await startTestService({ environment });
  right = await startTestService({ environment, beside: left });
  receiver = await Receiver.start();
  slow = createServer((request, response) => {
    asked += 1;
    request.resume();
    setTimeout(() => {
      answered += 1;
      response.end();
    }, SLOW).unref();
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  slowUrl = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
  bob = await register(left.url);
  lounge = await bob.room();
  expect((await bob.post(`/v1/rooms/${lounge}/webhooks`, { url: receiver.url })).status).toBe(201);
}, 60_000);
afterAll(async () => {
  await right.stop();
  await left.stop();
  slow.closeAllConnections();
  slow.close();
  await receiver.down();
});
beforeEach(() => {
  asked = 0;
  answered = 0;
});

/** Has the owners add webhooks to the rooms until each has 20; then posts in all of them. */
async function attack(rooms: readonly string[], owners: readonly TestPerson[]): Promise<void> {
  for (const room of rooms)
    for (let i = 0; i < HOOKS; i++) {
      const owner = owners[i % owners.length] as TestPerson;
      expect((await owner.post(`/v1/rooms/${room}/webhooks`, { url: slowUrl })).status).toBe(201);
    }
  const [one] = owners as [TestPerson];
  for (let i = 0; i < 5; i++) await Promise.all(rooms.map((room) => one.says(room, `noise ${i}`)));
  await eventually(
    async () => asked,
    (count) => count >= 16,
  );
}

/** Bob's message is delivered; returns how many slow receivers answered meanwhile, and how long it took. */
async function deliver(text: string, url = left.url): Promise<{ overtaken: number; tookMs: number }> {
  const [before, began] = [answered, performance.now()];
  await bob.at(url).says(lounge, text);
  await eventually(
    async () => receiver.texts().includes(text),
    (there) => there,
  );
  return { overtaken: answered - before, tookMs: performance.now() - began };
}

/** Delivers repeatedly. */
async function deliverMany(
  what: string,
  forMs: number,
  url?: string,
): Promise<{ overtaken: number; tookMs: number }[]> {
  const all: Awaited<ReturnType<typeof deliver>>[] = [];
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    all.push(await deliver(`${what} ${all.length}`, url));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return all;
}

function expectUndisturbed(deliveries: readonly { overtaken: number; tookMs: number }[]): void {
  // Waiting for one of their slots would mean waiting for many answers; a few arrive by chance.
  const longest = deliveries.reduce((one, other) => (one.tookMs > other.tookMs ? one : other));
  expect(longest.tookMs).toBeLessThan(SLOW / 2);
  const times = deliveries.map(({ overtaken }) => overtaken).sort((a, b) => a - b);
  expect(times[Math.floor(times.length / 2)]).toBeLessThanOrEqual(FEW);
}

it('one owner of many rooms with slow receivers delays no one else, on any replica, even after a restart', async () => {
  const eve = await register(left.url);
  const rooms = await Promise.all(Array.from({ length: ROOMS }, () => eve.room()));
  await attack(rooms, [eve]);
  expectUndisturbed(await deliverMany('during', SLOW + 1_000));
  // Either replica may be sending: the other one after this, and the first again after that.
  for (const [service, other] of [
    [left, right],
    [right, left],
  ] as const) {
    await service.restart();
    await deliver(`after ${service.url}`, other.url);
    expectUndisturbed(await deliverMany(`at ${other.url}`, SLOW / 2, other.url));
  }
  for (const room of rooms) await eve.at(left.url).post(`/v1/rooms/${room}/close`);
}, 300_000);

it('many owners of one room each delay no one else', async () => {
  const owners: TestPerson[] = [];
  for (let i = 0; i < HOOKS; i++) owners.push(await register(left.url));
  const [first, ...others] = owners as [TestPerson, ...TestPerson[]];
  const rooms: string[] = [];
  for (let i = 0; i < ROOMS; i++) rooms.push(await first.roomWith(others.map((owner) => [owner, 'owner'])));
  await attack(rooms, owners);
  expectUndisturbed(await deliverMany('crowd', SLOW + 1_000));
}, 300_000);
