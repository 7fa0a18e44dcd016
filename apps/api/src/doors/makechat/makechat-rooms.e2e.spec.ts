import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import {
  because,
  password as nativePassword,
  register as nativeRegister,
  signIn as nativeSignIn,
  type TestPerson,
} from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { freshName, login, MakechatClient, type RawAnswer, signUp } from './makechat-client.testing.js';

let service: TestService;
let anybody: MakechatClient;
let admin: MakechatClient;
let nativeAdmin: TestPerson;

beforeAll(async () => {
  const port = await freePort();
  service = await startTestService({ environment: { MAKECHAT_PORT: `${port}` } });
  anybody = new MakechatClient(`http://127.0.0.1:${port}`);
  admin = await login(anybody, administrator);
  nativeAdmin = await nativeSignIn(service.url);
});
afterAll(() => service.stop());

const ok = { status: 'ok' };
const refusal = (title: string, description: string) => ({ title, description });
const oid = { $oid: expect.stringMatching(/^[0-9a-f]{24}$/) };
const date = { $date: expect.any(Number) };
const freshRoom = () => `room ${freshName()}`;

interface Room {
  _id: { $oid: string };
  name: string;
  members: { $oid: string }[];
  is_open: boolean;
  is_visible: boolean;
}

async function create(body: object = {}, by = admin): Promise<Room> {
  const made = await by.post('/api/rooms', { name: freshRoom(), ...body });
  expect([made.status, made.text]).toEqual([201, expect.any(String)]);
  return made.json;
}

/** All rooms that somebody's list has. */
async function listed(client: MakechatClient): Promise<Room[]> {
  const rooms: Room[] = [];
  for (let path: string | null = '/api/rooms?limit=100'; path !== null; ) {
    const { items, next_page }: { items: Room[]; next_page: string | null } = (await client.get(path)).json;
    rooms.push(...items);
    path = next_page;
  }
  return rooms;
}

/** An administrator beside the first one. */
async function anotherAdmin(): Promise<MakechatClient> {
  const username = freshName();
  const client = await signUp(anybody, username);
  const { body } = await nativeAdmin.get(`/v1/users?usernames=${username}`);
  await nativeAdmin.patch(`/v1/users/${body.items[0].id}`, { role: 'admin' });
  return client;
}

const nativeRoom = async (name: string) =>
  (await nativeAdmin.get(`/v1/rooms?q=${encodeURIComponent(name)}`)).body.items[0];

