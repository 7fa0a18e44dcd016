import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type IConnectPacket, type ISubscription, type Packet } from 'mqtt-packet';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { MqttPerson } from './chatt.testing.js';
import { connectPacket, RawClient } from './raw-client.testing.js';

/** Two replicas, each with a broker over TCP and WebSocket. */
const services: TestService[] = [];
const ports: number[] = [];
let ws: string;
let eve: TestPerson;
let admin: TestPerson;
const open: { drop(): void }[] = [];

beforeAll(async () => {
  const wsPort = await freePort();
  ws = `ws://127.0.0.1:${wsPort}`;
  for (const i of [0, 1]) {
    ports.push(await freePort());
    const environment = { MQTT_PORT: `${ports[i]}`, ...(i === 0 ? { MQTT_WS_PORT: `${wsPort}` } : {}) };
    services.push(await startTestService({ environment, beside: services[0] }));
  }
  eve = await register(services[0]!.url);
  admin = await signIn(services[0]!.url, administrator);
});
afterEach(() => {
  for (const client of open.splice(0)) client.drop();
});
afterAll(async () => {
  await services[1]?.stop();
  await services[0]?.stop();
});

async function raw(clientId: string, more: Partial<IConnectPacket> = {}, replica = 0): Promise<RawClient> {
  const client = await RawClient.connect(ports[replica]!, clientId, { protocolVersion: 5, ...more });
  open.push(client);
  return client;
}
async function person(clientId: string, options = {}, url = `mqtt://127.0.0.1:${ports[0]}`): Promise<MqttPerson> {
  const client = await MqttPerson.connect(url, clientId, { protocolVersion: 5, ...options });
  open.push(client);
  return client;
}
/** The reason code of the CONNACK. */
const reasonFor = async (clientId: string, more: Partial<IConnectPacket> = {}) =>
  (await (await raw(clientId, more)).gets('connack')).reasonCode;

let rooms = 0;
async function newRoom() {
  const name = `five-${++rooms}`;
  const id = await eve.room({ name, visibility: 'public' });
  const texts = async () =>
    (await eve.all(`/v1/rooms/${id}/messages?order=oldest`)).map(({ text }: { text: string }) => text);
  const says = (...wanted: string[]) => expect.poll(texts, { timeout: 10_000 }).toEqual(wanted);
  return { name, id, topic: `rooms/${name}/newtext`, texts, says };
}

async function subscribe(client: RawClient, ...subscriptions: ISubscription[]): Promise<(number | undefined)[]> {
  const before = client.packets.filter(({ cmd }) => cmd === 'suback').length;
  client.send({ cmd: 'subscribe', messageId: 60_000, subscriptions });
  return (await client.gets('suback', before + 1)).granted as number[];
}
/** The texts that were published to a client. */
const heardBy = ({ packets }: RawClient): string[] =>
  packets.flatMap((packet) => (packet.cmd === 'publish' ? JSON.parse(packet.payload.toString()).text : []));
const hears = (client: RawClient, ...texts: string[]) =>
  expect.poll(() => heardBy(client), { timeout: 10_000 }).toEqual(texts);
const publication = (topic: string, text: string, more = {}): Packet => ({
  ...{ cmd: 'publish', topic, payload: JSON.stringify({ text }), qos: 1, messageId: 1, dup: false, retain: false },
  ...more,
});
/** Resolves with the reason of the DISCONNECT with which the broker ends a connection. */
async function endOf(client: RawClient): Promise<number | undefined> {
  const { reasonCode } = await client.gets('disconnect');
  await client.isEnded();
  return reasonCode;
}

