import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { verifyBundle } from '@verbatim/transparency';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildGoProgram } from '../../../../../libs/transparency/src/go-programs.testing.js';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  type Bundle,
  checkedBy,
  downloaded,
  exported,
  finished,
  keysOf,
  ourVerifier,
  requested,
} from '../../tests/harness/exports.testing.js';
import { eventually, register, signIn, type TestPerson, unknownId } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

vi.setConfig({ testTimeout: 120_000 });

const second = buildGoProgram('verify');
let service: TestService;
let replica: TestService;
let admin: TestPerson;
let auditor: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
/** The hands of the clock, which tests stop so that events share a time. */
let stopped: Date | null = null;

beforeAll(async () => {
  const clock = () => stopped ?? new Date();
  service = await startTestService({ clock });
  replica = await startTestService({ beside: service, clock });
  admin = await signIn(service.url);
  [auditor, ada, bob] = [await register(service.url), await register(service.url), await register(service.url)];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
});
afterAll(async () => {
  await replica.stop();
  await service.stop();
});

/** Both verifiers accept it. */
async function expectSound(bundle: Bundle): Promise<void> {
  expect(await bundle.verdict(service.url)).toEqual([]);
  if (second) expect(await bundle.checkedBy([second], await keysOf(service.url))).toMatchObject({ code: 0 });
}

const edit = (person: TestPerson, room: string, id: string, text: string) =>
  person.patch(`/v1/rooms/${room}/messages/${id}`, { text });

describe('the export of a room', () => {
  it('is a bundle that both verifiers accept, on the command line', async () => {
    const room = await ada.roomWith([bob], { visibility: 'private' });
    await ada.says(room, 'I owe you five euros 💶');
    await bob.says(room, 'ten');
    const bundle = await exported(auditor, { room });
    expect([...bundle.files.keys()]).toEqual([
      ...['manifest.json', 'manifest.json.sig', 'checkpoint', 'events.ndjson', 'messages.csv', 'transcript.html'],
      'messages.mbox',
    ]);
    expect(bundle.texts).toEqual(['I owe you five euros 💶', 'ten']);
    expect(bundle.manifest).toMatchObject({ contiguous: true, fromStart: true, streams: 1, reason: 'Case 7' });
    for (const file of ['messages.csv', 'transcript.html']) expect(bundle.text(file)).toContain('five euros 💶');
    const keys = await keysOf(service.url);
    expect(await bundle.checkedBy(ourVerifier, keys)).toMatchObject({ code: 0 });
    await expectSound(bundle);
    // The certificates key alone cannot stand for the log, nor the other way round.
    const [one, other] = keys;
    if (!one || !other) throw new Error('There are two keys.');
    for (const key of [one, other]) expect((await bundle.checkedBy(ourVerifier, [key])).code).not.toBe(0);
    expect((await bundle.checkedBy(ourVerifier, [])).code).toBe(2);
    expect((await bundle.checkedBy(ourVerifier, keys, ['--witness', 'nonsense'])).code).toBe(2);
    expect((await bundle.checkedBy([...ourVerifier, '/nowhere'], keys)).code).toBe(2);
  });

  it.each(['manifest.json', 'manifest.json.sig', 'checkpoint', 'events.ndjson', 'messages.csv', 'transcript.html'])(
    'shows both verifiers that its %s was changed',
    async (file) => {
      const room = await ada.room();
      await ada.says(room, 'five');
      const bundle = await exported(auditor, { room });
      const at = bundle.bytes.indexOf(bundle.files.get(file) as Buffer) + (bundle.files.get(file)?.length ?? 0) - 9;
      const changed = Buffer.from(bundle.bytes);
      changed[at] = (changed[at] as number) ^ 1;
      const keys = await keysOf(service.url);
      const { exitCode } = await verifyBundle(Readable.from([changed]), { keys, witnesses: [] });
      expect(exitCode).toBe(1);
      if (second) expect(await checkedBy([second], changed, keys)).toMatchObject({ code: 1 });
    },
  );

  it('is told the same by each replica', async () => {
    const room = await ada.room();
    await ada.says(room, 'five');
    const id = await requested(auditor.at(replica.url), { room });
    await finished(auditor, id);
    const [here, there] = [await downloaded(auditor, id), await downloaded(auditor.at(replica.url), id)];
    expect(createHash('sha256').update(here.bytes).digest('hex')).toBe(
      createHash('sha256').update(there.bytes).digest('hex'),
    );
    expect((await auditor.all('/v1/exports')).map((one) => one.id)).toContain(id);
  });
});

