import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Frame, register, type TestPerson, type TestSocket } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';

interface Received {
  readonly revision: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: data of events of all kinds
  readonly data: any;
}

/** Rooms whose races run concurrently. */
const LANES = 4;

/**
 * Someone is removed at one replica while following at the other. Whatever the order, they must never receive a revision
 * after their removal, and what they do receive must match what happened, without gaps or duplicates.
 */
export function describeKickRaces(count: number): void {
  describe(`in ${count} races with being removed at another replica`, () => {
    let left: TestService;
    let right: TestService;
    let owner: TestPerson;

    beforeAll(async () => {
      left = await startTestService();
      right = await startTestService({ beside: left });
      owner = await register(left.url);
    });
    afterAll(async () => {
      await right.stop();
      await left.stop();
    });

    const race = (name: string, kind: Kind, settings: object = {}) =>
      it(`${name} delivers nothing after the removal`, async () => {
        const races = Math.ceil(count / 5 / LANES);
        const lanes = await Promise.all(
          Array.from({ length: LANES }, () => Semaphore.open({ left, right, owner, settings })),
        );
        const outcomes = (await Promise.all(lanes.map((lane) => lane.run(kind, races)))).flat();
        for (const lane of lanes) lane.close();
        // If all races end the same way, nothing raced.
        if (kind.begin === 'not following') expect(new Set(outcomes).size).toBe(2);
      });

    race('a new following', { begin: 'not following', during: 'follow' });
    race('a following resumed after an old revision', { begin: 'not following', during: 'resume' });
    race('a live following', { begin: 'following', during: 'nothing' });
    race('a live following that is restarted', { begin: 'following', during: 'resume' });
    race(
      'a following of someone who is added again',
      { begin: 'following', during: 'resume', back: true },
      { visibility: 'private', history: 'joined' },
    );

    it('a lesser role applies as soon as it is given', async () => {
      const lane = await Semaphore.open({ left, right, owner, settings: {} });
      for (let n = 0; n < Math.ceil(count / 20); n++) await lane.demotion(n);
      lane.close();
    });
  });
}

interface Kind {
  readonly begin: 'following' | 'not following';
  readonly during: 'follow' | 'resume' | 'nothing';
  readonly back?: boolean;
}

/** How a race ended for the removed person. */
type Outcome = 'refused' | 'followed until the removal';

/** One room with a person who is repeatedly removed from it and a witness who is not. */
class Semaphore {
  /** Recent duration of removals, in milliseconds. */
  private removalTook = 50;

  private constructor(
    private readonly owner: TestPerson,
    private readonly person: TestPerson,
    private readonly room: string,
    /** The person's connection, on the right replica. */
    private readonly socket: TestSocket,
    /** Follows on the right from the beginning, and so receives everything from the same feed. */
    private readonly witness: TestSocket,
    /** Follows on the left, where people are removed. */
    private readonly herald: TestSocket,
    /** Write on either replica. */
    private readonly writers: readonly TestSocket[],
  ) {}

  static async open(parts: { left: TestService; right: TestService; owner: TestPerson; settings: object }) {
    const { left, right, owner, settings } = parts;
    const [person, other] = [await register(left.url), await register(left.url)];
    const room = await owner.roomWith([person, other], settings);
    const [socket, witness] = [await person.at(right.url).connect(), await other.at(right.url).follow(room, 2)];
    const herald = await owner.follow(room);
    const writers = [await owner.connect(), await owner.at(right.url).connect()];
    return new Semaphore(owner, person, room, socket, witness, herald, writers);
  }

  close(): void {
    for (const socket of [this.socket, this.witness, this.herald, ...this.writers]) socket.close();
  }

