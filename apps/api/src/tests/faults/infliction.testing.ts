import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from '../../../../../libs/event-store/src/kurrentdb/stand-in-process.testing.js';
import {
  type Fault,
  type FaultKind,
  isStoreFault,
  type Side,
  sides,
  type storeFaultKinds,
} from './schedule.testing.js';
import type { Replica, Site } from './site.testing.js';

/** What became of a fault. */
export interface Infliction {
  readonly fault: Fault;
  /** False when what it was meant for was down already. */
  readonly hit: boolean;
  /** When it was made, in milliseconds of `performance.now()`. */
  readonly madeAt: number;
}

/** Carries a schedule out. Resolves when the last fault is over and what it had killed has been started again. */
export async function inflict(
  site: Site,
  faults: readonly Fault[],
  log: (line: string) => void,
): Promise<Infliction[]> {
  const begun = performance.now();
  const inflictions: Infliction[] = [];
  const underWay = faults.map(async (fault) => {
    await sleep(fault.at - (performance.now() - begun));
    const hit = await begin(site, fault);
    inflictions.push({ fault, hit, madeAt: performance.now() });
    log(`${fault.number} ${inWords(fault)}${hit ? '' : ' (in vain)'}`);
    await sleep(fault.lasts);
    await end(site, fault);
  });
  const outcomes = await Promise.allSettled(underWay);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return inflictions;
}

/** Puts everything right whose wrong would otherwise last. */
export function heal(site: Site): void {
  for (const side of sides) site.replicas[side].process.setClock(0);
}

/** Kinds of faults that cannot be made at this site. */
export const impossible = (site: Site): FaultKind[] => (site.disk ? [] : ['disk full']);

/** In words: `replica stopped left for 900 ms`. */
export const inWords = ({ kind, side, lasts, by }: Fault): string =>
  [kind, side, lasts && `for ${lasts} ms`, by && `by ${by} ms`].filter(Boolean).join(' ');

async function begin(site: Site, fault: Fault): Promise<boolean> {
  if (isStoreFault(fault.kind)) {
    site.standIn?.order({ fault: storeFaults[fault.kind], milliseconds: fault.lasts + fault.by });
    return site.standIn !== null;
  }
  switch (fault.kind) {
    case 'replica killed':
      return at(site, fault).process.kill();
    case 'replica stopped':
      return at(site, fault).process.standStill();
    case 'database killed':
      return site.database.kill();
    case 'database cut':
      at(site, fault).toDatabase.cut(fault.lasts);
      return true;
    case 'database slow':
      at(site, fault).toDatabase.delay = fault.by;
      return true;
    case 'disk full':
      await site.disk?.fill();
      await site.database.useUpLog();
      return site.disk !== null;
    case 'clock jumped':
      return at(site, fault).process.moveClock(fault.by);
    case 'clients cut':
      at(site, fault).fromClients.cut(fault.lasts);
      at(site, fault).fromChatable.cut(fault.lasts);
      at(site, fault).fromMqtt.cut(fault.lasts);
      return true;
  }
}

async function end(site: Site, fault: Fault): Promise<void> {
  if (fault.kind === 'replica killed') at(site, fault).process.start();
  if (fault.kind === 'replica stopped') at(site, fault).process.goOn();
  if (fault.kind === 'database killed') await site.database.start();
  if (fault.kind === 'database slow') at(site, fault).toDatabase.delay = 0;
  if (fault.kind === 'disk full') {
    await site.disk?.free();
    await site.database.recover();
  }
}

/** What the stand-in calls the faults of the event store. */
const storeFaults: Readonly<Record<(typeof storeFaultKinds)[number], Order['fault']>> = {
  'store refusing': 'refuse',
  'store late': 'answer late',
  'store answer lost': 'answer lost',
  'store call lost': 'call lost',
  'store passing over': 'passed over',
  'subscriptions dropped': 'drop subscriptions',
  'delivery doubled': 'deliver twice',
  'store restarted': 'restart',
};

const at = (site: Site, { side }: Fault): Replica => site.replicas[side as Side];
