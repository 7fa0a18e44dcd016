import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcome } from '../testing/contract.testing.js';
import { register, type TestPerson } from '../testing/test-client.testing.js';
import { startTestService, type TestService } from '../testing/test-service.testing.js';

let here: TestService;
let there: TestService;
let ada: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  here = await startTestService();
  there = await startTestService({ beside: here });
  [ada, bob] = [await register(here.url), await register(here.url)];
});
afterAll(async () => {
  await there.stop();
  await here.stop();
});

it('a room that is changed at two doors at once has the name that it ends up with to itself, and no other', async () => {
  for (let race = 0; race < 12; race++) {
    const [old, fresh] = [`old ${race}`, `new ${race}`];
    const room = await ada.room({ name: old });
    // The second sends the old name along; hashing the password gives the first time to rename the room in between.
    const second = ada.at(there.url).patch(`/v1/rooms/${room}`, { name: old, password: 'open sesame' });
    await new Promise((resolve) => setTimeout(resolve, race * 3));
    const outcomes = [await ada.patch(`/v1/rooms/${room}`, { name: fresh }), await second].map(outcome);
    expect(outcomes).toContain(200);

    const { name } = (await ada.get(`/v1/rooms/${room}`)).body;
    expect(outcome(await bob.post('/v1/rooms', { name }))).toBe('name_taken');
    expect(outcome(await bob.post('/v1/rooms', { name: name === old ? fresh : old }))).toBe(201);
  }
});
