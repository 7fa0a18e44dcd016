import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { Database } from '../storage/database/database.js';
import type { Tools } from './tools.js';

/** A command of `npm run cli --`. It works beside a running service, or on its own. */
export interface CliCommand {
  /** The words that choose it. */
  readonly words: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** All that there is to know, for `--help`. */
  readonly help: string;
  /** Does it; gives the exit code. Throws UsageError when called wrongly. */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
}

/** What a command may ask for. It is opened at the first call, and closed when the command has ended. */
export interface Surroundings {
  readonly config: Config;
  /** Writes to standard error, from warnings on. */
  readonly log: Logger;
  database(): Promise<Database>;
  /** Takes the vault's master key, which not every command needs. */
  tools(): Promise<Tools>;
}

/** The command was called wrongly; the message says how. */
export class UsageError extends Error {}
