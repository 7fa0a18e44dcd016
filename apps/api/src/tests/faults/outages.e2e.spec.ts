import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { type Cast, gatherCast } from '../access/scene.testing.js';
import { outcome } from '../harness/contract.testing.js';
import { eventually, Visitor } from '../harness/test-client.testing.js';
import { allQuestions, askAll, handshake, lineSaying, listeningLog } from './outage.testing.js';
import { type StoreOutage, storeOutages } from './store-outages.testing.js';

/** What is answered from the read models, whatever becomes of the event store: by somebody known, about rooms they are in. */
const stillAnswered = [
  ...['getMe', 'getPreferences', 'getInbox', 'searchMessages', 'makeTicket', 'listPublicKeys', 'getSignInOptions'],
  ...['listUsers', 'getUser', 'listRooms', 'getRoom', 'listMembers', 'listMessages', 'getAbout', 'getMetrics'],
].map((name) => `${name} by owner`);
const stillAnsweredToOverseers = ['getOverview', 'getSettings', 'exportUsers', 'listRoomsOf', 'listReports'].map(
  (name) => `${name} by auditor`,
);

/** Each takes half a minute. */
const outages: StoreOutage[] =
  process.env.LONG === '1' ? (Object.keys(storeOutages) as StoreOutage[]) : ['down', 'silent'];

/** Milliseconds: a read may take two seconds, a command ten, and this machine may be busy. */
const MAX_MS = 14_000;

let standIn: StandIn;
let cast: Cast;
const { log, lines } = listeningLog();

beforeAll(async () => {
  standIn = await StandIn.start();
  cast = await gatherCast({ environment: { EVENT_STORE_URL: standIn.url }, log });
});
afterAll(async () => {
  await cast.service.stop();
  standIn.stop();
});

describe('while KurrentDB is down, no call and no frame fails, and the log has two lines about it', () => {
  it.each(outages)(
    '%s',
    async (outage) => {
      const questions = await allQuestions(cast);
      lines.length = 0;
      await storeOutages[outage].begin(standIn);
      // These first: reads that wait for a silent server keep others of the same account waiting.
      const isFirst = ({ name }: { name: string }) => [...stillAnswered, ...stillAnsweredToOverseers].includes(name);
      const answers = {
        ...(await askAll(questions.filter(isFirst))),
        ...(await askAll(questions.filter((one) => !isFirst(one)))),
      };
      const opened = await handshake(cast.people.owner);
      const ready = outcome(await new Visitor(cast.service.url).get('/health/ready'));
      const figure = await figureOf('verbatim_outage{server="event store"}');
      await storeOutages[outage].end(standIn);

      const named = (test: (entry: { answer: string; ms: number }) => boolean) =>
        Object.keys(answers).filter((name) => test(answers[name] as never));
      expect(named(({ answer }) => answer === 'internal')).toEqual([]);
      expect(named(({ ms }) => ms > MAX_MS)).toEqual([]);
      for (const name of [...stillAnswered, ...stillAnsweredToOverseers])
        expect(`${name}: ${answers[name]?.answer}`).toMatch(/: 20[0-4]$/);
      expect(['hello', 'closed with 1013']).toContain(opened);
      expect([ready, figure]).toEqual(['unavailable', 1]);

      const over = await lineSaying(lines, 'is available again');
      const place = `KurrentDB at 127.0.0.1:${standIn.port}`;
      expect(lines.map(({ msg }) => msg)).toEqual([
        expect.stringContaining(`${place} is not available: `),
        expect.stringContaining(`${place} is available again after `),
      ]);
      expect(lines.filter(({ err }) => err)).toEqual([]);
      expect(over.seconds).toBeGreaterThan(0);
      expect(await figureOf('verbatim_outage{server="event store"}')).toBe(0);
      expect(await figureOf('verbatim_outage_errors_total{server="event store"}')).toBeGreaterThan(0);
      // What was still being retried is done now, and everything works.
      await eventually(
        () => cast.people.owner.get('/health/ready'),
        (answer) => outcome(answer) === 200,
      );
      await cast.people.owner.room();
    },
    120_000,
  );
});

async function figureOf(name: string): Promise<number> {
  const { text } = await new Visitor(cast.service.url).get('/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}