  async run(kind: Kind, races: number): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let n = 0; n < races; n++) outcomes.push(await this.race(kind, n));
    return outcomes;
  }

  private async race({ begin, during, back = false }: Kind, n: number): Promise<Outcome> {
    const { room, socket } = this;
    const start = await this.write(6);
    await this.witnessed(start);
    const firstFrame = socket.frames.length;
    if (begin === 'following') await socket.ask('follow', { room });

    const writing = this.writeOnAndOn();
    const frame = during === 'resume' ? { room, after: start - 5 } : { room };
    const isRemoval = ({ type }: Received) => type === 'MemberRemoved';
    const seen = this.herald.until(({ event, data }) => event === 'events' && data.events.some(isRemoval));
    const follow = async () => {
      // Spread over the whole removal, and right after the left replica has seen it.
      if (n % 2) await pause(Math.random() * this.removalTook);
      else await seen.then(() => pause(Math.random() * 2));
      if (during !== 'nothing') await socket.ask('follow', frame);
    };
    await Promise.all([this.remove(), follow(), seen]);
    await this.write(2);
    if (back) {
      await this.comeBack();
      await socket.ask('follow', frame);
    }
    await writing.stop();
    const last = await this.write(2);
    await this.witnessed(last);
    const about = () =>
      socket.frames.slice(firstFrame).filter(({ event }) => /^(following|removed|error)$/.test(event));
    if (back) await this.received(last);
    else await socket.when(() => about().at(-1)?.event !== 'following');
    await socket.settled();

    const frames = socket.frames.slice(firstFrame);
    const outcome = this.judge(frames, { start, back, wasLive: during === 'nothing' });
    await this.reset(back);
    return outcome;
  }

  /** Compares what the person received with what the witness received. */
  private judge(frames: readonly Frame[], race: { start: number; back: boolean; wasLive: boolean }): Outcome {
    const { start, back, wasLive } = race;
    const { room, person, witness } = this;
    const happened = new Map<number, Received>(witness.events(room).map((event) => [event.revision, event]));
    const of = (type: string) =>
      [...happened.values()].find((e) => e.revision > start && e.type === type && e.data.userId === person.id);
    const removed = of('MemberRemoved')?.revision ?? Number.NaN;
    const returned = of('MemberJoined')?.revision ?? Number.POSITIVE_INFINITY;
    expect(removed).toBeGreaterThan(start);
    expect(back).toBe(Number.isFinite(returned));

    let last: Received | undefined;
    let open = false;
    for (const { event, data } of frames) {
      if (event === 'following') last = undefined;
      if (event === 'following' || event === 'removed' || event === 'error') open = event === 'following';
      if (event !== 'events' || data.room !== room) continue;
      for (const received of data.events as Received[]) {
        if (received.revision > removed && received.revision < returned)
          throw new Error(
            `revision ${received.revision} was sent to someone removed at ${removed}: ${JSON.stringify(frames)}`,
          );
        if (last && received.revision !== last.revision + 1)
          throw new Error(`revision ${received.revision} was sent after ${last.revision}`);
        if (!isDeepStrictEqual(received, happened.get(received.revision)))
          throw new Error(
            `${JSON.stringify(received)} was sent for ${JSON.stringify(happened.get(received.revision))}`,
          );
        last = received;
      }
    }
    expect(open).toBe(back);
    if (back) expect(last?.revision).toBe(Math.max(...happened.keys()));
    if (!frames.some(({ event }) => event === 'removed')) return 'refused';
    // Someone removed while catching up gets no more of the history.
    if (wasLive) expect(last?.revision).toBe(removed);
    return 'followed until the removal';
  }

  /** Gives the person a lesser role while they follow again, and looks for reasons, which only moderators see. */
  async demotion(n: number): Promise<void> {
    const { room, socket, person, owner, witness } = this;
    const path = `/v1/rooms/${room}/members/${person.id}`;
    await owner.patch(path, { role: 'moderator' });
    const start = await this.write(2);
    if (n % 2) await socket.ask('follow', { room });
    const firstFrame = socket.frames.length;
    const redactions = this.redact(4);
    const demoted = pause(Math.random() * 20).then(() => owner.patch(path, { role: 'member' }));
    const followed = pause(Math.random() * 40).then(() => socket.ask('follow', { room, after: start }));
    await Promise.all([redactions, demoted, followed]);
    await this.redact(2);
    const last = await this.write(1);
    await Promise.all([this.witnessed(last), this.received(last)]);
    const changed = witness
      .events(room)
      .filter(({ type }) => type === 'MemberRoleChanged')
      .at(-1).revision;
    const frames = socket.frames.slice(firstFrame);
    const received: Received[] = frames.flatMap(({ event, data }) => (event === 'events' ? data.events : []));
    for (const { revision, type, data } of received)
      if (type === 'MessageRedacted' && revision > changed) expect(data.reason).toBeUndefined();
    await socket.ask('unfollow', { room });
  }

  private async redact(count: number): Promise<void> {
    const [writer] = this.writers as [TestSocket];
    for (let i = 0; i < count; i++) {
      const { data } = await writer.ask('post', { room: this.room, text: 'to be redacted' });
      await writer.ask('redact', { room: this.room, messageId: data.id, reason: 'for moderators' });
    }
  }

  /** Posts this many messages, alternating between the replicas; returns the revision of the last one. */
  private async write(count: number): Promise<number> {
    const { room, writers } = this;
    const posts = Array.from({ length: count }, (_, i) =>
      (writers[i % 2] as TestSocket).ask('post', { room, text: `message ${i}` }),
    );
    return Math.max(...(await Promise.all(posts)).map(({ data }) => data.revision));
  }

  private writeOnAndOn(): { stop(): Promise<void> } {
    let going = true;
    const writers = this.writers.map(async (writer) => {
      while (going) await writer.ask('post', { room: this.room, text: 'meanwhile' });
    });
    return {
      async stop() {
        going = false;
        await Promise.all(writers);
      },
    };
  }

  private async remove(): Promise<void> {
    const begun = performance.now();
    const { status } = await this.owner.delete(`/v1/rooms/${this.room}/members/${this.person.id}`);
    expect(status).toBe(204);
    this.removalTook = (this.removalTook + performance.now() - begun) / 2;
  }

  private async comeBack(): Promise<void> {
    const { status } = await this.owner.post(`/v1/rooms/${this.room}/members`, { userId: this.person.id });
    expect(status).toBe(201);
  }

  private async reset(back: boolean): Promise<void> {
    if (!back) await this.comeBack();
    await this.socket.ask('unfollow', { room: this.room });
  }

  private received(revision: number): Promise<unknown> {
    return this.socket.when(() => this.socket.events(this.room).at(-1)?.revision >= revision);
  }

  private witnessed(revision: number): Promise<unknown> {
    return this.witness.when(() => this.witness.events(this.room).at(-1)?.revision >= revision);
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