describe('a client of MQTT 5', () => {
  it('learns what this broker does not support, and gets a client id if it has none', async () => {
    const named = await (await raw('Named')).gets('connack');
    expect(named).toMatchObject({ reasonCode: 0, sessionPresent: false });
    expect(named.properties).toEqual({
      receiveMaximum: 1_000,
      maximumPacketSize: 131_072,
      topicAliasMaximum: 0,
      retainAvailable: false,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
    });
    const nameless = await (await raw('')).gets('connack');
    expect(nameless.properties?.assignedClientIdentifier).toMatch(/^[\w-]{36}$/);
  });

  it.each([0, 1, 2] as const)(
    'talks with clients of 3.1.1 and native ones at QoS %i, over TCP and WebSocket',
    async (qos) => {
      const room = await newRoom();
      const [ada, bob] = [await person('Ada'), await person('Bob', {}, ws)];
      const old = await person('Old', { protocolVersion: 4 });
      for (const one of [ada, bob, old]) await one.subscribe('rooms/#', qos);
      await ada.say(room.name, 'Grüße 你好', qos);
      await ada.hears(room.name, 'Ada: Grüße 你好');
      await bob.say(room.name, 'from a WebSocket', qos);
      await ada.hears(room.name, 'Ada: Grüße 你好', 'Bob: from a WebSocket');
      await old.say(room.name, 'from 3.1.1', qos);
      await room.says('Grüße 你好', 'from a WebSocket', 'from 3.1.1');
      await eve.says(room.id, 'native');
      const all = ['Ada: Grüße 你好', 'Bob: from a WebSocket', 'Old: from 3.1.1', `${eve.username}: native`];
      for (const one of [ada, bob, old]) await one.hears(room.name, ...all);
    },
  );

  it('signs in with a password or a token', async () => {
    const room = await newRoom();
    const { token } = (await eve.post('/v1/me/tokens', { name: 'five', scopes: ['read', 'post'] })).body;
    const client = await person('any', { username: eve.username, password });
    await client.subscribe(room.topic);
    await client.say(room.name, 'by password');
    await (await person('other', { username: eve.username, password: token })).say(room.name, 'by token');
    await client.hears(room.name, `${eve.username}: by password`, `${eve.username}: by token`);
  });

  it('learns why it is refused', async () => {
    const wrong = { username: eve.username, password: Buffer.from('not the password') };
    expect(await reasonFor('any', wrong)).toBe(0x86);
    expect(await reasonFor(eve.username)).toBe(0x85);
    expect(await reasonFor('a+b')).toBe(0x85);
    expect(await reasonFor('any', { properties: { authenticationMethod: 'SCRAM-SHA-1' } })).toBe(0x8c);
    const will = { topic: 'users/any/logout', payload: Buffer.from('{}'), qos: 0, retain: true } as const;
    expect(await reasonFor('any', { will })).toBe(0x9a);
    const mallory = await register(services[0]!.url);
    await admin.patch(`/v1/users/${mallory.id}`, { suspended: true, reason: 'a test' });
    const suspended = { username: mallory.username, password: Buffer.from(password) };
    await expect.poll(() => reasonFor('any', suspended)).toBe(0x8a);
  });
});

