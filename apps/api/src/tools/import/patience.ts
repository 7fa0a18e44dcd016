import { setTimeout as pause } from 'node:timers/promises';
import { isRejection } from '@verbatim/domain';

/** The import cannot start or continue. The message is a sentence for the operator. */
export class ImportStopped extends Error {}

/** Milliseconds to wait for an outcome. */
export const PATIENCE_MS = 60_000;
/** Milliseconds between two attempts. */
const RETRY_MS = 250;

/** Repeats an attempt for a while if its outcome is unknown. Repeated commands must change nothing. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; ; await pause(RETRY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ImportStopped || isBug(error)) throw error;
      if (Date.now() < end) continue;
      const sentence = `There was no answer for a minute (${(error as Error).message})`;
      throw new ImportStopped(`${sentence}. The same command continues where this one stopped.`, { cause: error });
    }
  }
}

const isBug = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;

/** Throws when the outcome of a command is unknown. */
export function answered<T extends object>(outcome: T): T {
  if (isRejection(outcome) && outcome.rejected === 'Unavailable') throw new Error(outcome.detail);
  return outcome;
}
