import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Chance, seedOfThisRun } from '../../tests/bad-input/bad-values.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { MqttPerson } from './chatt.testing.js';
import { connectPacket, RawClient } from './raw-client.testing.js';

let service: TestService;
let eve: TestPerson;
let web: string;
let port: number;
let wsPort: number;
const open: { drop(): void }[] = [];
const room = 'town';
let roomId: string;

beforeAll(async () => {
  const http = await freePort();
  [port, wsPort] = [await freePort(), await freePort()];
  web = `http://127.0.0.1:${http}`;
  const environment = { CHATT_PORT: `${http}`, MQTT_PORT: `${port}`, MQTT_WS_PORT: `${wsPort}` };
  service = await startTestService({ environment });
  eve = await register(service.url);
  roomId = await eve.room({ name: room, visibility: 'public' });
});
afterEach(() => {
  for (const client of open.splice(0)) client.drop();
});
afterAll(() => service.stop());

async function person(clientId: string, options = {}): Promise<MqttPerson> {
  const client = await MqttPerson.connect(`mqtt://127.0.0.1:${port}`, clientId, options);
  open.push(client);
  return client;
}
async function raw(clientId?: string, more = {}): Promise<RawClient> {
  const client = clientId === undefined ? RawClient.open(port) : await RawClient.connect(port, clientId, more);
  open.push(client);
  return client;
}
const texts = async (): Promise<string[]> =>
  (await eve.all(`/v1/rooms/${roomId}/messages?order=oldest`)).map(({ text }: { text: string }) => text);
const roomNames = async (): Promise<string[]> =>
  (await eve.all('/v1/rooms')).map(({ name }: { name: string }) => name).sort();

const nothing = Buffer.alloc(0);
/** A valid CONNECT, and every kind of packet that clients send after it. None of them posts a text. */
const validPackets = (version: 4 | 5): readonly [introduction: Buffer, kinds: readonly Buffer[]] => {
  const properties = { messageExpiryInterval: 60, contentType: 'x', userProperties: { a: ['b', 'é'] } };
  const introduction = connectPacket('fuzz', {
    protocolVersion: version,
    clean: false,
    username: 'fuzz',
    properties: { sessionExpiryInterval: 60, receiveMaximum: 5, maximumPacketSize: 1_000 },
    will: { topic: 'users/fuzz/logout', payload: Buffer.from('{'), qos: 1, retain: version === 4, properties },
  });
  const packets: Packet[] = [
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'rooms/#', qos: 1, nl: true }] },
    { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['rooms/#'] },
    ...([0, 1, 2] as const).map((qos) => ({
      ...({ cmd: 'publish', topic: 'users/fuzz/hello', payload: '{', dup: qos > 0, retain: version === 4 } as const),
      ...{ qos, messageId: 3 + qos, properties },
    })),
    ...(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const).map((cmd) => ({ cmd, messageId: 5, reasonCode: 0 })),
    { cmd: 'pingreq' },
    { cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 1, reasonString: 'x' } },
  ];
  const written = (packet: Packet) => generate(packet, { protocolVersion: version });
  return [written(introduction), packets.map(written)];
};
/** Damage to valid packets: bytes changed, truncated, split; one kind or all; over TCP or WebSocket. */
const damage = fc.record({
  changes: fc.array(fc.record({ at: fc.nat(10_000), value: fc.nat(255) }), { maxLength: 4 }),
  length: fc.option(fc.nat(10_000), { freq: 2 }),
  cut: fc.nat(10_000),
  kind: fc.option(fc.nat(100), { freq: 2 }),
  overWebSocket: fc.boolean(),
  version: fc.constantFrom<4 | 5>(4, 5),
});

