import { generate } from 'mqtt-packet';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { MqttPerson } from './chatt.testing.js';
import { connectPacket, RawClient } from './raw-client.testing.js';

let service: TestService;
let admin: TestPerson;
let web: string;
let port: number;
let tcp: string;
let ws: string;
const open: { drop(): void }[] = [];

async function guest(nick: string, options = {}, url = tcp): Promise<MqttPerson> {
  const person = await MqttPerson.connect(url, nick, options);
  open.push(person);
  return person;
}
const refusal = (nick: string, options = {}, url = tcp) =>
  guest(nick, options, url).then(
    () => 'let in',
    (error) => error.code ?? error.message,
  );

let rooms = 0;
const roomName = () => `room-${++rooms}`;
/** The native room of this name, as an administrator sees it. */
const nativeRooms = async (name: string) =>
  (await admin.get(`/v1/rooms?q=${encodeURIComponent(name)}`)).body.items as {
    id: string;
    name: string;
    status: string;
  }[];
const roomId = async (name: string): Promise<string> => {
  await expect.poll(async () => (await nativeRooms(name)).length).toBe(1);
  return (await nativeRooms(name))[0]!.id;
};
const userId = async (name: string): Promise<string> => {
  const found = async () =>
    (await admin.get(`/v1/users?q=${encodeURIComponent(name)}`)).body.items.filter(
      ({ displayName }: { displayName: string }) => displayName === name,
    );
  await expect.poll(async () => (await found()).length).toBe(1);
  return (await found())[0].id;
};
const closing = ({ client }: MqttPerson) => new Promise<void>((resolve) => client.once('close', () => resolve()));
interface LastInfo {
  readonly users: string[];
  readonly rooms: string[];
  readonly messages: Record<string, [string, string][]>;
}
const lastInfo = async (nick = ''): Promise<LastInfo> =>
  (await fetch(`${web}/data/lastinfo?user=${encodeURIComponent(nick)}`)).json() as Promise<LastInfo>;

beforeAll(async () => {
  const [http, mqtt, mqttWs] = [await freePort(), await freePort(), await freePort()];
  web = `http://127.0.0.1:${http}`;
  port = mqtt;
  tcp = `mqtt://127.0.0.1:${mqtt}`;
  ws = `ws://127.0.0.1:${mqttWs}`;
  const environment = { CHATT_PORT: `${http}`, MQTT_PORT: `${mqtt}`, MQTT_WS_PORT: `${mqttWs}` };
  service = await startTestService({ environment });
  admin = await signIn(service.url, administrator);
});
afterEach(() => {
  for (const person of open.splice(0)) person.drop();
});
afterAll(() => service.stop());

