import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Frame, register, type TestPerson, type TestSocket } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';

interface Told {
  readonly revision: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: data of events of all kinds
  readonly data: any;
}

/** Rooms in which races go on at the same time. */
const LANES = 4;

/**
 * Removals at one replica while the removed person follows at the other: whatever comes first, nothing with a revision
 * after that of the removal may ever reach them, and what reaches them must be what happened, without gap or duplicate.
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
      it(`${name} never tells what happened after it`, async () => {
        const races = Math.ceil(count / 5 / LANES);
        const lanes = await Promise.all(
          Array.from({ length: LANES }, () => Semaphore.open({ left, right, owner, settings })),
        );
        const outcomes = (await Promise.all(lanes.map((lane) => lane.run(kind, races)))).flat();
        for (const lane of lanes) lane.close();
        // Races that all end in the same way are none.
        if (kind.begin === 'not following') expect(new Set(outcomes).size).toBe(2);
      });

    race('a new following', { begin: 'not following', during: 'follow' });
    race('a following resumed after an old revision', { begin: 'not following', during: 'resume' });
    race('a live following', { begin: 'following', during: 'nothing' });
    race('a live following that is begun anew', { begin: 'following', during: 'resume' });
    race(
      'a following of somebody who is brought back',
      { begin: 'following', during: 'resume', back: true },
      { visibility: 'private', history: 'joined' },
    );

    it('the lesser role is what decides, as soon as one has it', async () => {
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

/** One room, with somebody who is removed from it again and again and a witness who is not. */
class Semaphore {
  /** Milliseconds that removals have taken lately. */
  private removalTook = 50;

  private constructor(
    private readonly owner: TestPerson,
    private readonly person: TestPerson,
    private readonly room: string,
    /** Of the person, at the right. */
    private readonly socket: TestSocket,
    /** Follows at the right from the beginning, and so is told everything by the same feed. */
    private readonly witness: TestSocket,
    /** Follows at the left, where people are removed. */
    private readonly herald: TestSocket,
    /** Write at either side. */
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
    const isRemoval = ({ type }: Told) => type === 'MemberRemoved';
    const heard = this.herald.until(({ event, data }) => event === 'events' && data.events.some(isRemoval));
    const follow = async () => {
      // In turn at any moment while the removal is under way, and right after the left side has heard of it.
      if (n % 2) await pause(Math.random() * this.removalTook);
      else await heard.then(() => pause(Math.random() * 2));
      if (during !== 'nothing') await socket.ask('follow', frame);
    };
    await Promise.all([this.remove(), follow(), heard]);
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
    if (back) await this.told(last);
    else await socket.when(() => about().at(-1)?.event !== 'following');
    await socket.settled();

    const frames = socket.frames.slice(firstFrame);
    const outcome = this.judge(frames, { start, back, wasLive: during === 'nothing' });
    await this.reset(back);
    return outcome;
  }

  /** Holds what the person was told against what the witness was. */
  private judge(frames: readonly Frame[], race: { start: number; back: boolean; wasLive: boolean }): Outcome {
    const { start, back, wasLive } = race;
    const { room, person, witness } = this;
    const happened = new Map<number, Told>(witness.events(room).map((event) => [event.revision, event]));
    const of = (type: string) =>
      [...happened.values()].find((e) => e.revision > start && e.type === type && e.data.userId === person.id);
    const removed = of('MemberRemoved')?.revision ?? Number.NaN;
    const returned = of('MemberJoined')?.revision ?? Number.POSITIVE_INFINITY;
    expect(removed).toBeGreaterThan(start);
    expect(back).toBe(Number.isFinite(returned));

    let last: Told | undefined;
    let open = false;
    for (const { event, data } of frames) {
      if (event === 'following') last = undefined;
      if (event === 'following' || event === 'removed' || event === 'error') open = event === 'following';
      if (event !== 'events' || data.room !== room) continue;
      for (const told of data.events as Told[]) {
        if (told.revision > removed && told.revision < returned)
          throw new Error(
            `revision ${told.revision} was told to somebody removed at ${removed}: ${JSON.stringify(frames)}`,
          );
        if (last && told.revision !== last.revision + 1)
          throw new Error(`revision ${told.revision} was told after ${last.revision}`);
        if (!isDeepStrictEqual(told, happened.get(told.revision)))
          throw new Error(`${JSON.stringify(told)} was told of ${JSON.stringify(happened.get(told.revision))}`);
        last = told;
      }
    }
    expect(open).toBe(back);
    if (back) expect(last?.revision).toBe(Math.max(...happened.keys()));
    if (!frames.some(({ event }) => event === 'removed')) return 'refused';
    // Somebody who is removed while still being told the past hears no more of it.
    if (wasLive) expect(last?.revision).toBe(removed);
    return 'followed until the removal';
  }

  /** Has the person become a member with a lesser role while following anew, and looks at reasons, which only moderators see. */
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
    await Promise.all([this.witnessed(last), this.told(last)]);
    const changed = witness
      .events(room)
      .filter(({ type }) => type === 'MemberRoleChanged')
      .at(-1).revision;
    const frames = socket.frames.slice(firstFrame);
    const told: Told[] = frames.flatMap(({ event, data }) => (event === 'events' ? data.events : []));
    for (const { revision, type, data } of told)
      if (type === 'MessageRedacted' && revision > changed) expect(data.reason).toBeUndefined();
    await socket.ask('unfollow', { room });
  }

  private async redact(count: number): Promise<void> {
    const [writer] = this.writers as [TestSocket];
    for (let i = 0; i < count; i++) {
      const { data } = await writer.ask('post', { room: this.room, text: 'to be taken back' });
      await writer.ask('redact', { room: this.room, messageId: data.id, reason: 'for moderators' });
    }
  }

  /** Posts so many messages, at both sides in turn, and answers the revision of the last. */
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

  private told(revision: number): Promise<unknown> {
    return this.socket.when(() => this.socket.events(this.room).at(-1)?.revision >= revision);
  }

  private witnessed(revision: number): Promise<unknown> {
    return this.witness.when(() => this.witness.events(this.room).at(-1)?.revision >= revision);
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
