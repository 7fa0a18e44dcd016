import { csvCells } from '@verbatim/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { because, eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let admin: TestPerson;
let auditor: TestPerson;
let ada: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  [auditor, ada, bob] = [await register(service.url), await register(service.url), await register(service.url)];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
});
afterAll(() => service.stop());

const trail = (query = '', reader = auditor) => reader.all(`/v1/audit?order=asc${query}`, 3);
const told = (entries: { actor: { id: string }; action: string; target: object; reason: string | null }[]) =>
  entries.map(({ actor, action, target, reason }) => [actor.id, action, target, reason]);

describe('the audit trail', () => {
  it('tells what administrators and auditors did, to whom and why', async () => {
    const room = await ada.roomWith([bob], { name: 'Kontor' });
    const { id } = await bob.says(room, 'Preise');
    await auditor.get(`/v1/rooms/${room}/messages`, because('Revision März'));
    await auditor.get(`/v1/rooms/${room}/events`, because('Revision März'));
    await auditor.get(`/v1/search?q=preise&room=${room}`, because('Revision März'));
    await admin.delete(`/v1/rooms/${room}/messages/${id}`, { reason: 'Absprache' });
    await admin.put(`/v1/rooms/${room}/bans/${bob.id}`, { reason: 'Wiederholung' });
    await admin.patch(`/v1/users/${bob.id}`, { suspended: true, reason: 'Kartell' });
    await admin.post(`/v1/rooms/${room}/close`, { reason: 'Ende' });

    const here = { kind: 'room', id: room, name: 'Kontor' };
    const him = { kind: 'user', id: bob.id, name: bob.username };
    expect(told(await trail(`&room=${room}`))).toEqual([
      [auditor.id, 'RoomInspected', here, 'Revision März'],
      [auditor.id, 'RoomInspected', here, 'Revision März'],
      [admin.id, 'MessageRedacted', { kind: 'message', id, name: null }, 'Absprache'],
      [admin.id, 'MemberBanned', him, 'Wiederholung'],
      [admin.id, 'MemberRemoved', him, 'Wiederholung'],
      [admin.id, 'ChatClosed', here, 'Ende'],
    ]);
    expect((await trail(`&room=${room}`)).map(({ detail }) => detail).slice(0, 2)).toEqual(['messages', 'search']);
    expect(told(await trail(`&target=${bob.id}`))).toEqual([
      [admin.id, 'MemberBanned', him, 'Wiederholung'],
      [admin.id, 'MemberRemoved', him, 'Wiederholung'],
      [admin.id, 'UserSuspended', him, 'Kartell'],
    ]);
    await admin.patch(`/v1/users/${bob.id}`, { suspended: false });
  });

  it('leaves out what they do as members, and what others do', async () => {
    const room = await admin.roomWith([ada]);
    await admin.says(room, 'hello');
    await ada.says(room, 'hello');
    await ada.patch(`/v1/rooms/${await ada.room()}`, { topic: 'mine' });
    expect(told(await trail(`&room=${room}`)).map(([, action]) => action)).toEqual(['RoomCreated', 'MemberJoined']);
    expect(await trail(`&actor=${ada.id}`)).toEqual([]);
  });

  it('goes by the role that somebody had at that moment', async () => {
    const eve = await register(service.url);
    const room = await eve.room();
    await admin.patch(`/v1/users/${eve.id}`, { role: 'admin' });
    await eve.patch(`/v1/rooms/${room}`, { topic: 'as administrator' });
    await admin.patch(`/v1/users/${eve.id}`, { role: 'user' });
    await eve.patch(`/v1/rooms/${room}`, { topic: 'as owner' });
    const did = await trail(`&actor=${eve.id}`);
    expect(did).toMatchObject([{ action: 'RoomChanged', detail: 'topic', roomId: room, target: { id: room } }]);
  });

  it('names the request that did it', async () => {
    const answer = await admin.put('/v1/announcement', { text: 'Inventur' });
    expect(answer.status).toBe(200);
    const [latest] = (await auditor.get('/v1/audit?action=Announced&limit=1')).body.items;
    expect(latest).toMatchObject({
      target: { kind: 'service', id: null },
      traceId: expect.stringMatching(/^[\w-]{8,}$/),
    });
    expect(Date.now() - Date.parse(latest.at)).toBeLessThan(60_000);
  });

  it('comes newest first unless asked otherwise, filtered by what, whom and when', async () => {
    const all = await trail();
    expect((await auditor.all('/v1/audit')).map(({ id }) => id)).toEqual(all.map(({ id }) => id).reverse());
    const [first, second] = all;
    expect((await trail(`&before=${second.at}`)).every(({ at }) => at < second.at)).toBe(true);
    expect(await trail(`&from=${first.at}`)).toEqual(all);
    expect((await trail('&kind=user')).every(({ target }) => target.kind === 'user')).toBe(true);
    expect((await trail('&action=UserRoleChanged')).map(({ action }) => action)).toContain('UserRoleChanged');
    for (const query of ['kind=planet', 'action=x', 'from=yesterday', 'actor=me', 'cursor=invented'])
      expect(outcome(await auditor.get(`/v1/audit?${query}`))).toBe('invalid_request');
  });

  it('is a file for spreadsheets, in which no reason is a formula', async () => {
    const room = await ada.room();
    await auditor.get(`/v1/rooms/${room}/messages`, because('=HYPERLINK("https://example.org")'));
    // What a reading records shows a moment later, since nobody waits for it.
    await eventually(
      () => trail(`&room=${room}`),
      ({ length }) => length === 1,
    );
    const { text, headers } = await auditor.get(`/v1/audit/export?room=${room}`);
    expect(headers['content-disposition']).toContain('audit-trail.csv');
    expect(text).toContain('"\'=HYPERLINK');
    const [names, line] = csvCells(text) ?? [];
    expect(names?.slice(0, 5)).toEqual(['at', 'actorId', 'actor', 'action', 'detail']);
    expect(line).toContain('=HYPERLINK("https://example.org")');
  });

  it('is for administrators and auditors', async () => {
    for (const path of ['/v1/audit', '/v1/audit/export']) {
      expect(outcome(await ada.get(path))).toBe('forbidden');
      expect(outcome(await admin.get(path))).toBe(200);
    }
  });
});
