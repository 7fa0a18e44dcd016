import { createHash } from 'node:crypto';
import { isFault, openSealed, parseEnvelope, type VerifierKey, verifyLogProof } from '@verbatim/transparency';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { LogReader } from '../../tests/harness/log-reader.testing.js';
import { because, register, signIn, type TestPerson, unknownId } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const origin = 'chat.example/log';
let service: TestService;
let logKeys: VerifierKey[];
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let cem: TestPerson;
let room: string;

beforeAll(async () => {
  service = await startTestService({ environment: { AUDIT_LOG_ORIGIN: origin } });
  logKeys = await new LogReader(service.url).keys();
  admin = await signIn(service.url);
  [ada, bob, cem] = [await register(service.url), await register(service.url), await register(service.url)];
  room = await ada.roomWith([bob], { visibility: 'private', history: 'joined' });
});
afterAll(() => service.stop());

const at = (messageId: string, query = '') => `/v1/rooms/${room}/messages/${messageId}/proof${query}`;

interface Proof {
  revision: number;
  ordinal: number;
  envelope: string;
  key: string | null;
  proof: string;
}

/** What a court finds out from a proof with the keys of the log alone; fails if it does not hold. */
function shownBy({ envelope, key, ordinal, proof }: Proof) {
  const bytes = Buffer.from(envelope, 'base64');
  const verified = verifyLogProof(proof, createHash('sha256').update(bytes).digest(), { origin, logKeys });
  if (isFault(verified)) throw new Error(verified.detail);
  expect(verified.index).toBe(ordinal);
  const event = parseEnvelope(bytes);
  if (!event) throw new Error('The envelope is no event.');
  const opened = key === null ? null : openSealed(event, Buffer.from(key, 'base64'));
  return { ...event, text: opened === null ? null : JSON.parse(opened).text };
}

describe('the proof of a message', () => {
  it('shows to anybody with the keys of the log what was said', async () => {
    const { id, revision } = await bob.says(room, 'I owe you five euros 💶');
    const { body } = await ada.get(at(id));
    expect(shownBy(body)).toMatchObject({
      ...{ type: 'MessagePosted', stream: `room-${room}`, revision },
      text: 'I owe you five euros 💶',
    });
    const event = JSON.parse(Buffer.from(body.envelope, 'base64').toString());
    expect([event.actor, event.data.messageId]).toEqual([bob.id, id]);
  });

  it('does not hold for another text', async () => {
    const { id } = await bob.says(room, 'five');
    const { body } = await ada.get(at(id));
    const envelope = Buffer.from(body.envelope, 'base64').toString().replace('MessagePosted', 'MessageEdited');
    expect(() => shownBy({ ...body, envelope: Buffer.from(envelope).toString('base64') })).toThrow('root');
  });

  it('opens no other message, not even of the same person on the same day', async () => {
    const [one, two] = [await bob.says(room, 'one'), await bob.says(room, 'two')];
    const [first, second] = [(await ada.get(at(one.id))).body, (await ada.get(at(two.id))).body];
    expect(shownBy({ ...second, key: first.key }).text).toBeNull();
  });

  it('is of the text as it stands', async () => {
    const { id } = await bob.says(room, 'fife');
    await bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: 'five' });
    expect(shownBy((await ada.get(at(id))).body)).toMatchObject({ type: 'MessageEdited', text: 'five' });
  });

  it('holds without the text once the message was redacted', async () => {
    const { id, revision } = await bob.says(room, 'never mind');
    await bob.delete(`/v1/rooms/${room}/messages/${id}`);
    const { body } = await ada.get(at(id));
    expect(body.key).toBeNull();
    expect(shownBy(body)).toMatchObject({ type: 'MessagePosted', revision, text: null });
  });

  it('is for those who may read the message', async () => {
    const { id } = await bob.says(room, 'before Cem');
    const as = async (person: TestPerson, headers?: Record<string, string>) =>
      outcome(await person.get(at(id), headers));
    expect(await as(cem)).toBe('not_a_member');
    expect(await as(admin)).toBe('reason_required');
    expect(await as(admin, because())).toBe(200);
    await ada.post(`/v1/rooms/${room}/members`, { userId: cem.id });
    expect(await as(cem)).toBe('not_found');
    const later = await bob.says(room, 'after Cem');
    expect(outcome(await cem.get(at(later.id)))).toBe(200);
    for (const id of [unknownId(), 'x']) expect(outcome(await ada.get(at(id)))).toMatch(/not_found|invalid_request/);
  });

  it('is given to auditors for any event of the message, and for no other event', async () => {
    const { id, revision } = await bob.says(room, 'first');
    await bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: 'second' });
    await bob.delete(`/v1/rooms/${room}/messages/${id}`);
    const proofAt = async (place: number, person = admin) => person.get(at(id, `?revision=${place}`), because());
    expect(shownBy((await proofAt(revision)).body).text).toBe('first');
    expect(shownBy((await proofAt(revision + 1)).body).text).toBe('second');
    expect(shownBy((await proofAt(revision + 2)).body).type).toBe('MessageRedacted');
    for (const other of [0, revision - 1, revision + 3, 10_000])
      expect(outcome(await proofAt(other))).toBe('not_found');
    expect(outcome(await proofAt(revision, bob))).toBe('forbidden');
    expect(outcome(await bob.get(at(id, '?revision=x')))).toBe('invalid_request');
  });

  it('leaves an event with the reason when somebody asks from outside', async () => {
    const { id } = await bob.says(room, 'looked at');
    await admin.get(at(id), because('Case 12'));
    const events = await ada.all(`/v1/rooms/${room}/events`);
    expect(events.filter(({ type }) => type === 'RoomInspected').at(-1).data).toEqual({
      what: 'proof',
      reason: 'Case 12',
    });
  });
});
