import { createHash } from 'node:crypto';
import type { ErasureScope, HoldScope } from '@verbatim/domain';
import { openEventStore, verifyLog } from '@verbatim/event-store';
import { isFault, openSealed, parseEnvelope, type VerifierKey, verifyLogProof } from '@verbatim/transparency';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogReader } from '../../tests/harness/log-reader.testing.js';
import { because, eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const SEEDS = process.env.LONG === '1' ? 20 : 2;
const DAY_MS = 86_400_000;
/** For all erasures of a history, one after the other. */
const PATIENCE_MS = 120_000;
const [PEOPLE, ROOMS, DAYS, STEPS_A_DAY] = [3, 3, 4, 9];

let service: TestService;
let sql: Sql;
let origin: string;
let logKeys: VerifierKey[];
let ahead = 0;
beforeAll(async () => {
  const clock = () => new Date(Date.now() + ahead * DAY_MS);
  service = await startTestService({ clock, environment: { AUDIT_LOG_ORIGIN: 'chat.example/erased' } });
  sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
  origin = 'chat.example/erased';
  logKeys = await new LogReader(service.url).keys();
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** The same numbers for the same seed. */
function chance(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return (Math.imul(state ^ (state >>> 12), 0x297a2d39) >>> 8) % below;
  };
}

/** A version of a message, as it was written. */
interface Written {
  readonly room: string;
  readonly author: string;
  readonly message: string;
  /** When its event was recorded. */
  readonly at: string;
  readonly text: string;
}

const dayOf = ({ at }: Written): string => at.slice(0, 10);

/** Whether it is in a scope: what the scope says, and nothing cleverer. */
function covers(scope: ErasureScope | HoldScope, text: Written): boolean {
  switch (scope.kind) {
    case 'person':
      return text.author === scope.userId;
    case 'room':
      return text.room === scope.roomId;
    case 'days':
      return text.room === scope.roomId && scope.from <= dayOf(text) && dayOf(text) <= scope.to;
    case 'message':
      return text.room === scope.roomId && text.message === scope.messageId;
  }
}

/** A history of people who talk over some days, while administrators erase, hold and lift, at times at once. */
class History {
  readonly written: Written[] = [];
  /** Messages that were redacted: their texts are kept from members, and no proof opens them. */
  readonly redacted = new Set<string>();
  edits = 0;
  readonly holds: string[] = [];
  readonly erasures: string[] = [];
  private readonly pick: (below: number) => number;
  private admin!: TestPerson;
  private people: TestPerson[] = [];
  private rooms: string[] = [];
  private n = 0;

  constructor(private readonly seed: number) {
    this.pick = chance(seed);
  }

  async run(): Promise<void> {
    this.admin = await signIn(service.url);
    this.people = await Promise.all(Array.from({ length: PEOPLE }, () => register(service.url)));
    const [owner, ...others] = this.people as [TestPerson, ...TestPerson[]];
    for (let i = 0; i < ROOMS; i++) this.rooms.push(await owner.roomWith(others));
    for (let day = 0; day < DAYS; day++) {
      for (let step = 0; step < STEPS_A_DAY; step++) await this.talk();
      await this.dayPasses();
      await Promise.all([this.meddle(), this.meddle()]);
    }
    await this.settled();
  }

  async liftAll(): Promise<void> {
    for (const id of this.holds.splice(0)) await this.admin.delete(`/v1/holds/${id}`);
    await this.settled();
  }

  /** The texts of all events, by message and in their order, as an administrator reads them. */
  async read(): Promise<Map<string, (string | null)[]>> {
    const read = new Map<string, (string | null)[]>();
    for (const room of this.rooms)
      for (const { data } of await this.admin.all(`/v1/rooms/${room}/events`, 200, because()))
        if ('text' in data) read.set(data.messageId, [...(read.get(data.messageId) ?? []), data.text]);
    return read;
  }

  async proofOf({ room, message }: Written) {
    return (await this.admin.get(`/v1/rooms/${room}/messages/${message}/proof`, because())).body;
  }

  statuses(): Promise<string[]> {
    return Promise.all(this.erasures.map(async (id) => (await this.admin.get(`/v1/erasures/${id}`)).body.status));
  }

  private any<T>(all: readonly T[]): T {
    return all[this.pick(all.length)] as T;
  }

  private async talk(): Promise<void> {
    const [person, room] = [this.any(this.people), this.any(this.rooms)];
    const text = `text ${this.seed}-${this.n++}`;
    const own = this.written.filter((one) => one.author === person.id && one.room === room);
    const base = { room, author: person.id, text };
    if (own.length > 0 && this.pick(6) === 0) return this.redact(person, this.any(own));
    if (own.length > 0 && this.pick(3) === 0) {
      const { message } = this.any(own);
      const { status, body } = await person.patch(`/v1/rooms/${room}/messages/${message}`, { text });
      if (status !== 200) return;
      this.written.push({ ...base, message, at: body.editedAt });
      this.edits++;
      return;
    }
    // Refused once the person is erased or the room closed.
    const { status, body } = await person.post(`/v1/rooms/${room}/messages`, { text });
    if (status < 300) this.written.push({ ...base, message: body.id, at: body.postedAt });
  }

  /** Refused like talking. */
  private async redact(person: TestPerson, { room, message }: Written): Promise<void> {
    const { status } = await person.delete(`/v1/rooms/${room}/messages/${message}`, { reason: `reason ${this.n++}` });
    if (status === 200) this.redacted.add(message);
  }

  /** Sessions end meanwhile, and those of the erased are over. */
  private async dayPasses(): Promise<void> {
    ahead++;
    this.admin = await signIn(service.url);
    const back = this.people.map((one) =>
      signIn(service.url, { username: one.username, password: 'correct horse' }).catch(() => one),
    );
    this.people = await Promise.all(back);
  }

  private async meddle(): Promise<void> {
    const what = this.pick(5);
    if (what === 0 && this.holds.length > 0) {
      const [id] = this.holds.splice(this.pick(this.holds.length), 1);
      await this.admin.delete(`/v1/holds/${id}`);
    } else if (what <= 2) {
      const { status, body } = await this.admin.post('/v1/holds', { ...this.scope(3), reason: 'a case' });
      if (status === 201) this.holds.push(body.id);
    } else {
      const asked = { ...this.scope(4), ground: 'other', reason: 'a letter' };
      const { status, body } = await this.admin.post('/v1/erasures', asked);
      if (status === 202) this.erasures.push(body.id);
    }
  }

  private scope(kinds: number): object {
    const yesterday = new Date(Date.now() + (ahead - 1) * DAY_MS).toISOString().slice(0, 10);
    const room = this.any(this.rooms);
    const text = this.any(this.written);
    return (
      [
        { room, from: dayOf(text), to: yesterday },
        { person: this.any(this.people).id },
        { room },
        { room: text.room, message: text.message },
      ][this.pick(kinds)] ?? { room }
    );
  }

  /** When every erasure is done or held. */
  private async settled(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const all = await this.statuses();
      if (all.every((status) => status === 'done' || status === 'held')) return;
      if (Date.now() > deadline) throw new Error(`The erasures are not done: ${all}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface Registered {
  readonly type: string;
  readonly at: string;
  readonly data: { readonly erasureId: string; readonly holdId: string; readonly scope: ErasureScope & HoldScope };
}

const registered = async (): Promise<Registered[]> =>
  (await sql<{ sealed: string }[]>`select sealed from log.events where stream like 'erasure-%' order by revision`).map(
    ({ sealed }) => JSON.parse(sealed),
  );

/** No erasure began while a hold was in force that has a text in common with it. */
function expectHoldsFirst(events: readonly Registered[], written: readonly Written[]): void {
  const holds = new Map<string, HoldScope>();
  for (const { type, data } of events) {
    if (type === 'HoldPlaced') holds.set(data.holdId, data.scope);
    if (type === 'HoldLifted') holds.delete(data.holdId);
    if (type !== 'ErasureBegan') continue;
    for (const hold of holds.values())
      expect(written.filter((text) => covers(hold, text) && covers(data.scope, text))).toEqual([]);
  }
}

/** What was erased reads as null, whatever it was; everything else reads as it was written. */
function expectTexts(events: readonly Registered[], written: readonly Written[], read: Map<string, (string | null)[]>) {
  const began = events.filter(({ type }) => type === 'ErasureBegan');
  const expected = new Map<string, (string | null)[]>();
  for (const text of written) {
    const shown = began.some(({ at, data }) => text.at <= at && covers(data.scope, text)) ? null : text.text;
    expected.set(text.message, [...(expected.get(text.message) ?? []), shown]);
  }
  expect(Object.fromEntries(read)).toEqual(Object.fromEntries(expected));
}

async function expectEverythingToVerify(history: History): Promise<void> {
  const store = await openEventStore({ url: service.databaseUrl, directUrl: service.databaseUrl });
  expect((await verifyLog(store).finally(() => store.close())).broken).toEqual([]);
  const read = await history.read();
  for (const written of history.written) {
    const { envelope, key, ordinal, proof } = await eventually(
      () => history.proofOf(written),
      (answer) => answer.proof !== undefined,
    );
    const bytes = Buffer.from(envelope, 'base64');
    const verified = verifyLogProof(proof, createHash('sha256').update(bytes).digest(), { origin, logKeys });
    if (isFault(verified)) throw new Error(verified.detail);
    expect(verified.index).toBe(ordinal);
    const event = parseEnvelope(bytes);
    const opened = key === null || !event ? null : openSealed(event, Buffer.from(key, 'base64'));
    const text = history.redacted.has(written.message) ? null : (read.get(written.message)?.at(-1) ?? null);
    expect(opened === null ? null : JSON.parse(opened).text).toBe(text);
  }
}

describe('for any history with edits and redactions, erasures and holds', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'hold beats erasure, erasure beats reading, and everything verifies (%i)',
    { timeout: 240_000 },
    async (seed) => {
      const before = (await registered()).length;
      const history = new History(seed);
      await history.run();
      expect([history.redacted.size, history.edits].every((count) => count > 0)).toBe(true);
      const held = (await registered()).slice(before);
      expectHoldsFirst(held, history.written);
      expectTexts(held, history.written, await history.read());
      if (history.holds.length === 0) expect(await history.statuses()).not.toContain('held');

      await history.liftAll();
      expect(new Set(await history.statuses())).not.toContain('held');
      const lifted = (await registered()).slice(before);
      expectHoldsFirst(lifted, history.written);
      expectTexts(lifted, history.written, await history.read());
      await expectEverythingToVerify(history);
    },
  );
});
