import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { because, register, signIn, type TestPerson, unknownId } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let admin: TestPerson;
let auditor: TestPerson;
let people: TestPerson[];
let room: string;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  auditor = await register(service.url);
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
  people = await Promise.all(Array.from({ length: 5 }, () => register(service.url)));
  room = await aLivelyRoom(people);
});
afterAll(() => service.stop());

const at = (path: string, of = room) => `/v1/rooms/${of}/${path}`;
const state = async (query: string, reader = auditor, of = room) =>
  (await reader.get(at(`state?${query}`, of), because())).body;

/** Some 300 events of every kind that changes a room, in an order that is the same in each run. */
async function aLivelyRoom([owner, ...others]: TestPerson[]): Promise<string> {
  if (!owner) throw new Error('nobody');
  const id = await owner.room({ name: 'Werkstatt', topic: 'Holz', visibility: 'private' });
  const own: { by: TestPerson; id: string }[] = [];
  let seed = 7;
  const some = (n: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % n;
  };
  for (let i = 0; i < 300; i++) {
    const person = others[some(others.length)] as TestPerson;
    const mine = own[some(own.length || 1)];
    const path = `/v1/rooms/${id}`;
    switch (some(9)) {
      case 0:
        await owner.post(`${path}/members`, { userId: person.id, role: ['guest', 'member', 'moderator'][some(3)] });
        break;
      case 1:
        await owner.delete(`${path}/members/${person.id}`);
        break;
      case 2:
        await owner.patch(`${path}/members/${person.id}`, { role: ['guest', 'member', 'moderator'][some(3)] });
        break;
      case 3:
        if (mine) await mine.by.patch(`${path}/messages/${mine.id}`, { text: `edited ${i}` });
        break;
      case 4:
        if (mine && some(3) === 0) await owner.delete(`${path}/messages/${mine.id}`, { reason: `reason ${i}` });
        break;
      case 5:
        await owner.patch(path, [{ name: `Werkstatt ${i}` }, { topic: `Holz ${i}` }, { slowModeSeconds: 0 }][some(3)]);
        break;
      default: {
        const by = some(2) === 0 ? owner : person;
        const posted = await by.post(`${path}/messages`, { text: `text ${i}`, replyTo: mine?.id ?? null });
        if (posted.status === 201) own.push({ by, id: posted.body.id });
      }
    }
  }
  await owner.post(`/v1/rooms/${id}/close`, { reason: 'fertig' });
  return id;
}

interface Event {
  revision: number;
  type: string;
  at: string;
  actor: { id: string };
  // biome-ignore lint/suspicious/noExplicitAny: whatever the events of a room hold
  data: any;
}

/** The room at a revision, folded in the simplest way there is. */
function folded(events: readonly Event[], revision: number) {
  const members = new Map<string, { role: string; joinedAt: string }>();
  const messages = new Map<string, Record<string, unknown>>();
  const settings: Record<string, unknown> = { status: 'open', slowModeSeconds: 0 };
  for (const { type, data, at, actor, revision: place } of events.slice(0, revision + 1)) {
    if (type === 'RoomCreated' || type === 'RoomChanged') {
      const { passwordId, ...rest } = data;
      Object.assign(settings, rest, passwordId !== undefined && { hasPassword: passwordId !== null });
    }
    if (type === 'ChatClosed') settings.status = 'closed';
    if (type === 'MemberJoined') {
      members.delete(data.userId);
      members.set(data.userId, { role: data.role, joinedAt: at });
    }
    if (type === 'MemberLeft' || type === 'MemberRemoved') members.delete(data.userId);
    if (type === 'MemberRoleChanged') Object.assign(members.get(data.userId) ?? {}, { role: data.role });
    if (type === 'MessagePosted')
      messages.set(data.messageId, {
        id: data.messageId,
        revision: place,
        author: actor.id,
        text: data.text,
        replyTo: data.replyTo,
        editedAt: null,
        redactedAt: null,
        visibleTo: [...members.keys()].sort(),
      });
    if (type === 'MessageEdited') Object.assign(messages.get(data.messageId) ?? {}, { text: data.text, editedAt: at });
    if (type === 'MessageRedacted') Object.assign(messages.get(data.messageId) ?? {}, { text: null, redactedAt: at });
  }
  return {
    settings,
    members: [...members].map(([userId, { role, joinedAt }]) => ({ userId, role, joinedAt })),
    messages: [...messages.values()],
  };
}

/** The same parts of what the service answers, all pages of messages. */
async function replayed(revision: number, limit: number) {
  const messages: Record<string, unknown>[] = [];
  for (let cursor = ''; ; ) {
    const { room, members, page, ...part } = await state(`at=${revision}&limit=${limit}&cursor=${cursor}`);
    for (const { author, id, revision, text, replyTo, editedAt, redactedAt, visibleTo } of part.messages)
      messages.push({ id, revision, author: author.id, text, replyTo, editedAt, redactedAt, visibleTo });
    cursor = page.next;
    if (cursor) continue;
    const { name, topic, visibility, history, hasPassword, slowModeSeconds, status } = room;
    expect(room.memberCount).toBe(members.length);
    return {
      settings: { name, topic, visibility, history, hasPassword, slowModeSeconds, status },
      members: members.map(({ userId, role, joinedAt }: Record<string, string>) => ({ userId, role, joinedAt })),
      messages,
    };
  }
}

