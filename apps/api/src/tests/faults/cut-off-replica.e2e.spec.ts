import { afterAll, beforeAll, expect, it } from 'vitest';
import { StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { CuttingProxy } from '../../../../../libs/event-store/src/postgres/cutting-proxy.testing.js';
import { outcome } from '../harness/contract.testing.js';
import { eventually, register, type TestPerson } from '../harness/test-client.testing.js';
import { startTestService, type TestService } from '../harness/test-service.testing.js';
import { listeningLog } from './outage.testing.js';

/** Milliseconds for which the second replica does not reach the event store; it is over before that, in each test. */
const CUT_OFF_MS = 60_000;

let standIn: StandIn;
let way: CuttingProxy;
let reaching: TestService;
let cutOff: TestService;
let owner: TestPerson;
let bob: TestPerson;
let room: string;

beforeAll(async () => {
  standIn = await StandIn.start();
  way = await CuttingProxy.open(standIn.url);
  const { log } = listeningLog();
  reaching = await startTestService({ environment: { EVENT_STORE_URL: standIn.url }, log });
  cutOff = await startTestService({ beside: reaching, environment: { EVENT_STORE_URL: way.url }, log });
  owner = await register(reaching.url);
  bob = (await register(reaching.url)).at(cutOff.url);
  room = await owner.roomWith([bob]);
  await owner.says(room, 'before');
});
afterAll(async () => {
  await cutOff.stop();
  await reaching.stop();
  await way.close();
  standIn.stop();
});

const history = () => bob.get(`/v1/rooms/${room}/messages`);
const texts = ({ body }: { body: { items: { text: string }[] } }) => body.items.map(({ text }) => text);

it('a replica that does not reach the event store shows what it knows, and nothing from after somebody was removed', async () => {
  await eventually(history, (answer) => outcome(answer) === 200 && texts(answer).includes('before'));
  way.refuse('resets', CUT_OFF_MS);

  const still = await eventually(history, (answer) => outcome(answer) === 200);
  expect(texts(still)).toEqual(['before']);
  expect(outcome(await bob.get(`/v1/rooms/${room}`))).toBe(200);
  expect(outcome(await bob.get(`/v1/rooms/${room}/members`))).toBe(200);
  // A refusal would rest on what this replica has not heard of.
  const other = await owner.room({ visibility: 'hidden' });
  expect(outcome(await bob.get(`/v1/rooms/${other}`))).toBe('unavailable');
  expect(outcome(await bob.get(`/v1/rooms/${other}/messages`))).toBe('unavailable');

  await owner.delete(`/v1/rooms/${room}/members/${bob.id}`);
  await owner.says(room, 'not for bob');
  for (const path of [`/v1/rooms/${room}/messages`, `/v1/rooms/${room}`, `/v1/search?q=bob&room=${room}`]) {
    const answer = await bob.get(path);
    expect(answer.text).not.toContain('not for bob');
    expect(['unavailable', 'not_found']).toContain(outcome(answer));
  }
});