describe('texts', () => {
  it('go from client to client over TCP and WebSocket, and are messages of a native room', async () => {
    const room = roomName();
    const [ada, bob] = [await guest('Ada'), await guest('Bob', {}, ws)];
    expect(await ada.subscribe('rooms/#')).toEqual([0]);
    expect(await bob.subscribe(['rooms/#', 'users/#'], 2)).toEqual([1, 1]);
    await ada.say(room, 'Grüße 你好 مرحبا');
    await bob.say(room, '<b>hello</b>', 2);
    for (const person of [ada, bob]) await person.hears(room, 'Ada: Grüße 你好 مرحبا', 'Bob: <b>hello</b>');
    const eve = await register(service.url);
    const id = await roomId(room);
    await eve.post(`/v1/rooms/${id}/members`, {});
    const { items } = (await eve.get(`/v1/rooms/${id}/messages?order=oldest`)).body;
    expect(items.map(({ text }: { text: string }) => text)).toEqual(['Grüße 你好 مرحبا', '<b>hello</b>']);
    await eve.says(id, 'from the native API');
    await ada.hears(room, 'Ada: Grüße 你好 مرحبا', 'Bob: <b>hello</b>', `${eve.username}: from the native API`);
    const events = (await eve.get(`/v1/rooms/${id}/events`)).body.items;
    expect(events.filter(({ door }: { door?: string }) => door === 'chatt').length).toBeGreaterThanOrEqual(3);
    expect((await lastInfo()).messages[room]).toContainEqual(['Bob', '<b>hello</b>']);
    expect(await lastInfo()).toMatchObject({ users: expect.arrayContaining(['Ada', 'Bob']) });
  });

  it('that are not JSON or have no text are not delivered and create no room', async () => {
    const room = roomName();
    const [ada, bob] = [await guest('Ada'), await guest('Bob')];
    await ada.subscribe('rooms/#');
    const bad = [
      '',
      'plain',
      '{"text":',
      '[]',
      'null',
      '{"text":1}',
      '{"author":"Bob"}',
      JSON.stringify({ author: 'x'.repeat(100_000), text: 'too long' }),
      Buffer.from([0x22, 0xff, 0x22]),
    ];
    for (const payload of bad) {
      await bob.client.publishAsync(`rooms/${room}/newtext`, payload, { qos: 1 });
      await bob.client.publishAsync(`rooms/${room}/other`, payload, { qos: 1, retain: true });
    }
    expect(await nativeRooms(room)).toEqual([]);
    await bob.say(room, 'at last');
    await ada.hears(room, 'Bob: at last');
    expect(ada.heard.filter((line) => !line.includes('at last') && line.includes(`/${room}/`))).toEqual([
      `rooms/${room}/new `,
    ]);
  });

  it('arrive in order, however many a client publishes', async () => {
    const room = roomName();
    const [ada, bob] = [await guest('Ada'), await guest('Bob')];
    await ada.subscribe(`rooms/${room}/newtext`, 1);
    const texts = Array.from({ length: 300 }, (_, i) => `text ${i}`);
    await Promise.all(texts.map((text) => bob.say(room, text)));
    await ada.hears(room, ...texts.map((text) => `Bob: ${text}`));
  });

  it('of a last will are published for a lost client, and not for one that disconnected', async () => {
    const room = roomName();
    const ada = await guest('Ada');
    await ada.subscribe('rooms/#');
    const payload = JSON.stringify({ author: 'Ada', text: 'I was lost' });
    const will = { topic: `rooms/${room}/newtext`, payload: Buffer.from(payload), qos: 1, retain: true } as const;
    await (await guest('Polite', { will })).leave();
    (await guest('Lost', { will })).drop();
    await ada.hears(room, 'Lost: I was lost');
  });
});

