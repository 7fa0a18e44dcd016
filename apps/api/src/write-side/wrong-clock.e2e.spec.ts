import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcome } from '../tests/harness/contract.testing.js';
import { password, register, signIn, type TestPerson } from '../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../tests/harness/test-service.testing.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How many milliseconds the clocks of the two replicas are ahead. */
let [ahead, otherAhead] = [0, 0];
let service: TestService;
let other: TestService;
let ada: TestPerson;
let bob: TestPerson;
let room: string;

beforeAll(async () => {
  service = await startTestService({ clock: () => new Date(Date.now() + ahead) });
  other = await startTestService({ beside: service, clock: () => new Date(Date.now() + otherAhead) });
});
beforeEach(async () => {
  [ahead, otherAhead] = [0, 0];
  [ada, bob] = [await register(service.url), await register(service.url)];
  room = await ada.roomWith([bob]);
});
afterAll(async () => {
  await other.stop();
  await service.stop();
});

const signInAgain = ({ username }: TestPerson) => signIn(service.url, { username, password });
const path = (rest: string) => `/v1/rooms/${room}/${rest}`;
const inFuture = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
const isNow = (time: string) => Math.abs(Date.parse(time) - Date.now()) < HOUR;

describe.each([5 * 60_000, 7 * HOUR, 400 * DAY])('a clock that was ahead by %i ms for a while', (lead) => {
  /** Does something while the clock is wrong; sessions were created at the right time. */
  async function whileWrong(work: () => Promise<unknown>): Promise<void> {
    const people = [ada, bob];
    ahead = lead;
    [ada, bob] = [await signInAgain(ada), await signInAgain(bob)];
    await work();
    ahead = 0;
    [ada, bob] = people as [TestPerson, TestPerson];
  }

  it('leaves no room in the future: new messages carry the time of the clock, in order', async () => {
    await whileWrong(() => bob.says(room, 'from the future'));
    const { id } = await bob.says(room, 'back again');
    const { items } = (await ada.get(path('messages?order=oldest'))).body;
    expect(items.map(({ text }: { text: string }) => text)).toEqual(['from the future', 'back again']);
    expect(items[1].id).toBe(id);
    expect(isNow(items[0].postedAt)).toBe(lead < HOUR);
    expect(isNow(items[1].postedAt)).toBe(true);

    const events = await ada.all(path('events'));
    const envelopes = events.map(({ sealed }) => JSON.parse(sealed));
    const falls = envelopes.filter(({ clockBackMs }) => clockBackMs !== undefined);
    expect(falls).toHaveLength(1);
    const before = envelopes[falls[0].revision - 1];
    expect(falls[0].clockBackMs).toBe(Date.parse(before.at) - Date.parse(falls[0].at));
  });

  it('does not delay slow mode, nor prevent mutes or bans', async () => {
    await ada.patch(path('').slice(0, -1), { slowModeSeconds: 3_600 });
    await whileWrong(() => bob.says(room, 'from the future'));
    await bob.says(room, 'allowed at once');
    expect(outcome(await bob.post(path('messages'), { text: 'too soon' }))).toBe('rate_limited');
    expect(outcome(await ada.put(path(`mutes/${bob.id}`), { until: inFuture(HOUR) }))).toBe(204);
    expect(outcome(await bob.post(path('messages'), { text: 'muted' }))).toBe('forbidden');
    expect(outcome(await ada.put(path(`bans/${bob.id}`), { until: inFuture(HOUR) }))).toBe(204);
    expect(outcome(await bob.post(path('members'), {}))).toBe('forbidden');
  });

  it('does not prevent the reads of an administrator from being recorded', async () => {
    let admin = await signIn(service.url, administrator);
    const asked = (reason: string) => admin.get(path('messages'), { 'verbatim-reason': reason });
    await whileWrong(async () => {
      admin = await signIn(service.url, administrator);
      await asked('a complaint');
    });
    admin = await signIn(service.url, administrator);
    await asked('a complaint');
    const inspections = (await ada.all(path('events'))).filter(({ type }) => type === 'RoomInspected');
    expect(inspections).toHaveLength(lead < 600_000 ? 1 : 2);
  });
});

describe('two replicas whose clocks differ by seconds', () => {
  it('write one room in turn, and times never fall', async () => {
    otherAhead = 20_000;
    const there = bob.at(other.url);
    for (let i = 0; i < 5; i++) {
      await ada.says(room, `here ${i}`);
      await there.says(room, `there ${i}`);
    }
    const times = (await ada.all(path('events'))).map(({ at }) => at);
    expect(times).toEqual([...times].sort());
  });

  it('agree on slow mode to the second', async () => {
    await ada.patch(path('').slice(0, -1), { slowModeSeconds: 60 });
    otherAhead = 20_000;
    await bob.at(other.url).says(room, 'there');
    const refused = await bob.post(path('messages'), { text: 'here' });
    expect(outcome(refused)).toBe('rate_limited');
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  });
});
