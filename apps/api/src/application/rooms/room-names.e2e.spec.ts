import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

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

it('a room changed through two replicas at once holds only the name it ends up with', async () => {
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

describe('rooms have one name', () => {
  it.each([
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['Ｂａｒ', 'Bar'],
    ['oﬃce', 'office'],
    ['tea\u3000room', 'tea room'],
    ['Room 7', 'Room 7\ufe0f'],
    ['İstanbul', 'istanbul'],
    ['IŞIK', 'ışık'],
    ['می\u200cخواهم', 'میخواهم'],
    ['𝐀𝐝𝐦𝐢𝐧', 'Admin'],
    ['葛\u{e0100}飾', '葛飾'],
  ])('in all its spellings: %j and %j', async (one, other) => {
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      const room = await ada.room({ name: first });
      expect(outcome(await bob.post('/v1/rooms', { name: second }))).toBe('name_taken');
      expect(outcome(await bob.patch(`/v1/rooms/${await bob.room()}`, { name: second }))).toBe('name_taken');
      // Its own room may be spelt in another way.
      expect(outcome(await ada.patch(`/v1/rooms/${room}`, { name: second }))).toBe(200);
      expect(outcome(await ada.post(`/v1/rooms/${room}/close`))).toBe(200);
    }
  });

  it('of any visible characters, up to the maximum length', async () => {
    const names = ['Δt team', 'ශ්\u200dරී ලංකා', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', 'Ꭰdmin', '\ufdfa'.repeat(80), '\u{1f468}'.repeat(80)];
    for (const name of names) expect(outcome(await ada.post('/v1/rooms', { name }))).toBe(201);
    for (const name of ['\u3164', '\u2800', '\ue000', '\u0301', `Z${'\u0301\u0316'.repeat(12)}`, 'a\u202eb'])
      expect(outcome(await ada.post('/v1/rooms', { name }))).toBe('invalid_request');
  });

  it('even after an upgrade from a release that knew fewer spellings', async () => {
    const [older, newer] = [await ada.room({ name: 'Maßstab' }), await ada.room({ name: 'something else' })];
    const sql = postgres(here.databaseUrl, { max: 1, onnotice: () => undefined });
    await sql`delete from vault.migrations where component = 'names'`;
    await sql`update vault.names set key = 'maßstab' where owner = ${older}`;
    await sql`update vault.names set key = 'massstab' where owner = ${newer}`;
    await sql.end();
    await there.stop();
    await here.restart();
    there = await startTestService({ beside: here });
    [ada, bob] = [ada.at(here.url), bob.at(here.url)];

    for (const name of ['Maßstab', 'MASSSTAB', 'massstab'])
      expect(outcome(await bob.post('/v1/rooms', { name }))).toBe('name_taken');
    // The other room can still be changed, renamed and closed.
    expect(outcome(await ada.patch(`/v1/rooms/${newer}`, { topic: 'Tea' }))).toBe(200);
    expect(outcome(await ada.patch(`/v1/rooms/${newer}`, { name: 'another thing' }))).toBe(200);
    expect(outcome(await ada.post(`/v1/rooms/${newer}/close`))).toBe(200);
  });
});

it('people have names of one script', async () => {
  const rename = async (displayName: string) => outcome(await ada.patch('/v1/me', { displayName }));
  for (const name of ['Ada', 'Зоя', 'Ada 山田', 'নাঈম র\u200d্যাব', '𝐀𝐝𝐚']) expect(await rename(name)).toBe(200);
  for (const name of ['Ꭰdmin', 'Ada Зоя', 'Adաm', '\u115f', '\u{f0000}'])
    expect(await rename(name)).toBe('invalid_request');
});