describe('a session of MQTT 5', () => {
  const keeping = (seconds: number) => ({ clean: false, properties: { sessionExpiryInterval: seconds } });
  const wasPresent = async (client: RawClient) => (await client.gets('connack')).sessionPresent;

  it('resumes after the last acknowledged text, on the other replica', async () => {
    const room = await newRoom();
    const first = await raw('Keeper', keeping(3_600));
    expect(await subscribe(first, { topic: room.topic, qos: 1 })).toEqual([1]);
    await eve.says(room.id, 'acknowledged');
    const { messageId } = await first.gets('publish');
    first.send({ cmd: 'puback', messageId, reasonCode: 0 });
    first.send({ cmd: 'pingreq' });
    await first.gets('pingresp');
    first.drop();
    await eve.says(room.id, 'while away');
    const second = await raw('Keeper', keeping(3_600), 1);
    expect(await wasPresent(second)).toBe(true);
    await hears(second, 'while away');
  });

  it('ends with the connection if it has no interval', async () => {
    const first = await raw('Brief', { clean: false });
    await subscribe(first, { topic: 'rooms/#', qos: 0 });
    first.drop();
    expect(await wasPresent(await raw('Brief', keeping(3_600)))).toBe(false);
  });

  it.each([
    ['resumes within', 59, true],
    ['has ended after', 61, false],
  ])('%s its interval', async (_, secondsLater, present) => {
    const first = await raw('Minute', keeping(60));
    await subscribe(first, { topic: 'rooms/#', qos: 0 });
    first.drop();
    const sql = postgres(services[0]!.databaseUrl, { max: 1 });
    const passTime = () => sql`
      update desk.chatt_sessions set used_at = used_at - make_interval(secs => ${secondsLater})
      where keep_seconds = 60 and replica is null`;
    await expect.poll(async () => (await passTime()).count).toBe(1);
    await sql.end();
    const second = await raw('Minute', keeping(60));
    expect(await wasPresent(second)).toBe(present);
    second.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    await second.isEnded();
  });

  it('is kept for 30 days at most, and the client learns it', async () => {
    const { properties } = await (await raw('Forever', keeping(0xffff_ffff))).gets('connack');
    expect(properties?.sessionExpiryInterval).toBe(30 * 86_400);
  });

  it('is deleted by a clean start', async () => {
    const first = await raw('Clean', keeping(3_600));
    await subscribe(first, { topic: 'rooms/#', qos: 0 });
    first.drop();
    expect(await wasPresent(await raw('Clean', { ...keeping(3_600), clean: true }))).toBe(false);
  });

  it('gets another interval with DISCONNECT, unless there was none', async () => {
    const first = await raw('Changes', keeping(3_600));
    await subscribe(first, { topic: 'rooms/#', qos: 0 });
    first.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    await first.isEnded();
    expect(await wasPresent(await raw('Changes', keeping(3_600)))).toBe(false);
    const brief = await raw('Brief');
    brief.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 60 } });
    expect(await endOf(brief)).toBe(0x82);
  });

  it('recognizes a text whose acknowledgement was lost', async () => {
    const room = await newRoom();
    const first = await raw('Lost', keeping(3_600));
    first.send(publication(room.topic, 'once', { messageId: 7 }));
    await first.gets('puback');
    first.drop();
    const second = await raw('Lost', keeping(3_600), 1);
    second.send(publication(room.topic, 'once', { messageId: 7, dup: true }));
    second.send(publication(room.topic, 'twice', { messageId: 8 }));
    await second.gets('puback', 2);
    await room.says('once', 'twice');
  });
});

describe('a client of MQTT 5 gets', () => {
  it('no more unacknowledged texts at QoS 1 than its receive maximum', async () => {
    const room = await newRoom();
    const client = await raw('Small', { properties: { receiveMaximum: 2 } });
    await subscribe(client, { topic: room.topic, qos: 1 });
    for (const text of ['1', '2', '3', '4']) await eve.says(room.id, text);
    await hears(client, '1', '2');
    client.send({ cmd: 'pingreq' });
    await client.gets('pingresp');
    expect(heardBy(client)).toEqual(['1', '2']);
    for (const n of [1, 2, 3]) {
      const { messageId } = await client.gets('publish', n);
      client.send({ cmd: 'puback', messageId, reasonCode: 0 });
    }
    await hears(client, '1', '2', '3', '4');
  });

  it('no packet longer than its maximum', async () => {
    const room = await newRoom();
    const client = await raw('Short', { properties: { maximumPacketSize: 200 } });
    await subscribe(client, { topic: room.topic, qos: 1 });
    await eve.says(room.id, 'x'.repeat(200));
    await eve.says(room.id, 'short');
    await hears(client, 'short');
  });

  it('none of its own texts if it subscribed with No Local', async () => {
    const room = await newRoom();
    const client = await raw('Quiet');
    await subscribe(client, { topic: room.topic, qos: 1, nl: true });
    client.send(publication(room.topic, 'mine'));
    await client.gets('puback');
    await eve.says(room.id, 'yours');
    await hears(client, 'yours');
    await room.says('mine', 'yours');
  });
});

