import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { MqttPerson } from './chatt.testing.js';
import { RawClient } from './raw-client.testing.js';

/** Two replicas, each with a broker. */
const services: TestService[] = [];
const ports: number[] = [];
let eve: TestPerson;
const open: { drop(): void }[] = [];

beforeAll(async () => {
  for (const i of [0, 1]) {
    ports.push(await freePort());
    services.push(await startTestService({ environment: { MQTT_PORT: `${ports[i]}` }, beside: services[0] }));
  }
  eve = await register(services[0]!.url);
});
afterEach(() => {
  for (const client of open.splice(0)) client.drop();
});
afterAll(async () => {
  await services[1]?.stop();
  await services[0]?.stop();
});

async function raw(replica: number, clientId: string, more = {}): Promise<RawClient> {
  const client = await RawClient.connect(ports[replica]!, clientId, more);
  open.push(client);
  return client;
}

async function person(replica: number, clientId: string, options = {}): Promise<MqttPerson> {
  const client = await MqttPerson.connect(`mqtt://127.0.0.1:${ports[replica]}`, clientId, options);
  open.push(client);
  return client;
}

let rooms = 0;
/** A public room, and what was said in it. */
async function newRoom() {
  const name = `session-${++rooms}`;
  const id = await eve.room({ name, visibility: 'public' });
  const texts = async () =>
    (await eve.all(`/v1/rooms/${id}/messages?order=oldest`)).map(({ text }: { text: string }) => text);
  const says = (...wanted: string[]) => expect.poll(texts, { timeout: 10_000 }).toEqual(wanted);
  return { name, id, texts, says };
}

describe('a text whose acknowledgement was lost', () => {
  it.each([true, false])('is one message when it is sent again with DUP %s to the other replica', async (dup) => {
    const room = await newRoom();
    const first = await raw(0, 'lost');
    first.publish(room.name, 'once', 7);
    await first.gets('puback');
    first.drop();
    const second = await raw(1, 'lost');
    second.publish(room.name, 'once', 7, dup);
    await second.gets('puback');
    second.drop();
    const third = await raw(0, 'lost');
    third.publish(room.name, 'once', 7, dup);
    third.publish(room.name, 'twice', 8);
    await third.gets('puback', 2);
    await room.says('once', 'twice');
  });

  it('is one message after a restart of the service, even if it was never acknowledged', async () => {
    const room = await newRoom();
    const first = await raw(1, 'unlucky');
    first.publish(room.name, 'one', 1);
    first.publish(room.name, 'two', 2);
    first.drop();
    await services[1]!.restart();
    const second = await raw(1, 'unlucky');
    second.publish(room.name, 'one', 1);
    second.publish(room.name, 'two', 2);
    await second.gets('puback', 2);
    await room.says('one', 'two');
  });

  it('is one message when a stalled replica reads it after the client has moved to another', async () => {
    const room = await newRoom();
    const first = await raw(0, 'patient');
    first.publish(room.name, 'before', 1);
    await first.gets('puback');
    // As if the client had connected elsewhere and this replica did not know yet.
    const sql = postgres(services[0]!.databaseUrl, { max: 1 });
    await sql`
      update desk.chatt_sessions set connection = nextval('desk.chatt_connections')
      where connection = (select max(connection) from desk.chatt_sessions)`;
    await sql.end();
    first.publish(room.name, 'once', 2);
    await first.isEnded();
    expect(first.packets.filter(({ cmd }) => cmd === 'puback')).toHaveLength(1);
    const second = await raw(1, 'patient');
    second.publish(room.name, 'once', 2);
    await second.gets('puback');
    await room.says('before', 'once');
  });

  it('is a new message after DISCONNECT, or once its packet id was acknowledged on the same connection', async () => {
    const room = await newRoom();
    for (const replica of [0, 1, 0]) {
      const client = await raw(replica, 'x');
      client.publish(room.name, 'again', 1);
      await client.gets('puback');
      client.publish(room.name, 'again', 1);
      await client.gets('puback', 2);
      client.send({ cmd: 'disconnect' });
      client.drop();
    }
    await room.says(...Array(6).fill('again'));
  });

  it('is a new message if its text differs, or another person says it', async () => {
    const room = await newRoom();
    const [one, other] = [await raw(0, 'one'), await raw(0, 'other')];
    for (const client of [one, other]) {
      client.publish(room.name, 'same', 3);
      await client.gets('puback');
    }
    one.drop();
    const back = await raw(1, 'one');
    back.publish(room.name, 'different', 3);
    await back.gets('puback');
    await room.says('same', 'same', 'different');
  });
});