describe('rooms', () => {
  it('are created by administrators, who own them with one member record', async () => {
    const [one, two] = [await create(), await create()];
    expect(one).toEqual({ _id: oid, is_open: true, is_visible: true, members: [oid], name: one.name, created: date });
    expect(two.members).toEqual(one.members);
    expect(await nativeRoom(one.name)).toMatchObject({ visibility: 'public', memberCount: 1 });
  });

  it('are created by no one else', async () => {
    const user = await signUp(anybody);
    const answer = await user.post('/api/rooms', { name: freshRoom() });
    expect([answer.status, answer.json]).toEqual([403, refusal('Permission Denied', 'Admin required.')]);
    expect((await anybody.post('/api/rooms', { name: 'x' })).status).toBe(401);
    expect((await user.post('/api/rooms', { name: 'x'.repeat(2_000) })).status).toBe(403);
    expect((await admin.post('/api/rooms', { name: 'x'.repeat(2_000) })).status).toBe(413);
  });

  it('have a name that no other room has', async () => {
    const { name } = await create();
    const long = "ValidationError (Room:None) (String value is too long: ['name'])";
    const tries: [unknown, object][] = [
      [undefined, refusal('Missing parameter', "The 'payload' parameter is required.")],
      [{}, refusal('Missing parameter', "The 'name' parameter is required.")],
      [{ name: 'x'.repeat(300) }, refusal('Error occurred', long)],
      [{ name }, refusal('Error occurred', expect.stringMatching(/^Tried to save duplicate unique keys/))],
      [{ name: name.toUpperCase() }, refusal('Error occurred', expect.stringMatching(/duplicate/))],
      [{ name: 7 }, refusal('Error occurred', expect.stringMatching(/StringField/))],
      [{ name: 'x', is_open: 'yes' }, refusal('Error occurred', expect.stringMatching(/BooleanField/))],
    ];
    for (const [body, expected] of tries) {
      const answer = await admin.post('/api/rooms', body, { 'content-type': 'application/json' });
      expect([answer.status, answer.json]).toEqual([400, expected]);
    }
    const hidden = await create({ is_visible: false });
    expect((await admin.post('/api/rooms', { name: hidden.name })).status).toBe(400);
  });

  it('are visible or not, and open or not', async () => {
    const [open, closed, hidden, both] = [
      await create(),
      await create({ is_open: false }),
      await create({ is_visible: false }),
      await create({ is_open: false, is_visible: false }),
    ];
    expect(await nativeRoom(closed.name)).toMatchObject({ visibility: 'private' });
    expect(await nativeRoom(hidden.name)).toMatchObject({ visibility: 'hidden' });
    expect([hidden.is_open, hidden.is_visible, both.is_open]).toEqual([true, false, false]);
    const user = await signUp(anybody);
    const seen = (await listed(user)).map(({ name }) => name);
    expect([open, closed, hidden, both].map(({ name }) => seen.includes(name))).toEqual([true, true, false, false]);
    const byAdmin = await listed(admin);
    for (const room of [open, closed, hidden, both]) expect(byAdmin).toContainEqual(room);
  });

  it('of the native doors are listed as there: private and hidden ones not for others', async () => {
    const ada = await nativeRegister(service.url);
    const names = [freshRoom(), freshRoom(), freshRoom()] as const;
    await ada.room({ name: names[0], visibility: 'public' });
    await ada.room({ name: names[1], visibility: 'private' });
    await ada.room({ name: names[2], visibility: 'hidden' });
    const seenBy = async (client: MakechatClient) => {
      const seen = (await listed(client)).map(({ name }) => name);
      return names.map((name) => seen.includes(name));
    };
    expect(await seenBy(await signUp(anybody))).toEqual([true, false, false]);
    expect(await seenBy(await login(anybody, { username: ada.username, password: nativePassword }))).toEqual([
      true,
      true,
      true,
    ]);
    expect(await seenBy(admin)).toEqual([true, true, true]);
  });

  it('are a bare array of all rooms for a token without a query, as the document says', async () => {
    const hidden = await create({ is_visible: false });
    const token = anybody.withToken((await admin.post('/api/tokens', { name: 'list' })).json._id);
    const bare = await token.get('/api/rooms');
    expect(bare.json).toContainEqual(hidden);
    expect((await token.get('/api/rooms?limit=2')).json).toMatchObject({ ...ok, items: [{}, {}] });
    const user = await signUp(anybody);
    const own = anybody.withToken((await user.get('/api/tokens')).json.items[0]._id);
    const refused = await own.get('/api/rooms');
    expect([refused.status, refused.json]).toEqual([403, refusal('Permission Denied', 'Admin required.')]);
    expect((await own.get('/api/rooms?offset=0')).json.status).toBe('ok');
  });

  it('are paged with the links of makechat', async () => {
    const { total_pages } = (await admin.get('/api/rooms?limit=1')).json;
    const total = Number(total_pages);
    const page = async (query: string) => {
      const { next_page, prev_page, items } = (await admin.get(`/api/rooms${query}`)).json;
      return { next_page, prev_page, items: items.length };
    };
    expect(await page('?limit=4')).toEqual({ next_page: '/api/rooms?offset=4&limit=4', prev_page: null, items: 4 });
    expect(await page('?offset=2&limit=4')).toEqual({
      next_page: '/api/rooms?offset=6&limit=4',
      prev_page: '/api/rooms?offset=-2&limit=4',
      items: 4,
    });
    expect(await page('?offset=-2&limit=4')).toEqual({
      next_page: '/api/rooms?offset=2&limit=4',
      prev_page: null,
      items: 2,
    });
    expect(await page(`?offset=${total}&limit=10000`)).toEqual({
      next_page: null,
      prev_page: `/api/rooms?offset=${total - 100}&limit=100`,
      items: 0,
    });
    expect(await page('?offset=2147483647')).toMatchObject({ next_page: null, items: 0 });
    expect((await page('?limit=0')).items).toBe(Math.min(25, total));
    for (const query of ['?offset=x', '?limit=1.5', '?limit=-1', '?offset=99999999999'])
      expect((await admin.get(`/api/rooms${query}`)).json.title).toBe('Invalid parameter');
  });
});

