import { startRelay } from '../bare-relay.js';
import type { Speaker } from '../load.js';
import { MqttSocket } from '../mqtt-socket.js';
import { options } from '../options.js';
import type { Subject } from '../subject.js';
import { type Figures, mediansOf, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';
import { measure } from './rooms.js';

const ROOMS = 50;
const SUBSCRIBERS = 20;
/** The first of each room posts, and waits for its own text. */
const talk = { posters: 1, inFlight: 1 };

/** What comes back over MQTT is `{"author","text"}`, so the id of a message stands at the beginning of its text. */
const mark = Buffer.from('"text":"');
const withId = (id: string, text: string): string => `"${id} ${text.slice(1)}`;

/** 1,000 subscribers over MQTT beside as many native sockets and the relay, by turns. */
export async function mqttSubscribers(): Promise<Section[]> {
  const relay = await startRelay();
  const verbatim = await Verbatim.start({ environment: { MQTT_PORT: '0' } });
  const port = Number((await verbatim.first.node.prints(/mqtt:\/\/[\d.]+:(\d+)/))[1]);
  const people = SUBSCRIBERS + 1;
  const subjects: Record<string, [Subject, readonly (readonly Speaker[])[]]> = {
    relay: [relay, await relay.gather({ rooms: ROOMS, people })],
    native: [verbatim, await verbatim.gather({ rooms: ROOMS, people })],
    qos0: [verbatim, await gather(verbatim, port, 0)],
    qos1: [verbatim, await gather(verbatim, port, 1)],
    all: [verbatim, await gather(verbatim, port, 1, true)],
  };
  const figures = new Map<string, Figures[]>(Object.keys(subjects).map((name) => [name, []]));
  for (let round = -1; round < options.rounds; round++)
    for (const [name, [subject, rooms]] of Object.entries(subjects)) {
      const measured = await measure(talk, subject, rooms, round < 0 ? 2 : options.seconds);
      // The first round warms up.
      if (round >= 0) figures.get(name)?.push(measured);
    }
  await relay.stop();
  await verbatim.stop();
  const compare = (title: string, own: string, floor: string, beside: string): Section => ({
    title: `50 rooms of 20 subscribers and a poster: ${title}`,
    floor,
    rows: mediansOf(figures.get(own) ?? [], figures.get(beside) ?? []),
  });
  const native = 'native sockets, in the same rounds';
  return [
    compare('native sockets', 'native', 'a bare ws relay, in the same rounds', 'relay'),
    compare('MQTT at QoS 0, posters at native sockets', 'qos0', native, 'native'),
    compare('MQTT at QoS 1, posters at native sockets', 'qos1', native, 'native'),
    compare('MQTT at QoS 1, posters too', 'all', native, 'native'),
  ];
}

async function gather(verbatim: Verbatim, port: number, qos: 0 | 1, posting = false): Promise<Speaker[][]> {
  const rooms: Speaker[][] = [];
  const token = await verbatim.token(0);
  for (let i = 0; i < ROOMS; i++) {
    const name = `mqtt ${posting ? 'all' : qos} ${i}`;
    const { id } = await verbatim.call<{ id: string }>('POST', '/v1/rooms', token, { name, visibility: 'public' });
    const guest = async (n: number): Promise<Speaker> => ({
      socket: await MqttSocket.open(port, `${name} guest ${n}`, name, qos),
      mark,
      frame: (_ref, messageId, text) => `{"author":"","text":${withId(messageId, text)}}`,
    });
    const poster = async (): Promise<Speaker> => {
      const one = await verbatim.participant(id, token);
      return { ...one, frame: (ref, messageId, text) => one.frame(ref, messageId, withId(messageId, text)) };
    };
    const guests = Array.from({ length: SUBSCRIBERS }, (_, n) => guest(n));
    rooms.push(await Promise.all([posting ? guest(SUBSCRIBERS) : poster(), ...guests]));
  }
  return rooms;
}
