import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './checker.testing.js';
import { Crowd } from './crowd.testing.js';
import { heal, type Infliction, impossible, inflict } from './infliction.testing.js';
import { drained, loggedForm, readDoors, readLog, signInAtBoth, wrongReadModels } from './reading-back.testing.js';
import { type Endured, report, wrongs } from './report.testing.js';
import { type FaultKind, scheduleOf, sides } from './schedule.testing.js';
import { openSite, type Site } from './site.testing.js';
import type { Witness } from './witness.testing.js';

/** Milliseconds until everybody must have heard everything once nothing is broken any more. */
const PATIENCE_MS = 60_000;

export interface EnduranceOptions {
  readonly seed: number;
  readonly faults: number;
  /** See `scheduleOf`. */
  readonly pace?: number;
  readonly kinds?: readonly FaultKind[];
  /** Where the log is, default in the database. */
  readonly store?: 'postgres' | 'kurrentdb';
  /** Whether what all processes said is kept in a file also if nothing is wrong. */
  readonly record?: boolean;
  /** Takes a line for each fault as it is made. */
  readonly log?: (line: string) => void;
}

/** Lets people talk during faults; then repairs everything and compares what they received with the log. */
export async function endure(options: EnduranceOptions): Promise<Endured> {
  const { seed, faults, pace = 1, kinds, store, record = false, log = () => {} } = options;
  const begun = performance.now();
  const site = await openSite(store);
  let crowd: Crowd | null = null;
  const lines: string[] = [];
  const note = (line: string) => {
    lines.push(`${new Date().toISOString()} ${line}`);
    log(line);
  };
  try {
    crowd = await Crowd.gather(site, seed, pace);
    const schedule = scheduleOf({ seed, count: faults, pace, kinds, without: impossible(site) });
    const inflictions = await during(crowd, async () => {
      const made = await inflict(site, schedule, note);
      heal(site);
      await site.ready();
      return made;
    });
    const found = await compare(site, crowd);
    const seconds = (performance.now() - begun) / 1_000;
    const leftOut = site.noDisk && `disk full, because ${site.noDisk}`;
    const endured: Endured = { seed, inflictions, leftOut, ...found, seconds };
    lines.push(report(endured));
    if (record || wrongs(endured).length > 0) log(`What all processes said: ${await keep(site, seed, lines)}`);
    return endured;
  } catch (error) {
    lines.push(String(error));
    log(`What all processes said: ${await keep(site, seed, lines)}`);
    throw error;
  } finally {
    crowd?.disperse();
    await site.close();
  }
}

/** Has people talk while the work is done; a failure of either ends both. */
async function during(crowd: Crowd, work: () => Promise<Infliction[]>): Promise<Infliction[]> {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const acting = crowd.act(end.signal);
  const done = await Promise.race([work(), acting.then(() => Promise.reject(new Error('the people fell silent')))]);
  end.abort();
  await acting;
  return done;
}

/** Reads everything back in every way, and compares it with what people received. */
async function compare(
  site: Site,
  crowd: Crowd,
): Promise<Omit<Endured, 'seed' | 'inflictions' | 'leftOut' | 'seconds'>> {
  const readers = await signInAtBoth(site, crowd.reader);
  await drained(site);
  const log = await readLog(site);
  await allHeard(crowd.witnesses, new Map(log.map(({ stream, revision }) => [stream, Number(revision)])));
  const { hearings, timelines } = await readDoors(readers, crowd.rooms);
  hearings.push(...crowd.witnesses.map(({ hearing }) => hearing));
  const { longestSilence, longestWait, attempts, sayings } = crowd;
  const surprises = [
    ...sides.flatMap((side) => site.replicas[side].process.surprises),
    ...crowd.witnesses.flatMap(({ troubles }) => troubles),
    ...crowd.unheard,
  ];
  // Whose clock has jumped signs in again at any moment, which would move one of the logs that are compared.
  crowd.disperse();
  return {
    verdict: check({
      ...{ attempts, sayings, log: log.map(loggedForm), hearings, timelines },
      positionsHaveGaps: site.standIn !== null,
    }),
    wrongReadModels: await wrongReadModels(site),
    surprises,
    failedStarts: sides.reduce((sum, side) => sum + site.replicas[side].process.failedStarts, 0),
    events: log.length,
    observers: hearings.length + timelines.length,
    ...{ longestSilence, longestWait },
  };
}

/** Waits until every listener has received everything, up to a limit: the checker finds what is missing. */
async function allHeard(witnesses: readonly Witness[], heads: ReadonlyMap<string, number>): Promise<void> {
  const behind = () =>
    witnesses.some(({ hearing, last }) => hearing.toTheEnd && last < (heads.get(`room-${hearing.room}`) ?? -1));
  for (const deadline = performance.now() + PATIENCE_MS; behind() && performance.now() < deadline; ) await sleep(50);
}

/** Keeps all that may explain what went wrong; answers where. */
async function keep(site: Site, seed: number, lines: readonly string[]): Promise<string> {
  const file = join(tmpdir(), `verbatim-faults-${seed}.log`);
  const printed = sides.flatMap((side) => [`--- ${side} replica`, site.replicas[side].process.output]);
  await writeFile(file, [...lines, '--- database', ...site.database.lines, ...printed].join('\n'));
  return file;
}