describe('changing rooms', () => {
  it('is answered with the whole room, by PUT and PATCH alike', async () => {
    const room = await create();
    const path = `/api/rooms/${room._id.$oid}`;
    const toggled = await admin.patch(path, { is_open: false });
    expect([toggled.status, toggled.json]).toEqual([200, { ...room, is_open: false }]);
    expect(await nativeRoom(room.name)).toMatchObject({ visibility: 'private' });
    expect((await listed(await signUp(anybody))).map(({ name }) => name)).toContain(room.name);
    const name = freshRoom();
    const renamed = await admin.put(path, { ...room, name, is_visible: false, created: null });
    expect(renamed.json).toEqual({ ...room, name, is_open: true, is_visible: false });
    expect((await admin.patch(path, { is_visible: true })).json).toEqual({ ...room, name });
  });

  it('is refused in the words of makechat', async () => {
    const [room, other] = [await create(), await create()];
    const path = `/api/rooms/${room._id.$oid}`;
    const unknown = 'a'.repeat(24);
    const stranger = await anotherAdmin();
    const tries: [Promise<RawAnswer>, object][] = [
      [
        admin.put(`/api/rooms/${unknown}`, { name: 'x' }),
        refusal('Error occurred', `Not found room with id ${unknown}`),
      ],
      [admin.put('/api/rooms/7', { name: 'x' }), refusal('Error occurred', 'Not found room with id 7')],
      [admin.patch(path), refusal('Error occurred', `Not found room with id ${room._id.$oid}`)],
      [admin.put(path, {}), refusal('OperationError', 'No update parameters, would remove data')],
      [admin.put(path, { created: 1 }), refusal('OperationError', 'No update parameters, would remove data')],
      [stranger.put(path, { name: 'x' }), refusal('Error occurred', 'You are not owner of this room.')],
      [admin.patch(path, { colour: 'red' }), refusal('Error occurred', 'Cannot resolve field "colour"')],
      [admin.patch(path, { name: other.name }), refusal('Error occurred', expect.stringContaining('duplicate'))],
    ];
    for (const [sent, expected] of tries) {
      const answer = await sent;
      expect([answer.status, answer.json]).toEqual([400, expected]);
    }
    const user = await signUp(anybody);
    expect((await user.patch(path, { name: 'x' })).status).toBe(403);
  });

  it('replaces the members', async () => {
    const [room, username] = [await create(), freshName()];
    const path = `/api/rooms/${room._id.$oid}`;
    const user = await signUp(anybody, username);
    const { items } = (await admin.get('/api/users?limit=100')).json;
    const person = items.find((one: { username: string }) => one.username === username)._id;
    const added = (await admin.patch(path, { members: [...room.members, person] })).json;
    expect(added.members).toHaveLength(2);
    expect((await user.get('/api/ping')).json.have_rooms).toBe(true);
    const members = (await user.get(`/api/members?room=${room._id.$oid}`)).json;
    expect(members.items).toEqual([
      { _id: room.members[0], role: 'owner', profile: oid, username: 'admin', created: date },
      { _id: added.members[1], role: 'member', profile: person, username, created: date },
    ]);
    const removed = await admin.put(path, { members: room.members.map(({ $oid }) => $oid) });
    expect(removed.json.members).toEqual(room.members);
    expect((await admin.put(path, { members: [] })).status).toBe(400);
    expect((await admin.put(path, { members: ['f'.repeat(24)] })).status).toBe(400);
  });

  it('closes a room that the caller owns, and always succeeds', async () => {
    const room = await create();
    const path = `/api/rooms/${room._id.$oid}`;
    expect((await (await anotherAdmin()).delete(path)).json).toEqual(ok);
    expect(await listed(admin)).toContainEqual(room);
    for (let i = 0; i < 2; i++) expect((await admin.delete(path)).json).toEqual(ok);
    expect((await admin.delete('/api/rooms/none')).json).toEqual(ok);
    expect((await listed(admin)).map(({ name }) => name)).not.toContain(room.name);
    expect(await nativeRoom(room.name)).toMatchObject({ status: 'closed' });
    await create({ name: room.name });
  });
});