describe('rooms', () => {
  it('are created by their first text or an announcement; closed ones are not reopened', async () => {
    const [room, other] = [roomName(), roomName()];
    const ada = await guest('Ada');
    await ada.subscribe('rooms/#');
    await ada.client.publishAsync(`rooms/${room}/new`, '', { qos: 1 });
    await expect.poll(() => ada.heard).toContain(`rooms/${room}/new `);
    await ada.say(other, 'first');
    await ada.hears(other, 'Ada: first');
    expect((await admin.post(`/v1/rooms/${await roomId(room)}/close`, {})).status).toBeLessThan(300);
    await ada.say(room, 'too late');
    await ada.client.publishAsync(`rooms/${room}/new`, '', { qos: 1 });
    await ada.say(other, 'second');
    await ada.hears(other, 'Ada: first', 'Ada: second');
    expect(ada.texts(room)).toEqual([]);
    expect((await nativeRooms(room)).map(({ status }) => status)).toEqual(['closed']);
    expect((await lastInfo()).rooms).not.toContain(room);
  });

  it('that are not public are delivered to members only, whatever the filter', async () => {
    const eve = await register(service.url);
    const filters = ['rooms/#', '#', '+/+/newtext', '+/+/+'];
    const [ada, bob] = [await guest('Ada'), await guest('Bob')];
    const [secret, hidden] = [roomName(), roomName()];
    const ids = [
      await eve.room({ name: secret, visibility: 'private' }),
      await eve.room({ name: hidden, visibility: 'hidden' }),
    ];
    for (const person of [ada, bob]) await person.subscribe([...filters, `rooms/${secret}/newtext`]);
    for (const filter of ['$share/all/rooms/#', '$SYS/#', 'elsewhere/#', 'rooms/#/x'])
      await expect(bob.subscribe(filter)).rejects.toThrow();
    const ada_ = await userId('Ada');
    for (const id of ids)
      await eve.client.call('addMember', { params: { id }, body: { userId: ada_, role: 'member' } });
    for (const id of ids) await eve.says(id, 'among us');
    await ada.hears(secret, `${eve.username}: among us`);
    await expect
      .poll(() => ada.heard.filter((line) => line.startsWith(`rooms/${hidden}~`) && line.includes('among us')).length)
      .toBe(1);
    await bob.say(secret, 'let me in');
    await bob.say(roomName(), 'elsewhere');
    expect(bob.heard.filter((line) => line.includes('among us'))).toEqual([]);
    expect((await lastInfo()).rooms).not.toContain(secret);
    expect((await lastInfo('Ada')).messages[secret]).toEqual([[eve.username, 'among us']]);
    expect((await lastInfo('Bob')).rooms).not.toContain(secret);
  });

  it('whose names break topics or the page have another name', async () => {
    const eve = await register(service.url);
    const name = `a/b "c" <d> & e+f#g\\${roomName()}`;
    const id = await eve.room({ name, visibility: 'public' });
    const ada = await guest('Ada');
    await ada.subscribe('rooms/+/newtext');
    await eve.says(id, 'hello');
    await expect.poll(() => ada.heard.length).toBe(1);
    const [, topicName = ''] = ada.heard[0]!.split('/');
    expect(topicName).toMatch(/^a-b -c- -d- - e-f-g-room-\d+~[\w-]{22}$/);
    expect((await lastInfo()).rooms).toContain(topicName);
    await ada.say(topicName, 'hello too');
    await ada.hears(topicName, `${eve.username}: hello`, 'Ada: hello too');
    await ada.say('x<y', 'nothing');
    await ada.say('x"y', 'nothing');
    expect(await nativeRooms('nothing')).toEqual([]);
  });

  it('exclude a removed person at once, until they are added again', async () => {
    const room = roomName();
    const ada = await guest('Ada');
    const rude = await guest('Rude');
    for (const person of [ada, rude]) await person.subscribe('rooms/#');
    await ada.say(room, 'one');
    await rude.hears(room, 'Ada: one');
    await admin.delete(`/v1/rooms/${await roomId(room)}/members/${await userId('Rude')}`);
    await ada.say(room, 'two');
    await rude.say(room, 'still here');
    await ada.hears(room, 'Ada: one', 'Ada: two');
    const again = await guest('Rude');
    await again.subscribe('rooms/#');
    await ada.say(room, 'three');
    await ada.hears(room, 'Ada: one', 'Ada: two', 'Ada: three');
    for (const person of [rude, again]) expect(person.texts(room)).not.toContain('Ada: three');
  });
});

