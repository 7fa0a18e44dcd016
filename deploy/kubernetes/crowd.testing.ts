import { setMaxListeners } from 'node:events';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@verbatim/client';
import { check, type Verdict } from '../../apps/api/src/tests/faults/checker.testing.js';
import { loggedForm, readLog } from '../../apps/api/src/tests/faults/reading-back.testing.js';
import { Seeded } from '../../apps/api/src/tests/faults/seeded.testing.js';
import { Talker } from '../../apps/api/src/tests/faults/talker.testing.js';
import { Witness } from '../../apps/api/src/tests/faults/witness.testing.js';
import { freshName, password } from '../../apps/api/src/tests/harness/test-client.testing.js';

/** Everybody is in so many rooms, and posts about once in so many milliseconds over each of two lanes. */
const ROOMS_EACH = 2;
const PEOPLE_TO_A_ROOM = 5;
const PAUSES = [2_000, 6_000] as const;
/** How often somebody new comes by, and how long they wait for an answer, in milliseconds. */
const VISITS = 100;
const VISIT_PATIENCE = 3_000;

/** What people have seen since `watch` was called last. Times in milliseconds. */
export interface Experience {
  /** The longest that a client had no socket, and how many were ever without one. */
  readonly longestAbsence: number;
  readonly absent: number;
  /** The longest that a client heard nothing of its rooms, in which somebody says something all the time. */
  readonly longestSilence: number;
  /** The longest from posting a message to its acknowledgement. */
  readonly longestWait: number;
  readonly acknowledged: number;
  /** Answers from 500 on that are not 503 with Retry-After. */
  readonly serverErrors: readonly string[];
  readonly unavailable: number;
  /** New connections that did not come about or were not answered in time. */
  readonly failedVisits: readonly string[];
  readonly visits: number;
}

/** People who post and follow through one Service, each with a client of their own. */
export class Crowd {
  private readonly end = new AbortController();
  private acting: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly url: string,
    private readonly members: readonly Member[],
    private readonly door: DoorKeeper,
  ) {}

  static async gather(url: string, size: number): Promise<Crowd> {
    const door = new DoorKeeper();
    const host = new Client({ servers: [url] });
    await host.register({ username: freshName(), password });
    const rooms: string[] = [];
    for (let i = 0; i < Math.max(ROOMS_EACH, size / PEOPLE_TO_A_ROOM); i++)
      rooms.push((await host.call('createRoom', { body: { name: `room ${i}` } })).id);
    const random = new Seeded(1);
    const members: Member[] = [];
    for (let i = 0; i < size; i++) {
      const own = Array.from({ length: ROOMS_EACH }, (_, k) => rooms[(i + k) % rooms.length] as string);
      members.push(await Member.join(url, host, own, door, random.branch()));
    }
    host.close();
    return new Crowd(url, members, door);
  }

  /** Everybody talks and listens, until `stop`. */
  act(): void {
    const { signal } = this.end;
    // Everybody listens to it.
    setMaxListeners(0, signal);
    this.acting = Promise.all([...this.members.map((member) => member.act(signal)), this.door.stand(this.url, signal)]);
  }

  /** Forgets what was seen so far. */
  watch(): void {
    for (const member of this.members) member.watch();
    this.door.watch();
  }

  /** Waits until everybody has a socket, and has been acknowledged something since it was called. */
  async recovered(seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1_000;
    const before = this.members.map(({ acknowledged }) => acknowledged);
    const well = () => this.members.every((member, i) => member.online && member.acknowledged > (before[i] ?? 0));
    while (!well()) {
      if (Date.now() > deadline) throw new Error(`Not everybody was well again in ${seconds} s.`);
      await sleep(100);
    }
  }

  get experience(): Experience {
    return {
      longestAbsence: Math.round(Math.max(...this.members.map(({ longestAbsence }) => longestAbsence))),
      absent: this.members.filter(({ longestAbsence }) => longestAbsence > 0).length,
      longestSilence: Math.round(Math.max(...this.members.map(({ longestSilence }) => longestSilence))),
      longestWait: Math.round(Math.max(...this.members.map(({ longestWait }) => longestWait))),
      acknowledged: this.members.reduce((sum, { acknowledgedSince }) => sum + acknowledgedSince, 0),
      ...this.door.seen,
    };
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.acting;
  }

  /** Holds everything that was posted and heard against the log in the database. */
  async verdict(database: string, masterKey: string): Promise<Verdict> {
    const log = await readLog({ environment: () => ({ DATABASE_URL: database, MASTER_KEY: masterKey }) });
    const last = new Map(log.map(({ stream, revision }) => [stream, Number(revision)]));
    const deadline = Date.now() + 30_000;
    while (!this.members.every((member) => member.heardUpTo(last)) && Date.now() < deadline) await sleep(100);
    return check({
      attempts: this.members.flatMap(({ attempts }) => attempts),
      log: log.map(loggedForm),
      hearings: this.members.flatMap(({ hearings }) => hearings),
      timelines: [],
    });
  }

  /** What clients reported besides events. */
  get troubles(): string[] {
    return this.members.flatMap(({ troubles }) => troubles);
  }

  disperse(): void {
    for (const member of this.members) member.leave();
  }
}