describe('messages', () => {
  it('to an open room make the author a member, and come in their order', async () => {
    const room = await create();
    const username = freshName();
    const user = await signUp(anybody, username);
    const texts = ['one', 'Grüße 你好 😀', '<b>three</b>'];
    for (const text of texts) {
      const said = await user.post('/api/messages', { text, rooms: [room._id] });
      expect([said.status, said.json]).toEqual([
        201,
        { _id: oid, text, sender: oid, username, rooms: [room._id], created: date },
      ]);
    }
    const { items, total_pages } = (await user.get(`/api/messages?room=${room._id.$oid}`)).json;
    expect([items.map(({ text }: { text: string }) => text), total_pages]).toEqual([texts, '1']);
    const last = (await user.get(`/api/messages?room=${room._id.$oid}&offset=2&limit=1`)).json;
    expect([last.items[0].text, last.next_page]).toEqual(['<b>three</b>', null]);
    expect(last.prev_page).toBe(`/api/messages?room=${room._id.$oid}&offset=1&limit=1`);
    const { id } = await nativeRoom(room.name);
    const native = (await nativeAdmin.get(`/v1/rooms/${id}/messages?order=oldest`)).body.items;
    expect(
      native.map((message: { text: string; author: { username: string } }) => [message.author.username, message.text]),
    ).toEqual(texts.map((text) => [username, text]));
    const events = (await nativeAdmin.get(`/v1/rooms/${id}/events`)).body.items;
    const doors = events.map(({ type, door }: { type: string; door?: string }) => `${type} ${door}`);
    expect(doors).toContain('MessagePosted makechat');
  });

  it('of the native doors are here once, in the same order, and the other way round', async () => {
    const room = await create();
    const { id } = await nativeRoom(room.name);
    const ada = await nativeRegister(service.url);
    await ada.post(`/v1/rooms/${id}/members`, {});
    const socket = await ada.follow(id);
    await ada.says(id, 'from ada');
    await admin.post('/api/messages', { text: 'from the door', rooms: room._id.$oid });
    await socket.until(({ data }) => JSON.stringify(data ?? '').includes('from the door'));
    const { items } = (await admin.get(`/api/messages?room=${room._id.$oid}`)).json;
    expect(items.map(({ text }: { text: string }) => text)).toEqual(['from ada', 'from the door']);
    socket.close();
  });

  it('to one person are read by the two and by no one else', async () => {
    const [one, two] = [freshName(), freshName()];
    const [user, other, third] = [await signUp(anybody, one), await signUp(anybody, two), await signUp(anybody)];
    const { items } = (await admin.get('/api/users?limit=100')).json;
    const idOf = (name: string) => items.find(({ username }: { username: string }) => username === name)._id;
    expect((await user.get(`/api/messages?recipient=${idOf(two).$oid}`)).json).toMatchObject({
      items: [],
      total_pages: '0',
    });
    const said = await user.post('/api/messages', { text: 'psst', recipient: idOf(two) });
    expect(said.json).toEqual({
      ...{ _id: oid, text: 'psst', sender: idOf(one), username: one, recipient: idOf(two), rooms: [], created: date },
    });
    const read = (await other.get(`/api/messages?recipient=${idOf(one).$oid}`)).json.items;
    expect(read).toEqual([said.json]);
    expect((await third.get(`/api/messages?recipient=${idOf(one).$oid}`)).json.items).toEqual([]);
  });

  it('and members of hidden rooms stay with their members', async () => {
    const hidden = await create({ is_visible: false });
    const closed = await create({ is_open: false });
    const user = await signUp(anybody);
    const id = hidden._id.$oid;
    const unknown = refusal('Error occurred', `Not found room with id ${id}`);
    expect((await user.get(`/api/messages?room=${id}`)).json).toEqual(unknown);
    expect((await user.get(`/api/members?room=${id}`)).json).toEqual(unknown);
    expect((await user.post('/api/messages', { text: 'x', rooms: [id] })).json).toEqual(unknown);
    expect((await user.get(`/api/messages?room=${closed._id.$oid}`)).status).toBe(403);
    expect((await user.get(`/api/members?room=${closed._id.$oid}`)).status).toBe(403);
    expect((await user.post('/api/messages', { text: 'x', rooms: [closed._id] })).status).toBe(403);
  });

  it('of rooms that an administrator is not in take a reason, which is recorded', async () => {
    const ada = await nativeRegister(service.url);
    const name = freshRoom();
    const id = await ada.room({ name, visibility: 'private' });
    await ada.says(id, 'among us');
    const found = (await listed(admin)).find((room) => room.name === name)?._id.$oid;
    expect((await admin.get(`/api/messages?room=${found}`)).status).toBe(403);
    const read = await admin.get(`/api/messages?room=${found}`, because());
    expect(read.json.items).toMatchObject([{ text: 'among us' }]);
    const events = (await ada.get(`/v1/rooms/${id}/events`)).body.items;
    expect(events.map(({ type }: { type: string }) => type)).toContain('RoomInspected');
  });

  it('are refused in the format of makechat', async () => {
    const room = await create();
    const tries: [object | undefined, number, string][] = [
      [undefined, 400, 'Missing parameter'],
      [{}, 400, 'Missing parameter'],
      [{ text: 'x' }, 400, 'Missing parameter'],
      [{ text: 'x', rooms: [] }, 400, 'Missing parameter'],
      [{ text: 'x', rooms: ['f'.repeat(24)] }, 400, 'Error occurred'],
      [{ text: 'x', rooms: [{}] }, 400, 'Error occurred'],
      [{ text: 7, rooms: [room._id] }, 400, 'Error occurred'],
      [{ text: '', rooms: [room._id] }, 400, 'Error occurred'],
      [{ text: 'x'.repeat(8_001), rooms: [room._id] }, 400, 'Error occurred'],
      [{ text: 'x', recipient: 'f'.repeat(24) }, 400, 'Error occurred'],
      [{ text: 'x', recipient: room._id, rooms: [room._id] }, 400, 'Error occurred'],
    ];
    for (const [body, status, title] of tries) {
      const answer = await admin.post('/api/messages', body, { 'content-type': 'application/json' });
      expect([body, answer.status, answer.json.title]).toEqual([body, status, title]);
    }
    expect((await admin.get(`/api/messages?room=${room._id.$oid}`)).json.items).toEqual([]);
    expect((await admin.get('/api/messages')).json.title).toBe('Missing parameter');
    expect((await admin.get('/api/members')).json.title).toBe('Missing parameter');
  });

  it('do not get in once the author was banned or the room was closed', async () => {
    const room = await create();
    const username = freshName();
    const user = await signUp(anybody, username);
    await user.post('/api/messages', { text: 'hello', rooms: [room._id] });
    const { id } = await nativeRoom(room.name);
    const person = (await nativeAdmin.get(`/v1/users?usernames=${username}`)).body.items[0].id;
    await nativeAdmin.put(`/v1/rooms/${id}/bans/${person}`, {});
    const banned = await user.post('/api/messages', { text: 'again', rooms: [room._id] });
    expect([banned.status, banned.json.title]).toEqual([403, 'Permission Denied']);
    await admin.delete(`/api/rooms/${room._id.$oid}`);
    const closed = await admin.post('/api/messages', { text: 'again', rooms: [room._id] });
    expect([closed.status, closed.json]).toEqual([400, refusal('Error occurred', 'The room is closed.')]);
  });
});
