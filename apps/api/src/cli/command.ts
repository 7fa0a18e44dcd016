import type { Foundation } from '../foundation.js';

/** A command of `npm run cli --`. It works beside a running service, or on its own. */
export interface CliCommand {
  /** The words that choose it. */
  readonly words: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** All that there is to know, for `--help`. */
  readonly help: string;
  /** Does it; gives the exit code. Throws UsageError when called wrongly. */
  run(args: readonly string[], foundation: () => Promise<Foundation>): Promise<number>;
}

/** The command was called wrongly; the message says how. */
export class UsageError extends Error {}
