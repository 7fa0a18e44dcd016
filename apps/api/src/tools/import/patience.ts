import { setTimeout as pause } from 'node:timers/promises';
import { isRejection } from '@verbatim/domain';

/** The import cannot begin or go on; the message is a sentence for the operator. */
export class ImportStopped extends Error {}

/** Milliseconds for which an answer is waited for. */
export const PATIENCE = 60_000;
/** Milliseconds between two attempts to get one. */
const RETRY = 250;

/** Tries again for a while when the outcome is unknown; commands that were carried out change nothing more. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + PATIENCE; ; await pause(RETRY)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ImportStopped || isBug(error)) throw error;
      if (Date.now() < end) continue;
      const sentence = `There was no answer for a minute (${(error as Error).message})`;
      throw new ImportStopped(`${sentence}. The same command goes on where this one ended.`, { cause: error });
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