describe('the reasons of MQTT 5', () => {
  it('name the result of a publication, in words too unless the client declines them', async () => {
    const room = await newRoom();
    const closed = await newRoom();
    expect((await eve.post(`/v1/rooms/${closed.id}/close`, {})).status).toBeLessThan(300);
    const answers = async (more: Partial<IConnectPacket>) => {
      const client = await raw('Asks', more);
      client.send(publication('elsewhere', 'x', { messageId: 1 }));
      client.send(publication(room.topic, 'x', { messageId: 2, payload: 'no JSON' }));
      client.send(publication(closed.topic, 'x', { messageId: 3 }));
      client.send(publication(room.topic, 'x', { messageId: 4 }));
      await client.gets('puback', 4);
      return client.packets.flatMap((packet) => (packet.cmd === 'puback' ? [packet] : []));
    };
    const worded = await answers({});
    expect(worded.map(({ reasonCode }) => reasonCode ?? 0)).toEqual([0x90, 0x99, 0x87, 0]);
    expect(worded.map(({ properties }) => typeof properties?.reasonString)).toEqual([
      ...['string', 'string', 'string'],
      'undefined',
    ]);
    const silent = await answers({ properties: { requestProblemInformation: false } });
    expect(silent.map(({ properties }) => properties?.reasonString)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('end an exchange at QoS 2 with a refusal, and report unknown packet ids', async () => {
    const room = await newRoom();
    const client = await raw('Twice');
    client.send(publication(room.topic, 'x', { qos: 2, messageId: 5, payload: 'no JSON' }));
    expect((await client.gets('pubrec')).reasonCode).toBe(0x99);
    client.send(publication(room.topic, 'said', { qos: 2, messageId: 5 }));
    expect((await client.gets('pubrec', 2)).reasonCode ?? 0).toBe(0);
    client.send({ cmd: 'pubrel', messageId: 5, reasonCode: 0 });
    expect((await client.gets('pubcomp')).reasonCode ?? 0).toBe(0);
    client.send({ cmd: 'pubrel', messageId: 5, reasonCode: 0 });
    expect((await client.gets('pubcomp', 2)).reasonCode).toBe(0x92);
    await room.says('said');
  });

  it('explain why a filter is refused, and that a subscription did not exist', async () => {
    const client = await raw('Filters');
    const asked = ['rooms/#', '$SYS/#', 'elsewhere', 'rooms/#/x', '$share/all/rooms/#'];
    const granted = await subscribe(client, ...asked.map((topic) => ({ topic, qos: 2 as const })));
    expect(granted).toEqual([1, 0x87, 0x87, 0x8f, 0x9e]);
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['rooms/#', 'rooms/none'] });
    expect((await client.gets('unsuback')).granted).toEqual([0, 0x11]);
  });
});

describe('the broker ends a connection of MQTT 5', () => {
  it.each([
    ['an alias of a topic', publication('', 'x', { properties: { topicAlias: 1 } }), 0x94],
    ['an alias beside a topic', publication('users/x/hello', 'x', { properties: { topicAlias: 1 } }), 0x94],
    ['a retained text', publication('users/x/hello', 'x', { retain: true }), 0x9a],
    [
      'a subscription identifier',
      {
        ...{ cmd: 'subscribe', messageId: 1, properties: { subscriptionIdentifier: 5 } },
        subscriptions: [{ topic: 'rooms/#', qos: 0 }],
      },
      0xa1,
    ],
    ['a topic with a wildcard', publication('rooms/+/newtext', 'x'), 0x90],
    ['another authentication', { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'x' } }, 0x82],
    ['a second CONNECT', connectPacket('again', { protocolVersion: 5 }), 0x82],
  ] as [string, Packet, number][])('for %s, with the right reason', async (_, packet, reason) => {
    const client = await raw('Wrong');
    client.send(packet);
    expect(await endOf(client)).toBe(reason);
  });

  it('for packets that are malformed or too long', async () => {
    for (const [bytes, reason] of [
      [Buffer.from([0xf0, 0]), 0x82],
      [Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), 0x95],
      [Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1]), 0x81],
    ] as const) {
      const client = await raw('Wrong');
      client.write(bytes);
      expect([0x81, reason]).toContain(await endOf(client));
    }
  });

  it('for more publications in flight than its receive maximum', async () => {
    const client = await raw('Greedy');
    for (let messageId = 1; messageId <= 1_001; messageId++)
      client.send(publication('users/Greedy/hello', 'x', { qos: 2, messageId }));
    expect(await endOf(client)).toBe(0x93);
  });

  it.each([0, 1])('that is taken over on replica %i', async (replica) => {
    const first = await raw('Same');
    await raw('Same', {}, replica);
    expect(await endOf(first)).toBe(0x8e);
  });

  it('of a silent client, and of a suspended person', async () => {
    expect(await endOf(await raw('Silent', { keepalive: 1 }))).toBe(0x8d);
    const mallory = await register(services[0]!.url);
    const client = await raw('any', { username: mallory.username, password: Buffer.from(password) });
    await admin.patch(`/v1/users/${mallory.id}`, { suspended: true, reason: 'a test' });
    expect(await endOf(client)).toBe(0x98);
  });

  it('when the service stops', async () => {
    const client = await raw('Last', {}, 1);
    await services[1]!.restart();
    expect(await endOf(client)).toBe(0x8b);
  });
});