describe('people', () => {
  it('sign in with the name and the password of their account', async () => {
    const eve = await register(service.url);
    const client = await guest('any-id', { username: eve.username.toUpperCase(), password });
    const room = roomName();
    await client.subscribe('rooms/#');
    await client.say(room, 'it is me');
    await client.hears(room, `${eve.username}: it is me`);
    expect(await refusal('any-id', { username: eve.username, password: 'not the password' })).toBe(4);
  });

  it('use a personal token instead of the password, within its scopes', async () => {
    const eve = await register(service.url);
    const room = roomName();
    const id = await eve.room({ name: room, visibility: 'public' });
    const { token } = (await eve.post('/v1/me/tokens', { name: 'MQTT', scopes: ['read'] })).body;
    expect(await refusal('reader', { username: 'another', password: token })).toBe(4);
    const reader = await guest('reader', { username: eve.username, password: token });
    await reader.subscribe(`rooms/${room}/newtext`);
    await reader.say(room, 'not allowed');
    await eve.says(id, 'allowed');
    await reader.hears(room, `${eve.username}: allowed`);
    const closed = closing(reader);
    const [{ id: tokenId }] = (await eve.get('/v1/me/tokens')).body.items;
    await eve.delete(`/v1/me/tokens/${tokenId}`);
    await closed;
  });

  it('cannot use the name of a registered person, or one that fits no topic', async () => {
    const eve = await register(service.url);
    expect(await refusal(eve.username)).toBe(2);
    expect(await refusal(eve.username.toUpperCase(), {}, ws)).toBe(2);
    for (const nick of ['a+b', 'a#b', '\u202eevil']) expect(await refusal(nick)).toBe(2);
    expect(await refusal('a/b')).toBe('let in');
  });

  it('are disconnected within two seconds of a suspension, and refused afterwards', async () => {
    const [bad, ada] = [await guest('Bad'), await guest('Ada')];
    const closed = closing(bad);
    const id = await userId('Bad');
    const before = Date.now();
    await admin.patch(`/v1/users/${id}`, { suspended: true, reason: 'a test' });
    await closed;
    expect(Date.now() - before).toBeLessThan(2_000);
    expect(await refusal('Bad', {}, ws)).toBe(5);
    await admin.patch(`/v1/users/${id}`, { suspended: false });
    await expect.poll(() => refusal('Bad')).toBe('let in');
    expect(ada.client.connected).toBe(true);
  });

  it('that are guests are disconnected when their name is registered', async () => {
    const [ada, zoe] = [await guest('Ada'), await guest('Zoë the 1st')];
    const left = closing(zoe);
    await (await register(service.url)).patch('/v1/me', { displayName: 'ZOË THE 1ST' });
    await left;
    expect(ada.client.connected).toBe(true);
    await expect.poll(() => refusal('Zoë the 1st')).toBe(2);
  });

  it('greet and say goodbye in their own names only, and without their addresses', async () => {
    const [ada, bob] = [await guest('Ada'), await guest('Bobby')];
    await ada.subscribe('users/#');
    await bob.client.publishAsync('users/Ada/logout', '{}', { qos: 1 });
    await bob.client.publishAsync('users/Bobby/hello', '{"ipAddress":"192.0.2.1"}', { qos: 1 });
    for (let i = 0; i < 3; i++) await bob.client.publishAsync('users/Bobby/logout', '{}', { qos: 1 });
    await bob.client.publishAsync('users/Bobby/hello', '{}', { qos: 1 });
    const hello = 'users/Bobby/hello {"ipAddress":"127.0.0.1"}';
    await expect.poll(() => ada.heard).toEqual([hello, 'users/Bobby/logout {}', hello]);
  });
});

describe('connections', () => {
  it('of the original page work although it states a wrong length for names that are not ASCII', async () => {
    const nick = 'Grüße 你好';
    const whole = generate(connectPacket(nick));
    whole[1]! -= Buffer.byteLength(nick) - nick.length;
    const client = RawClient.open(port);
    open.push(client);
    client.write(whole.subarray(0, 20));
    client.write(Buffer.concat([whole.subarray(20), generate({ cmd: 'pingreq' })]));
    expect((await client.gets('connack')).returnCode).toBe(0);
    await client.gets('pingresp');
  });

  it('are accepted from pages at any port of the same host, and from no other host', async () => {
    const from = (origin: string) => refusal('Page', { wsOptions: { origin } }, ws);
    expect(await from('http://127.0.0.1:8080')).toBe('let in');
    expect(await from('http://evil.example')).not.toBe('let in');
  });

  it('end after one and a half times the keep-alive interval', async () => {
    const client = await RawClient.connect(port, 'Silent', { keepalive: 1 });
    const before = Date.now();
    await client.isEnded();
    expect(Date.now() - before).toBeGreaterThan(1_000);
  });

  it('end with the service, and work again after a restart', async () => {
    const ada = await guest('Ada');
    const closed = closing(ada);
    await service.restart();
    await closed;
    await guest('Ada');
    admin = admin.at(service.url);
  });
});