describe('what an export takes', () => {
  it('is each event once, also of many that share a time', async () => {
    const room = await ada.roomWith([bob]);
    stopped = new Date();
    for (let i = 0; i < 20; i++) await ada.says(room, `same ${i}`);
    const at = stopped.toISOString();
    stopped = null;
    await eventually(
      async () => new Date().toISOString(),
      (now) => now > at,
    );
    await ada.says(room, 'later');
    const bundle = await exported(auditor, { room, from: at, to: at });
    expect(bundle.texts).toEqual(Array.from({ length: 20 }, (_, i) => `same ${i}`));
    expect(new Set(bundle.events.map(({ revision }) => revision)).size).toBe(20);
    expect(bundle.manifest).toMatchObject({ events: 20, contiguous: false, selection: { room, from: at, to: at } });
    await expectSound(bundle);
  });

  it('is all that was there when it was asked for, in order, while others go on writing', async () => {
    const room = await ada.roomWith([bob]);
    for (let i = 0; i < 30; i++) await ada.says(room, `before ${i}`);
    let writing = true;
    const others = (async () => {
      for (let i = 0; writing; i++) await bob.says(room, `meanwhile ${i}`);
    })();
    const bundle = await exported(auditor, { room });
    writing = false;
    await others;
    const { events, texts } = bundle;
    expect(texts.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, i) => `before ${i}`));
    expect(texts.slice(30)).toEqual(Array.from({ length: texts.length - 30 }, (_, i) => `meanwhile ${i}`));
    expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i));
    await expectSound(bundle);
  });

  it('is what one person did, in all rooms or in one', async () => {
    const [one, two] = [await ada.roomWith([bob]), await ada.roomWith([bob])];
    await bob.says(one, 'bob in one');
    await ada.says(one, 'ada in one');
    await bob.says(two, 'bob in two');
    const everywhere = await exported(auditor, { person: bob.id });
    expect(everywhere.texts).toEqual(expect.arrayContaining(['bob in one', 'bob in two']));
    expect(everywhere.texts).not.toContain('ada in one');
    expect(everywhere.events.map(({ type }) => type)).toContain('UserRegistered');
    const inOne = await exported(auditor, { person: bob.id, room: one });
    expect(inOne.texts).toEqual(['bob in one']);
    await expectSound(everywhere);
    await expectSound(inOne);
  });

  it('is messages with words, as a search finds them', async () => {
    const room = await ada.room();
    const { id } = await ada.says(room, 'The rent contract is signed');
    await ada.says(room, 'The contract, and the rent');
    await edit(ada, room, id, 'The lease is signed');
    expect((await exported(auditor, { room, words: '"RENT contract"' })).texts).toEqual([
      'The rent contract is signed',
    ]);
    expect((await exported(auditor, { room, words: 'rent contract' })).texts).toHaveLength(2);
    // The owner no longer sees the text that was replaced, and must not find out what it said.
    expect((await exported(ada, { room, words: '"rent contract"' })).texts).toEqual([]);
    expect(outcome(await auditor.post('/v1/exports', { room, words: '!!', reason: 'x' }))).toBe('invalid_request');
  });

  it('is the whole log, for auditors', async () => {
    const bundle = await exported(auditor, {});
    expect(bundle.manifest).toMatchObject({ contiguous: true, fromStart: true, firstOrdinal: 0 });
    expect(bundle.events.map(({ ordinal }) => ordinal)).toEqual(bundle.events.map((_, i) => i));
    expect(bundle.manifest.size - bundle.events.length).toBe(0);
    await expectSound(bundle);
  });
});