describe('a will of MQTT 5', () => {
  it('is published if the client is lost or asks for it, but not if it disconnects', async () => {
    const room = await newRoom();
    const introduced = (text: string) =>
      raw(text, { will: { topic: room.topic, payload: Buffer.from(JSON.stringify({ text })), qos: 1, retain: false } });
    const leaves = await introduced('leaves');
    leaves.send({ cmd: 'disconnect', reasonCode: 0 });
    await leaves.isEnded();
    const asks = await introduced('asks for it');
    asks.send({ cmd: 'disconnect', reasonCode: 4 });
    await room.says('asks for it');
    (await introduced('is lost')).drop();
    await room.says('asks for it', 'is lost');
  });
});

const mosquitto = ['/usr/bin/mosquitto_pub', '/usr/bin/mosquitto_sub'].every((program) => existsSync(program));

describe.skipIf(!mosquitto)('the clients of mosquitto', () => {
  const run = (program: string, ...more: string[]) =>
    promisify(execFile)(`/usr/bin/${program}`, ['-h', '127.0.0.1', '-p', `${ports[0]}`, ...more], { timeout: 20_000 });

  it.each(['mqttv31', 'mqttv311', 'mqttv5'])('publish and subscribe with -V %s', async (version) => {
    const room = await newRoom();
    const of = ['-V', version, '-t', room.topic];
    const hearing = run('mosquitto_sub', ...of, '-i', `sub-${version}`, '-q', '1', '-C', '3', '-W', '15');
    const members = async () => (await eve.all(`/v1/rooms/${room.id}/members`)).length;
    await expect.poll(members, { timeout: 10_000 }).toBe(2);
    for (const qos of ['0', '1', '2'])
      await run('mosquitto_pub', ...of, '-i', `pub-${version}`, '-q', qos, '-m', JSON.stringify({ text: qos }));
    const line = (text: string) => JSON.stringify({ author: `pub-${version}`, text });
    expect((await hearing).stdout.trim().split('\n').sort()).toEqual(['0', '1', '2'].map(line));
  });

  it('keep a session with -c and -x, sign in, and learn why they are refused', async () => {
    const room = await newRoom();
    const of = ['-V', 'mqttv5', '-t', room.topic, '-i', 'moss'];
    const session = [...of, '-c', '-x', '3600', '-q', '1'];
    await run('mosquitto_sub', ...session, '-E');
    await eve.says(room.id, 'while away');
    const { stdout } = await run('mosquitto_sub', ...session, '-C', '1', '-W', '15');
    expect(JSON.parse(stdout)).toEqual({ author: eve.username, text: 'while away' });
    await run('mosquitto_pub', ...of, '-u', eve.username, '-P', password, '-q', '1', '-m', '{"text":"signed in"}');
    await room.says('while away', 'signed in');
    const refused = run('mosquitto_pub', ...of, '-u', eve.username, '-P', 'not the password', '-m', '{"text":"x"}');
    await expect(refused).rejects.toMatchObject({
      stderr: expect.stringMatching(/bad user ?name or password|not authori[sz]ed/i),
    });
    const invalid = run('mosquitto_pub', ...of, '-q', '1', '-m', 'no JSON');
    const { stderr } = await invalid.catch((error: { stderr: string }) => error);
    expect(stderr).toMatch(/payload format invalid/i);
  });
});