/** One person with a client that follows their rooms. */
class Member {
  private readonly witnesses: Witness[];
  private readonly talker: Talker;
  private absentSince: number | null = null;
  private absence = 0;
  private heardAt = performance.now();
  private silence = 0;
  private watchedFrom = 0;

  private constructor(
    name: string,
    private readonly client: Client,
    private readonly rooms: readonly string[],
    random: Seeded,
  ) {
    this.talker = new Talker(name, client, rooms, random, PAUSES);
    this.witnesses = rooms.map((room) => new Witness(name, room, -1, () => this.hear()));
    for (const witness of this.witnesses) witness.listen(client);
    client.on('state', (state) => {
      if (state === 'online') {
        this.absence = this.longestAbsence;
        this.absentSince = null;
      } else this.absentSince ??= performance.now();
    });
  }

  static async join(url: string, host: Client, rooms: string[], door: DoorKeeper, random: Seeded): Promise<Member> {
    const username = freshName();
    const client = new Client({ servers: [url], credentials: () => ({ username, password }), fetch: door.fetch });
    const { id: userId } = await client.register({ username, password });
    for (const id of rooms) await host.call('addMember', { params: { id }, body: { userId } });
    return new Member(username, client, rooms, random);
  }

  async act(end: AbortSignal): Promise<void> {
    await this.talker.talk(end);
  }

  watch(): void {
    this.absence = 0;
    if (this.absentSince !== null) this.absentSince = performance.now();
    this.heardAt = performance.now();
    this.silence = 0;
    this.talker.longestWait = 0;
    this.watchedFrom = this.acknowledged;
  }

  get online(): boolean {
    return this.client.state === 'online';
  }

  get longestAbsence(): number {
    return Math.max(this.absence, this.absentSince === null ? 0 : performance.now() - this.absentSince);
  }

  get longestSilence(): number {
    return Math.max(this.silence, performance.now() - this.heardAt);
  }

  get longestWait(): number {
    return this.talker.longestWait;
  }

  get acknowledged(): number {
    return this.talker.acknowledgedAt.length;
  }

  get acknowledgedSince(): number {
    return this.acknowledged - this.watchedFrom;
  }

  get attempts() {
    return this.talker.attempts;
  }

  get hearings() {
    return this.witnesses.map(({ hearing }) => hearing);
  }

  get troubles(): string[] {
    return this.witnesses.flatMap(({ troubles }) => troubles);
  }

  heardUpTo(revisions: ReadonlyMap<string, number>): boolean {
    return this.witnesses.every(({ last }, i) => last >= (revisions.get(`room-${this.rooms[i]}`) ?? -1));
  }

  leave(): void {
    this.client.close();
  }

  private hear(): void {
    this.silence = this.longestSilence;
    this.heardAt = performance.now();
  }
}

/** Sees every answer to a client, and lets somebody new come by all the time, who opens a connection of their own. */
class DoorKeeper {
  private serverErrors: string[] = [];
  private failedVisits: string[] = [];
  private unavailable = 0;
  private visits = 0;

  readonly fetch: typeof fetch = async (address, init) => {
    const answer = await fetch(address, init);
    this.note(
      answer.status,
      answer.headers.has('retry-after'),
      `${init?.method ?? 'GET'} ${new URL(`${address}`).pathname}`,
    );
    return answer;
  };

  watch(): void {
    [this.serverErrors, this.failedVisits, this.unavailable, this.visits] = [[], [], 0, 0];
  }

  get seen() {
    const { serverErrors, failedVisits, unavailable, visits } = this;
    return { serverErrors, failedVisits, unavailable, visits };
  }

  async stand(url: string, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      void this.visit(url);
      await sleep(VISITS, undefined, { signal: end }).catch(() => undefined);
    }
  }

  private async visit(url: string): Promise<void> {
    this.visits += 1;
    await new Promise<void>((resolve, reject) => {
      const request = get(`${url}/v1/about`, { agent: false, timeout: VISIT_PATIENCE }, (answer) => {
        this.note(answer.statusCode ?? 0, 'retry-after' in answer.headers, 'GET /v1/about');
        answer.resume().on('end', resolve).on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time'))).on('error', reject);
    }).catch((error: Error) => this.failedVisits.push(error.message));
  }

  private note(status: number, retryAfter: boolean, call: string): void {
    if (status === 503 && retryAfter) this.unavailable += 1;
    else if (status >= 500) this.serverErrors.push(`${call}: ${status}`);
  }
}