describe('who may export', () => {
  it('are auditors, administrators, and owners their rooms, all with a reason', async () => {
    const room = await ada.roomWith([[bob, 'moderator']]);
    const ask = async (person: TestPerson, body: object) => outcome(await person.post('/v1/exports', body));
    const reason = 'Case 8';
    expect(await ask(bob, { room, reason })).toBe('forbidden');
    expect(await ask(ada, { reason })).toBe('forbidden');
    expect(await ask(ada, { person: bob.id, reason })).toBe('forbidden');
    expect(await ask(ada, { room })).toBe('reason_required');
    expect(await ask(auditor, { room })).toBe('reason_required');
    expect(await ask(auditor, { room: unknownId(), reason })).toBe('not_found');
    expect(await ask(auditor, { person: unknownId(), reason })).toBe('not_found');
    expect(await ask(auditor, { room, from: '2026-02-01', to: '2026-01-01', reason })).toBe('invalid_request');
    await exported(ada, { room });
    await exported(admin, { room });
  });

  it('is recorded in the rooms and on the audit trail, without exception', async () => {
    const [one, two] = [await ada.room({ visibility: 'hidden' }), await ada.roomWith([auditor])];
    await ada.says(one, 'x');
    await ada.says(two, 'x');
    await exported(auditor, { person: ada.id }, 'Case 9');
    const inspections = async (room: string) =>
      (await ada.all(`/v1/rooms/${room}/events`)).filter(({ type }) => type === 'RoomInspected');
    expect(await inspections(one)).toMatchObject([
      { actor: { id: auditor.id }, data: { what: 'export', reason: 'Case 9' } },
    ]);
    expect(await inspections(two)).toEqual([]);
    const trail = await eventually(
      () => admin.all(`/v1/audit?actor=${auditor.id}&target=${ada.id}`),
      (items) => items.length > 0,
    );
    expect(trail).toMatchObject([
      { action: 'ExportRequested', target: { kind: 'user', id: ada.id }, reason: 'Case 9' },
    ]);
  });

  it('sees no export of others, and none any more of a room that was taken away', async () => {
    const room = await ada.roomWith([[bob, 'owner']]);
    const id = await requested(bob, { room });
    await finished(bob, id);
    for (const path of [`/v1/exports/${id}`, `/v1/exports/${id}/bundle`])
      expect(outcome(await admin.get(path))).toBe('not_found');
    expect((await ada.all('/v1/exports')).map((one) => one.id)).not.toContain(id);
    await ada.patch(`/v1/rooms/${room}/members/${bob.id}`, { role: 'member' });
    expect(outcome(await bob.get(`/v1/exports/${id}/bundle`))).toBe('forbidden');
    await ada.delete(`/v1/rooms/${room}/members/${bob.id}`);
    expect(outcome(await bob.get(`/v1/exports/${id}/bundle`))).toBe('not_a_member');
  });

  it('opens to owners what they may see, and to auditors everything', async () => {
    const room = await ada.roomWith([bob], { password: 'open sesame' });
    const [edited, redacted] = [await bob.says(room, 'first version'), await bob.says(room, 'to be redacted')];
    await edit(bob, room, edited.id, 'second version');
    await bob.delete(`/v1/rooms/${room}/messages/${redacted.id}`, {});
    const owners = await exported(ada, { room });
    expect(owners.texts).toEqual([null, null, 'second version']);
    for (const file of ['messages.csv', 'transcript.html']) {
      expect(owners.text(file)).not.toMatch(/first version|to be redacted/);
      expect(owners.text(file)).toContain('second version');
    }
    const auditors = await exported(auditor, { room });
    expect(auditors.texts).toEqual(['first version', 'to be redacted', 'second version']);
    await expectSound(owners);
    await expectSound(auditors);
  });
});

describe('an erasure', () => {
  const erase = async (scope: object) => {
    const { body } = await admin.post('/v1/erasures', { ...scope, ground: 'other', reason: 'Letter 1' });
    await eventually(
      async () => (await admin.get(`/v1/erasures/${body.id}`)).body.status,
      (status) => status === 'done',
    );
  };

  it('takes bundles with it that may hold what is erased, and no others; later ones do not hold it', async () => {
    const cem = await register(service.url);
    const [room, other] = [await ada.roomWith([cem]), await ada.room()];
    await cem.says(room, 'to be forgotten');
    await ada.says(room, 'to be kept');
    const [before, elsewhere] = [await requested(auditor, { room }), await requested(auditor, { room: other })];
    for (const id of [before, elsewhere]) expect(await finished(auditor, id)).toMatchObject({ status: 'done' });
    const sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
    try {
      const kept = async (id: string) =>
        (
          await sql`select (select count(*)::int from cache.export_chunks where export = ${id}) as chunks,
                          (select count(*)::int from vault.keys where name like ${`export|${id}|%`}) as keys`
        )[0];
      expect(await kept(before)).toMatchObject({ keys: 1 });
      await erase({ room, from: '2020-01-01', to: '2020-01-02' });
      await erase({ person: cem.id });
      expect(await kept(before)).toEqual({ chunks: 0, keys: 0 });
      expect((await auditor.get(`/v1/exports/${elsewhere}`)).body.status).toBe('done');
      const { body } = await auditor.get(`/v1/exports/${before}`);
      expect(body).toMatchObject({ status: 'failed', problem: expect.stringContaining('erased'), bytes: null });
      expect(outcome(await auditor.get(`/v1/exports/${before}/bundle`))).toBe('conflict');
    } finally {
      await sql.end();
    }
    const after = await exported(auditor, { room });
    expect(after.texts).toEqual([null, 'to be kept']);
    expect(after.bytes.toString('latin1')).not.toContain('to be forgotten');
    await expectSound(after);
  });

  it('of a room leaves bundles of other rooms alone', async () => {
    const [one, two] = [await ada.room({ name: 'Zanzibar heist' }), await ada.room()];
    const [ofOne, ofTwo] = [await requested(auditor, { room: one }), await requested(auditor, { room: two })];
    await finished(auditor, ofOne);
    await finished(auditor, ofTwo);
    expect((await downloaded(auditor, ofOne)).text('transcript.html')).toContain('<title>Zanzibar heist</title>');
    await erase({ room: one });
    expect((await auditor.get(`/v1/exports/${ofOne}`)).body.status).toBe('failed');
    expect((await auditor.get(`/v1/exports/${ofTwo}`)).body.status).toBe('done');
    for (const selection of [{ room: one }, { person: ada.id }])
      expect((await exported(auditor, selection)).bytes.toString('latin1')).not.toContain('Zanzibar');
  });
});
