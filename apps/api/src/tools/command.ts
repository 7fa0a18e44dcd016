import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { Database } from '../storage/database/database.js';
import type { Tools } from './tools.js';

/** A command of `npm run cli --`. It works alongside a running service, or on its own. */
export interface CliCommand {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The text of `--help`. */
  readonly help: string;
  /** Runs it and returns the exit code. Throws UsageError when called wrongly. */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
}

/** What a command may use. Each is opened on the first call, and closed when the command has finished. */
export interface Surroundings {
  readonly config: Config;
  /** Writes warnings and errors to standard error. */
  readonly log: Logger;
  database(): Promise<Database>;
  /** Needs the vault's master key; not every command does. */
  tools(): Promise<Tools>;
}

/** The command was called wrongly; the message says how. */
export class UsageError extends Error {}
