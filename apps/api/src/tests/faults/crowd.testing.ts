import { Client } from '@verbatim/client';
import { directRoomId } from '../../application/rooms/direct-rooms.js';
import { password, register, type TestPerson } from '../harness/test-client.testing.js';
import { ChatableTalker } from './chatable-talker.testing.js';
import type { Attempt, Saying } from './history.testing.js';
import { MqttTalker } from './mqtt-talker.testing.js';
import type { Credentials } from './reading-back.testing.js';
import { sides } from './schedule.testing.js';
import { Seeded } from './seeded.testing.js';
import type { Site } from './site.testing.js';
import { Talker } from './talker.testing.js';
import { Wanderer } from './wanderer.testing.js';
import { Witness } from './witness.testing.js';

const PEOPLE = 6;
const ROOMS = 4;
/** Rooms that each person is in. */
const ROOMS_EACH = 3;
/** So many of the people come and go with a second client besides. */
const WANDERERS = 3;

export interface Silence {
  readonly from: number;
  readonly to: number;
}

/** People who talk and listen through the clients of the SDK, all with both replicas to turn to. */
export class Crowd {
  readonly rooms: readonly string[];
  private readonly clients: Client[] = [];
  private readonly talkers: (Talker | ChatableTalker)[] = [];
  private readonly publishers: MqttTalker[] = [];
  private readonly listeners: Witness[] = [];
  private readonly wanderers: Wanderer[] = [];

  private constructor(
    rooms: readonly string[],
    /** Somebody who is in all rooms and says nothing. */
    readonly reader: Credentials,
  ) {
    this.rooms = rooms;
  }

  /** Makes rooms and people, and has everybody listen from the beginning. */
  static async gather(site: Site, seed: number, pace: number): Promise<Crowd> {
    const url = site.replicas.left.url;
    const host = await register(url);
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => register(url)));
    const rooms = await Promise.all(Array.from({ length: ROOMS }, () => host.room()));
    const crowd = new Crowd(rooms, { username: host.username, password });
    const random = new Seeded(seed);
    const servers = sides.map((side) => site.replicas[side].url);
    for (const [i, person] of people.entries()) {
      const own = Array.from({ length: ROOMS_EACH }, (_, k) => rooms[(i + k) % ROOMS] as string);
      for (const room of own) await join(host, room, person);
      crowd.welcome(person, own, i % 2 ? servers : servers.toReversed(), random.branch());
      if (i >= WANDERERS) continue;
      const credentials = { username: person.username, password };
      crowd.wanderers.push(new Wanderer({ ...credentials, servers, rooms: own, random: random.branch(), pace }));
    }
    await crowd.welcomeCouple(site, random.branch());
    await crowd.welcomePublishers(site, host, random.branch());
    return crowd;
  }

  /** Everyone talks, comes and goes, until stopped; resolves when nothing is in flight. */
  async act(end: AbortSignal): Promise<void> {
    await Promise.all([
      ...[...this.talkers, ...this.publishers].map((talker) => talker.talk(end)),
      ...this.wanderers.map((wanderer) => wanderer.wander(end)),
    ]);
  }

  get witnesses(): Witness[] {
    return [...this.listeners, ...this.wanderers.flatMap(({ witnesses }) => witnesses)];
  }

  get attempts(): Attempt[] {
    return this.talkers.flatMap(({ attempts }) => attempts);
  }

  /** What was said over MQTT. */
  get sayings(): Saying[] {
    return this.publishers.flatMap(({ sayings }) => sayings);
  }

  /** Sentences about people none of whose messages was acknowledged, which would show nothing. */
  get unheard(): string[] {
    const all = [
      ...this.talkers.map(({ acknowledgedAt, attempts }) => ({ acknowledgedAt, said: attempts })),
      ...this.publishers.map(({ acknowledgedAt, sayings }) => ({ acknowledgedAt, said: sayings })),
    ];
    return all
      .filter(({ acknowledgedAt }) => acknowledgedAt.length === 0)
      .map(({ said }) => `none of ${said.length} messages was acknowledged, such as ${said[0]?.text}`);
  }

  /** The longest time between two acknowledgements, to anyone, in milliseconds. */
  get longestSilence(): Silence {
    const moments = [...this.talkers, ...this.publishers]
      .flatMap(({ acknowledgedAt }) => acknowledgedAt)
      .sort((a, b) => a - b);
    let longest = { from: 0, to: 0 };
    for (const [i, to] of moments.entries()) {
      const from = moments[i - 1] ?? to;
      if (to - from > longest.to - longest.from) longest = { from, to };
    }
    return longest;
  }

  /** Milliseconds: the longest from posting a message to its acknowledgement. */
  get longestWait(): number {
    return Math.max(...[...this.talkers, ...this.publishers].map(({ longestWait }) => longestWait));
  }

  disperse(): void {
    for (const client of [...this.clients, ...this.wanderers, ...this.publishers]) client.close();
  }

  /** Two people who write to each other through the door of chatable. */
  private async welcomeCouple({ replicas }: Site, random: Seeded): Promise<void> {
    const servers = sides.map((side) => replicas[side].chatableUrl);
    const [one, other] = await Promise.all([register(replicas.left.url), register(replicas.left.url)]);
    const room = directRoomId(one.id, other.id);
    for (const [{ username }, { username: peer }] of [
      [one, other],
      [other, one],
    ] as const)
      this.talkers.push(new ChatableTalker({ username, password, peer, room, servers }, random.branch()));
  }

  /** Two people who publish over MQTT in the first room, each at another replica to begin with. */
  private async welcomePublishers({ replicas }: Site, host: TestPerson, random: Seeded): Promise<void> {
    const [id = ''] = this.rooms;
    const { name } = (await host.get(`/v1/rooms/${id}`)).body;
    const ports = sides.map((side) => replicas[side].fromMqtt.port);
    for (const order of [ports, ports.toReversed()]) {
      const person = await register(replicas.left.url);
      await join(host, id, person);
      const account = { username: person.username, password, room: { id, name }, ports: order };
      this.publishers.push(new MqttTalker(account, random.branch()));
    }
  }

  private welcome({ username }: TestPerson, rooms: string[], servers: string[], random: Seeded): void {
    // Asked for when they sign in, and again whenever a wrong clock or a lost answer has cost them their session.
    const credentials = () => ({ username, password });
    const client = new Client({ servers, credentials });
    this.clients.push(client);
    this.talkers.push(new Talker(username, client, rooms, random));
    for (const room of rooms.slice(0, random.between(2, rooms.length))) {
      const listener = new Witness(username, room, -1);
      listener.listen(client);
      this.listeners.push(listener);
    }
  }
}

async function join(host: TestPerson, room: string, person: TestPerson): Promise<void> {
  const { status } = await host.post(`/v1/rooms/${room}/members`, { userId: person.id });
  if (status !== 201) throw new Error(`${person.username} was not brought in: ${status}`);
}
