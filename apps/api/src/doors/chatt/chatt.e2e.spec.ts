import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { MqttPerson } from './chatt.testing.js';

let service: TestService;
let admin: TestPerson;
let tcp: string;
let ws: string;
const open: MqttPerson[] = [];

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

beforeAll(async () => {
  const [mqtt, mqttWs] = [await freePort(), await freePort()];
  tcp = `mqtt://127.0.0.1:${mqtt}`;
  ws = `ws://127.0.0.1:${mqttWs}`;
  service = await startTestService({ environment: { MQTT_PORT: `${mqtt}`, MQTT_WS_PORT: `${mqttWs}` } });
  admin = await signIn(service.url, administrator);
});
afterEach(() => {
  for (const person of open.splice(0)) person.drop();
});
afterAll(() => service.stop());

describe('texts', () => {
  it('go from one client to another, over TCP and WebSocket, and are messages of a native room', async () => {
    const room = roomName();
    const [ada, bob] = [await guest('Ada'), await guest('Bob', {}, ws)];
    expect(await ada.subscribe('rooms/#')).toEqual([0]);
    expect(await bob.subscribe(['rooms/#', 'users/#'], 1)).toEqual([1, 1]);
    await ada.say(room, 'Grüße 你好 مرحبا');
    await bob.say(room, '<b>hello</b>', 0);
    for (const person of [ada, bob]) await person.hears(room, 'Ada: Grüße 你好 مرحبا', 'Bob: <b>hello</b>');
    const eve = await register(service.url);
    const [found] = (await eve.get(`/v1/rooms?q=${room}`)).body.items;
    await eve.post(`/v1/rooms/${found.id}/members`, {});
    const { items } = (await eve.get(`/v1/rooms/${found.id}/messages`)).body;
    expect(items.map(({ text }: { text: string }) => text).sort()).toEqual(['<b>hello</b>', 'Grüße 你好 مرحبا']);
    await eve.says(found.id, 'from the native API');
    await ada.hears(room, 'Ada: Grüße 你好 مرحبا', 'Bob: <b>hello</b>', `${eve.username}: from the native API`);
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

  it('cannot come under the name of a registered person', async () => {
    const eve = await register(service.url);
    expect(await refusal(eve.username)).toBe(2);
    expect(await refusal('a+b')).toBe(2);
    expect(admin.username).toBe('admin');
  });
});
