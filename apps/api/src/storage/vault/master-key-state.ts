import type { MasterKeyState, RootKeys } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { Figure } from '../../composition/contributions.js';

/** Whether keys can be used; otherwise a sentence that says why not. */
export const readinessOf = ({ locked, trouble }: MasterKeyState): true | string =>
  locked ? `The root keys are locked, because the master key was out of reach for too long. ${trouble ?? ''}` : true;

/** Logs that the master key can no longer open the root keys, or can again. */
export function reportMasterKey({ trouble, description }: MasterKeyState, holdMs = 0, log: Logger): void {
  if (trouble === null) log.warn(`The root keys are opened again, by ${description}.`);
  else log.error(`${trouble} Keys in memory are used for another ${Math.round(holdMs / 60_000)} minutes.`);
}

/** Prometheus metrics of the master key. */
export const masterKeyFigures = (roots: Pick<RootKeys, 'state'>): Figure[] => [
  new Figure(
    'verbatim_master_key_unconfirmed_seconds',
    'Seconds since the master key last opened the root keys, while it fails to; 0 if the last attempt succeeded.',
    () => roots.state.unconfirmedSeconds,
  ),
  new Figure(
    'verbatim_master_key_failures_total',
    'How often the master key failed to open the root keys.',
    () => roots.state.failures,
  ),
  new Figure('verbatim_master_key_locked', 'Whether the root keys are locked: 1, nothing sealed can be read.', () =>
    Number(roots.state.locked),
  ),
  new Figure('verbatim_root_key', 'Number of the root key that wraps new keys.', () => roots.state.root),
];