describe('a persistent session', () => {
  it('resumes at QoS 1 after the last acknowledged text, on the other replica', async () => {
    const room = await newRoom();
    const first = await raw(0, 'keeper', { clean: false });
    expect((await first.gets('connack')).sessionPresent).toBe(false);
    first.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `rooms/${room.name}/newtext`, qos: 1 }] });
    expect((await first.gets('suback')).granted).toEqual([1]);
    await eve.says(room.id, 'acknowledged');
    await eve.says(room.id, 'not acknowledged');
    const { messageId } = await first.gets('publish');
    await first.gets('publish', 2);
    first.send({ cmd: 'puback', messageId });
    // What is acknowledged is stored when the connection ends.
    first.send({ cmd: 'pingreq' });
    await first.gets('pingresp');
    first.drop();
    await eve.says(room.id, 'while away');
    const second = await raw(1, 'keeper', { clean: false });
    expect((await second.gets('connack')).sessionPresent).toBe(true);
    await second.gets('publish', 2);
    await eve.says(room.id, 'live');
    await second.gets('publish', 3);
    const texts = second.packets.flatMap((packet) =>
      packet.cmd === 'publish' ? JSON.parse(packet.payload.toString()).text : [],
    );
    expect(texts).toEqual(['not acknowledged', 'while away', 'live']);
  });

  it('exists without subscriptions too', async () => {
    for (const present of [false, true]) {
      const client = await raw(0, 'publisher', { clean: false });
      expect((await client.gets('connack')).sessionPresent).toBe(present);
      client.drop();
    }
  });

  it('resumes from its subscription if nothing was acknowledged', async () => {
    const room = await newRoom();
    const first = await raw(0, 'early leaver', { clean: false });
    first.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `rooms/${room.name}/newtext`, qos: 1 }] });
    await first.gets('suback');
    first.drop();
    await eve.says(room.id, 'while away');
    const second = await raw(1, 'early leaver', { clean: false });
    expect(JSON.parse(`${(await second.gets('publish')).payload}`).text).toBe('while away');
  });

  it('keeps subscriptions at QoS 0 too, and is deleted by a clean one', async () => {
    const room = await newRoom();
    const first = await person(0, 'listener', { clean: false });
    await first.subscribe('rooms/#', 0);
    await first.leave();
    const second = await person(1, 'listener', { clean: false });
    await eve.says(room.id, 'hello again');
    await second.hears(room.name, `${eve.username}: hello again`);
    await second.leave();
    await (await person(0, 'listener')).leave();
    const third = await raw(1, 'listener', { clean: false });
    expect((await third.gets('connack')).sessionPresent).toBe(false);
  });
});

describe('a second connection with the same client id', () => {
  it.each([0, 1])('ends the first one, on replica %i', async (replica) => {
    const first = await raw(0, 'the same');
    await raw(replica, 'the same');
    await first.isEnded();
  });

  it('of another account ends no connection', async () => {
    const first = await raw(0, 'shared', { username: eve.username, password: Buffer.from('correct horse') });
    const second = await raw(0, 'shared');
    first.send({ cmd: 'pingreq' });
    await first.gets('pingresp');
    expect(second.ended).toBe(false);
  });
});