/** Sends each piece as its own message. */
async function inFrames(pieces: readonly Buffer[]): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${wsPort}/`, 'mqtt');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('open', resolve));
  for (const piece of pieces) socket.send(piece);
  open.push({ drop: () => socket.terminate() });
}

describe('packets that are wrong', () => {
  const connect = generate(connectPacket('x'));
  const wrong: [string, Buffer][] = [
    ['no MQTT', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['a packet before CONNECT', generate({ cmd: 'pingreq' })],
    ['a second CONNECT', Buffer.concat([connect, connect])],
    ['a length without end', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ['a length beyond what is allowed', Buffer.concat([connect, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])])],
    ['a topic with a wildcard', Buffer.concat([connect, publication('rooms/+/newtext')])],
    ['a topic with NUL', Buffer.concat([connect, publication('rooms/\0/newtext')])],
    ['an empty topic', Buffer.concat([connect, Buffer.from([0x30, 2, 0, 0])])],
    ['QoS 3', Buffer.concat([connect, Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1])])],
    ['a subscription to nothing', Buffer.concat([connect, Buffer.from([0x82, 2, 0, 1])])],
    ['a subscription to too much', Buffer.concat([connect, subscription(201)])],
    ['the end of too many subscriptions', Buffer.concat([connect, unsubscription(201)])],
    ['the end of no subscription', Buffer.concat([connect, Buffer.from([0xa2, 2, 0, 1])])],
    ['a packet of servers', Buffer.concat([connect, generate({ cmd: 'pingresp' })])],
    ['an unknown packet', Buffer.concat([connect, Buffer.from([0xf0, 0])])],
    ['another level of the protocol', Buffer.from(connect).fill(9, 8, 9)],
  ];

  it.each(wrong)('end the connection: %s', async (_, bytes) => {
    const client = await raw();
    client.write(bytes);
    await client.isEnded();
  });

  const seed = seedOfThisRun();
  it(`of any kind store nothing and harm no other client (BAD_INPUT_SEED=${seed})`, async () => {
    const before = [await texts(), await roomNames()];
    const bystander = await person('Bystander');
    await bystander.subscribe(`rooms/${room}/newtext`);
    const chance = new Chance(seed);
    for (const { changes, length, cut, kind, overWebSocket, version } of chance.some(
      damage,
      process.env.LONG ? 2_000 : 200,
    )) {
      const [introduction, kinds] = validPackets(version);
      const bytes = Buffer.concat([introduction, ...(kind === null ? kinds : [kinds[kind % kinds.length] ?? nothing])]);
      for (const { at, value } of changes) bytes[at % bytes.length] = value;
      const sent = length === null ? bytes : bytes.subarray(0, length % bytes.length);
      const pieces = [sent.subarray(0, cut % (sent.length + 1)), sent.subarray(cut % (sent.length + 1))];
      if (overWebSocket) await inFrames(pieces);
      else (await raw()).write(...pieces);
    }
    (await raw()).write(Buffer.from(chance.one(fc.uint8Array({ minLength: 70_000, maxLength: 70_000 }))));
    await eve.says(roomId, 'all is well');
    await bystander.hears(room, `${eve.username}: all is well`);
    expect(await texts()).toEqual([...(before[0] ?? []), 'all is well']);
    expect(await roomNames()).toEqual(before[1]);
  });

  it('do not include those that arrive in pieces, or a thousand at once', async () => {
    const before = await texts();
    const slow = await raw();
    for (const byte of generate(connectPacket('Slow'))) slow.write(Buffer.from([byte]));
    expect((await slow.gets('connack')).returnCode).toBe(0);
    const said = Array.from({ length: 1_000 }, (_, i) => `one of a thousand ${i}`);
    slow.write(
      Buffer.concat(said.map((text, i) => publication(`rooms/${room}/newtext`, JSON.stringify({ text }), i + 1))),
    );
    await slow.gets('puback', 1_000);
    await expect.poll(texts, { timeout: 10_000 }).toEqual([...before, ...said]);
  });

  it('of another kind than MQTT end a WebSocket', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${wsPort}/`, 'mqtt');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('text');
    expect(await closed).toBe(1003);
  });

  it('count as waiting data while their message has not arrived in full', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${wsPort}/`, 'mqtt');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(Buffer.alloc(500_000), { fin: false });
    await expect.poll(waitingBytes, { timeout: 5_000 }).toBeGreaterThanOrEqual(500_000);
    socket.terminate();
    await expect.poll(waitingBytes, { timeout: 5_000 }).toBeLessThan(500_000);
  });
});

async function waitingBytes(): Promise<number> {
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^verbatim_waiting_bytes (\d+)$/m.exec(metrics)?.[1]);
}

function filters(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `rooms/${i}/newtext`);
}
function subscription(count: number): Buffer {
  return generate({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: filters(count).map((topic) => ({ topic, qos: 0 })),
  });
}
function unsubscription(count: number): Buffer {
  return generate({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: filters(count) });
}
function publication(topic: string, payload = '{}', messageId = 0): Buffer {
  const body = Buffer.concat([
    Buffer.from([topic.length >> 8, topic.length & 0xff]),
    Buffer.from(topic),
    ...(messageId ? [Buffer.from([messageId >> 8, messageId & 0xff])] : []),
    Buffer.from(payload),
  ]);
  return Buffer.concat([Buffer.from([messageId ? 0x32 : 0x30, body.length]), body]);
}

describe('a subscriber that does not read', () => {
  it('delays no other', async () => {
    const deaf = await raw('Deaf');
    deaf.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'rooms/#', qos: 1 }] });
    await deaf.gets('suback');
    deaf.pause();
    const ada = await person('Ada');
    await ada.subscribe(`rooms/${room}/newtext`);
    const long = 'x'.repeat(7_000);
    for (let i = 0; i < 20; i++)
      await Promise.all(Array.from({ length: 50 }, (_, n) => ada.say(room, `${i} ${n} ${long}`)));
    await expect.poll(() => ada.texts(room).length, { timeout: 10_000 }).toBe(1_000);
  });
});

describe('what the page asks for', () => {
  it.each([
    ['GET', '/data/lastinfo?user=%00%ff&user=b', 200],
    ['GET', `/data/lastinfo?user=${'x'.repeat(5_000)}`, 200],
    ['POST', '/cmd/setRoomMessages', 200],
    ['POST', '/cmd/setChannels', 200],
    ['POST', '/cmd/setAuthors', 200],
    ['GET', '/static/..%2f..%2fpackage.json', 404],
    ['GET', '/cmd/other', 404],
  ])('is answered, whatever comes: %s %s', async (method, path, status) => {
    for (const body of method === 'POST' ? ['', '{"room":', '["a"]', '\u0000'] : [undefined]) {
      const answer = await fetch(`${web}${path}`, { method, body, headers: { 'content-type': 'application/json' } });
      expect(answer.status).toBe(status);
      if (status === 200 && path.startsWith('/cmd')) expect(await answer.text()).toBe('');
      if (path.startsWith('/data') && status === 200)
        expect(Object.keys((await answer.json()) as object)).toEqual(['users', 'rooms', 'messages']);
    }
    expect((await fetch(`${web}/`)).headers.get('content-security-policy')).toContain("script-src 'self'");
  });
});

const mosquitto = ['/usr/bin/mosquitto_pub', '/usr/bin/mosquitto_sub'].every((program) => existsSync(program));
if (!mosquitto) process.stdout.write('mosquitto_pub is not installed: its tests are skipped.\n');

describe.skipIf(!mosquitto)('the clients of mosquitto', () => {
  it('publish and subscribe, and say the same twice under one client id', async () => {
    const at = ['-h', '127.0.0.1', '-p', `${port}`];
    const topic = `rooms/${room}/newtext`;
    const listener = spawn('mosquitto_sub', [
      ...at,
      '-i',
      'moss',
      '-t',
      'rooms/#',
      '-q',
      '1',
      '-v',
      '-C',
      '3',
      '-W',
      '20',
    ]);
    let heard = '';
    listener.stdout.on('data', (data) => {
      heard += data;
    });
    const ended = new Promise((resolve) => listener.once('exit', resolve));
    const ada = await person('Ada');
    // It receives texts once it has subscribed.
    await expect.poll(async () => (await membersOf('moss')).length, { timeout: 10_000 }).toBe(1);
    await ada.say(room, 'ready');
    const publish = (qos: string) =>
      promisify(execFile)('mosquitto_pub', [
        ...at,
        '-i',
        'mosspub',
        '-t',
        topic,
        '-q',
        qos,
        '-m',
        '{"author":"me","text":"same"}',
      ]);
    for (const qos of ['1', '1']) await publish(qos);
    await ended;
    const line = (author: string, text: string) => `${topic} ${JSON.stringify({ author, text })}`;
    expect(heard.trim().split('\n')).toEqual([line('Ada', 'ready'), line('mosspub', 'same'), line('mosspub', 'same')]);
    for (const qos of ['0', '2']) await publish(qos);
    await expect.poll(async () => (await texts()).filter((text) => text === 'same').length).toBe(4);
  });
});

const membersOf = async (name: string) =>
  (await eve.all(`/v1/rooms/${roomId}/members`)).filter((member) => member.displayName === name);