describe('a room as it was', () => {
  it('equals what the events up to there make of it, at any point', async () => {
    const events = await auditor.all(at('events'), 200, because());
    expect(events.length).toBeGreaterThan(150);
    const points = [0, 1, events.length - 1, ...Array.from({ length: 60 }, (_, i) => (i * 7_919) % events.length)];
    for (const point of points) {
      const naive = folded(events, point);
      expect([point, await replayed(point, point % 2 ? 200 : 17)]).toEqual([point, naive]);
    }
  });

  it('can be asked for by time, inclusive', async () => {
    const events = await auditor.all(at('events'), 200, because());
    for (const place of [10, 50, 120]) {
      const { at: time } = events[place];
      const last = events.findLast((event) => event.at <= time).revision;
      expect((await state(`at=${time}`)).revision).toBe(last);
      expect((await state(`at=${time}`)).at).toBe(events[last].at);
    }
    expect((await state('')).room.status).toBe('closed');
  });

  it('holds the last messages where those are asked for, and leads to the earlier ones', async () => {
    const whole = await state('limit=200');
    const last = await state('limit=5&part=last');
    expect(last.messages).toEqual(whole.messages.slice(-5));
    const before = await state(`limit=5&part=last&cursor=${last.page.next}`);
    expect(before.messages).toEqual(whole.messages.slice(-10, -5));
  });

  it('is read on as it was on the first page, though more has happened since', async () => {
    const [owner] = people as [TestPerson];
    const room = await owner.room();
    for (const text of ['one', 'two', 'three']) await owner.says(room, text);
    const first = await state('limit=2', owner, room);
    await owner.says(room, 'four');
    const second = await state(`limit=2&cursor=${first.page.next}`, owner, room);
    expect(second.revision).toBe(first.revision);
    expect(second.messages.map(({ text }: { text: string }) => text)).toEqual(['three']);
  });

  it('has no place beyond the end, before the beginning, or between events', async () => {
    const revision = (await state('')).revision;
    const before = await auditor.all('/v1/audit?action=RoomInspected');
    for (const query of [`at=${revision + 10}`, 'at=2999-01-01T00:00:00Z', 'at=1999-01-01T00:00:00Z', 'at=-1', 'at=x'])
      expect([query, outcome(await auditor.get(at(`state?${query}`), because('beyond')))]).toEqual([
        query,
        'invalid_request',
      ]);
    expect(outcome(await auditor.get(at('state?cursor=invented'), because()))).toBe('invalid_request');
    // What has no answer is no reading.
    expect((await auditor.all('/v1/audit?action=RoomInspected')).length).toBe(before.length);
  });

  it('shows texts that were edited or redacted since to administrators and auditors only', async () => {
    const [owner] = people as [TestPerson];
    const room = await owner.room();
    const { id, revision } = await owner.says(room, 'Quitte');
    await owner.patch(at(`messages/${id}`, room), { text: 'Birne' });
    await owner.delete(at(`messages/${id}`, room));
    const texts = async (reader: TestPerson) => [
      (await state(`at=${revision}`, reader, room)).messages[0].text,
      (await state(`at=${revision + 1}`, reader, room)).messages[0].text,
      (await state(`at=${revision + 2}`, reader, room)).messages[0].text,
    ];
    expect(await texts(owner)).toEqual([null, null, null]);
    expect(await texts(auditor)).toEqual(['Quitte', 'Birne', null]);
  });

  it('begins for members where their history does', async () => {
    const [owner, late] = people as [TestPerson, TestPerson];
    const room = await owner.room({ visibility: 'private', history: 'joined' });
    await owner.says(room, 'before');
    await owner.post(at('members', room), { userId: late.id });
    const { revision } = await owner.says(room, 'after');
    const now = await state('', late, room);
    expect(now.messages.map(({ text }: { text: string }) => text)).toEqual(['after']);
    expect(outcome(await late.get(at(`state?at=${revision - 2}`, room)))).toBe('invalid_request');
    // Nor does a cursor that they made themselves lead further back, or beyond the revision.
    await owner.says(room, 'later');
    for (const [part, place] of [
      ['first', '-1'],
      ['last', '999'],
    ]) {
      const cursor = Buffer.from(JSON.stringify([`messages at ${revision} ${part}`, place])).toString('base64url');
      const { messages } = await state(`at=${revision}&part=${part}&cursor=${cursor}`, late, room);
      expect(messages.map(({ text }: { text: string }) => text)).toEqual(['after']);
    }
  });

  it('is read for a reason, which is recorded', async () => {
    const [owner] = people as [TestPerson];
    const room = await owner.room();
    for (const path of ['state', 'timeline']) {
      expect(outcome(await auditor.get(at(path, room)))).toBe('reason_required');
      expect(outcome(await (people[1] as TestPerson).get(at(path, room)))).toBe('not_a_member');
      expect(outcome(await owner.get(at(path, unknownId())))).toBe('not_found');
    }
    await auditor.get(at('state', room), because('Nachfrage'));
    await auditor.get(at('messages', room), because('Nachfrage'));
    const events = await owner.all(at('events', room));
    expect(events.slice(-2).map(({ type, data }) => [type, data.what, data.reason])).toEqual([
      ['RoomInspected', 'replay', 'Nachfrage'],
      ['RoomInspected', 'messages', 'Nachfrage'],
    ]);
  });
});

describe('the timeline of a room', () => {
  it('has events at even distances, from the first to the last', async () => {
    const { points } = (await auditor.get(at('timeline?points=11'), because())).body;
    const events = await auditor.all(at('events'), 200, because());
    expect(points).toHaveLength(11);
    expect(points[0].revision).toBe(0);
    expect(points.at(-1).revision).toBe(events.at(-1).revision);
    for (const { revision, at } of points) expect(events[revision].at).toBe(at);
  });
});
