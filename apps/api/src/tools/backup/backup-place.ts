/**
 * Where a backup is kept. Paths have `/` between folders and do not begin with one. Whatever fails for a reason that is not in the backup
 * (no rights, no network, no space) throws PlaceUnavailable or an error of the system.
 */
export interface BackupPlace {
  /** As operators name it. */
  readonly name: string;
  /**
   * Writes a file, or replaces it. It has its name only when it is complete and will survive a loss of power: a reader finds the old
   * content or the new one. Memory does not grow with the content.
   */
  write(path: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The content of a file. Throws MissingFile. */
  read(path: string): AsyncIterable<Buffer>;
  /** Names of the folders in a folder; none if that does not exist. */
  folders(path: string): Promise<string[]>;
  /** Removes a folder with everything in it. */
  removeFolder(path: string): Promise<void>;
  /** Removes what writers that were killed have left. Nobody may be writing. */
  removeUnfinished(): Promise<void>;
}

/** There is no file of this name. */
export class MissingFile extends Error {}

/** The place does not answer, or does not let us in; the message is a sentence for the operator. */
export class PlaceUnavailable extends Error {}
