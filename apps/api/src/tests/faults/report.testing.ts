import type { Verdict } from './checker.testing.js';
import type { Silence } from './crowd.testing.js';
import { type Infliction, inWords } from './infliction.testing.js';
import { type FaultKind, faultKinds, storeFaultKinds } from './schedule.testing.js';

/** What a run came to. */
export interface Endured {
  readonly seed: number;
  readonly inflictions: readonly Infliction[];
  /** Why kinds of faults were left out; empty when none were. */
  readonly leftOut: string;
  readonly verdict: Verdict;
  readonly wrongReadModels: readonly string[];
  /** Processes and followings that ended unexpectedly. */
  readonly surprises: readonly string[];
  readonly events: number;
  /** Starts of replicas that failed, as they may while the database is away. */
  readonly failedStarts: number;
  /** Followings and lists that were compared with the log. */
  readonly observers: number;
  readonly longestSilence: Silence;
  /** Milliseconds from posting a message to its acknowledgement. */
  readonly longestWait: number;
  readonly seconds: number;
}

/** All that was found wrong, in sentences; empty for a run as it should be. */
export const wrongs = ({ verdict, wrongReadModels, surprises }: Endured): string[] => [
  ...verdict.findings.map(({ breach, detail }) => `${breach}: ${detail}`),
  ...wrongReadModels,
  ...surprises,
];

/** Faults of a kind that hit something. */
export const timesMade = ({ inflictions }: Endured, kind: FaultKind): number =>
  inflictions.filter(({ fault, hit }) => hit && fault.kind === kind).length;

export function report(endured: Endured): string {
  const { seed, inflictions, leftOut, verdict, events, observers, seconds } = endured;
  const { acknowledged, refused, unknown, unknownButStored, findings } = verdict;
  const found = (...breaches: string[]) => findings.filter(({ breach }) => breaches.includes(breach)).length;
  const made = inflictions.filter(({ hit }) => hit);
  const kinds = [...faultKinds, ...storeFaultKinds].filter((kind) =>
    inflictions.some(({ fault }) => fault.kind === kind),
  );
  const byKind = kinds.map((kind) => `  ${String(timesMade(endured, kind)).padStart(5)}  ${kind}`);
  const inSeconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
  return [
    `Faults: ${made.length} in ${Math.round(seconds)} s, seed ${seed} (in vain: ${inflictions.length - made.length})`,
    ...byKind,
    ...(leftOut ? [`  left out: ${leftOut}`] : []),
    `Messages: ${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown (${unknownButStored} of these stored)`,
    `Lost: ${found('lost')}. Doubled: ${found('doubled')}. At another place or altered: ${found('misplaced', 'altered')}.`,
    `Log: ${events} events. Followings and lists compared with it: ${observers}, with ` +
      `${found('gap', 'heard twice', 'out of order', 'differs')} deviations. Chains broken: ${found('broken chain')}.`,
    `Read models that differ: ${endured.wrongReadModels.length}. Processes and followings that ended by themselves: ${endured.surprises.length}; ` +
      `starts that failed: ${endured.failedStarts}.`,
    `Longest time without any acknowledgement: ${inSeconds(endured.longestSilence.to - endured.longestSilence.from)}, ` +
      `with ${during(endured).join(', ') || 'no fault'}. Longest wait for one: ${inSeconds(endured.longestWait)}.`,
    'The seed decides kinds, targets, times and durations of the faults, and whether a clock goes forwards; how far ' +
      'processes have come at these moments is the business of the machine.',
    ...wrongs(endured).slice(0, 50),
  ].join('\n');
}

/** The faults that were under way in the longest silence. */
const during = ({ inflictions, longestSilence: { from, to } }: Endured): string[] =>
  inflictions
    .filter(({ fault, hit, madeAt }) => hit && madeAt < to && madeAt + fault.lasts > from)
    .map(({ fault }) => inWords(fault));
