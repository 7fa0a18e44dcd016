import { Time } from '../../clock.js';
import { Figure, ReadinessCheck } from '../../composition/contributions.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { unit } from '../../host/part.js';
import { MeasuredEventStore } from '../../storage/measured-event-store.js';
import { DIRECT_SQL, LOG } from '../../storage/tokens.js';
import { LogKeys } from '../../storage/transparency/log-keys.js';
import { LogTrees } from '../../storage/transparency/log-trees.js';
import { WitnessFile } from '../../storage/transparency/witness-file.js';
import { LogSigner } from './log-signer.js';

/** Signs the log and has it cosigned. Without it, new events are not covered. */
export const transparencyUnit = unit({
  name: 'transparency',
  async open(application) {
    const config = application.get<Config>(CONFIG);
    const now = application.get(Time).now;
    const trees = application.get(LogTrees);
    const signer = new LogSigner(application.get(DIRECT_SQL), config.AUDIT_LOG_ORIGIN, {
      store: application.get(MeasuredEventStore),
      trees,
      keys: application.get(LogKeys),
      file: config.AUDIT_WITNESS_FILE === undefined ? null : new WitnessFile(config.AUDIT_WITNESS_FILE),
      witnesses: config.AUDIT_WITNESSES,
      quorum: config.AUDIT_QUORUM,
      clock: now,
      log: application.get(LOG),
    });
    await signer.begin();
    let started = false;
    return {
      start() {
        started = true;
        return signer.start();
      },
      close: () => (started ? signer.stop() : undefined),
      checks: [new ReadinessCheck('transparency log', () => signer.ready())],
      figures: figuresOf(signer, trees, now),
    };
  },
});

const figuresOf = (signer: LogSigner, trees: LogTrees, now: () => Date): Figure[] => [
  new Figure('verbatim_log_signing', 'Whether this process signs the log.', () => Number(signer.figures.signing)),
  new Figure(
    'verbatim_log_size',
    'Events that the newest checkpoint of the log covers.',
    async () => (await trees.newest())?.size ?? 0,
  ),
  new Figure(
    'verbatim_log_uncovered',
    'Events that no checkpoint covers yet, in the process that signs.',
    () => signer.figures.uncovered,
  ),
  new Figure(
    'verbatim_log_cosigned',
    'Witnesses that have cosigned the checkpoint they were last offered, in the process that signs.',
    () => signer.figures.cosigned,
  ),
  new Figure(
    'verbatim_log_witness_problems',
    'Witnesses whose last answer was not a cosignature, in the process that signs.',
    () => signer.figures.witnesses.filter(({ problem }) => problem !== null).length,
  ),
  new Figure(
    'verbatim_log_cosignature_age_seconds',
    'Age of the newest cosignature, in the process that signs; -1 when there is none.',
    () => {
      const times = signer.figures.witnesses.map(({ time }) => time).filter((time) => time !== null);
      return times.length === 0 ? -1 : Math.max(0, now().getTime() / 1_000 - Math.max(...times));
    },
  ),
  new Figure(
    'verbatim_log_below_quorum_seconds',
    'How long checkpoints newer than the published one have lacked their quorum; 0 when they have it.',
    async () => {
      const since = (await trees.newest())?.belowQuorumSince;
      return since ? Math.max(0, (now().getTime() - since.getTime()) / 1_000) : 0;
    },
  ),
];
