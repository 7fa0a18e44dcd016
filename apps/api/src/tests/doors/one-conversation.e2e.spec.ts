import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MqttPerson } from '../../doors/chatt/chatt.testing.js';
import { ChatCaller, type ChatClient } from '../../doors/chitchat/chat-client.testing.js';
import { MakechatClient, signUp } from '../../doors/makechat/makechat-client.testing.js';
import { createDatabase, dropDatabase } from '../harness/database.testing.js';
import { freePort } from '../harness/free-port.testing.js';
import { type ServiceProcess, startProcess } from '../harness/service-process.testing.js';
import { password, register, type TestPerson, type TestSocket } from '../harness/test-client.testing.js';

/** A replica with all the doors of this conversation. */
interface Replica {
  readonly service: ServiceProcess;
  readonly ports: Readonly<Record<'MAKECHAT_PORT' | 'CHITCHAT_PORT' | 'MQTT_PORT', string>>;
}

const title = 'one conversation';

let databaseUrl: string;
let folder: string;
let first: Replica;
let second: Replica;

async function startReplica(): Promise<Replica> {
  const [makechat, chitchat, mqtt] = [await freePort(), await freePort(), await freePort()];
  const ports = { MAKECHAT_PORT: `${makechat}`, CHITCHAT_PORT: `${chitchat}`, MQTT_PORT: `${mqtt}` };
  const service = await startProcess({ DATABASE_URL: databaseUrl, VERBATIM_DATA: folder, ...ports });
  return { service, ports };
}

beforeAll(async () => {
  databaseUrl = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-doors-'));
  first = await startReplica();
  second = await startReplica();
});
afterAll(async () => {
  await Promise.all([first.service.end('SIGTERM'), second.service.end('SIGTERM')]);
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true });
});

/** Somebody at one door. `heard` are the texts that came there, in order. */
interface Voice {
  say(text: string): Promise<unknown>;
  heard(): Promise<readonly string[]> | readonly string[];
}

/** At the native door. */
function nativeVoice(person: TestPerson, socket: TestSocket, room: string): Voice {
  const textsOf = (frame: (typeof socket.frames)[number]) =>
    frame.event === 'events'
      ? (frame.data as { events: { type: string; data: { text: string } }[] }).events
          .filter(({ type }) => type === 'MessagePosted')
          .map(({ data }) => data.text)
      : [];
  return { say: (text) => person.says(room, text), heard: () => socket.frames.flatMap(textsOf) };
}

/** At the door of chitchat, without an account. */
function chitchatVoice(name: string, client: ChatClient): Voice {
  const heard = () => client.frames.filter(({ event_type }) => event_type === 'send').map(({ msg }) => msg);
  return {
    async say(text) {
      client.say(name, text);
      await expect.poll(heard, { timeout: 15_000 }).toContain(text);
    },
    heard,
  };
}

/** At the door of chaTT. */
function mqttVoice(person: MqttPerson, room: string): Voice {
  return {
    say: (text) => person.say(room, text),
    heard: () => person.texts(room).map((line) => line.slice(line.indexOf(': ') + 2)),
  };
}

/** At the door of makechat, which has no live traffic. */
function makechatVoice(user: MakechatClient, room: { $oid: string }): Voice {
  return {
    async say(text) {
      const said = await user.post('/api/messages', { text, rooms: [room] });
      expect([said.status, said.text]).toEqual([201, expect.any(String)]);
    },
    async heard() {
      const { items } = (await user.get(`/api/messages?room=${room.$oid}&limit=100`)).json;
      return items.map(({ text }: { text: string }) => text);
    },
  };
}

const portOf = ({ ports }: Replica, door: keyof Replica['ports']): string => `127.0.0.1:${ports[door]}`;
const chitchatAt = (replica: Replica) => new ChatCaller(`http://${portOf(replica, 'CHITCHAT_PORT')}`);
const makechatAt = (replica: Replica) => new MakechatClient(`http://${portOf(replica, 'MAKECHAT_PORT')}`);
const mqttAt = (replica: Replica, { username }: TestPerson) =>
  MqttPerson.connect(`mqtt://${portOf(replica, 'MQTT_PORT')}`, username, { username, password });

describe('one conversation in a public room, at four doors and two replicas', () => {
  it('is heard by all once and in the same order, also when a replica is killed in between', async () => {
    const ada = await register(first.service.url);
    const bob = await register(first.service.url);
    const room = await ada.room({ name: title, visibility: 'public' });
    const socket = await ada.follow(room);
    const mqtt = await mqttAt(first, bob);
    await mqtt.subscribe('rooms/#');

    const { id: number } = (await chitchatAt(second).get(`/chats/${encodeURIComponent(title)}`)).body;
    const ann = await chitchatAt(second).enter(number, 'Ann');
    const cid = await signUp(makechatAt(second));
    const { items } = (await cid.get('/api/rooms?limit=100')).json;
    const makechatRoom = items.find(({ name }: { name: string }) => name === title)._id;

    const atFirst = [nativeVoice(ada, socket, room), mqttVoice(mqtt, title)] as const;
    let voices: readonly Voice[] = [...atFirst, chitchatVoice('Ann', ann), makechatVoice(cid, makechatRoom)];
    const said: string[] = [];
    const talk = async (round: string) => {
      for (const [i, voice] of voices.entries()) {
        said.push(`${round} ${i} Grüße 你好 ${i}`);
        await voice.say(said.at(-1) as string);
      }
    };
    const allHeard = async (since: number) => {
      for (const voice of voices)
        await expect.poll(() => voice.heard(), { timeout: 20_000 }).toEqual(said.slice(since));
    };

    await talk('one');
    await talk('two');
    await allHeard(0);

    await second.service.end('SIGKILL');
    await atFirst[0].say('while the other is away');
    said.push('while the other is away');
    const annAgain = await chitchatAt(first).enter(number, 'Ann');
    const cidAgain = makechatAt(first).with(cid);
    voices = [...atFirst, makechatVoice(cidAgain, makechatRoom)];
    await allHeard(0);
    const before = said.length;
    voices = [...voices, chitchatVoice('Ann', annAgain)];
    await talk('three');
    voices = voices.slice(0, 3);
    await allHeard(0);
    voices = [chitchatVoice('Ann', annAgain)];
    await allHeard(before);

    socket.close();
    annAgain.socket.close();
    await mqtt.leave();
  });
});
