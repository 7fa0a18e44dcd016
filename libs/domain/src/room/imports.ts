import type { RoomState } from './state.js';

/** Where an imported event came from: the digest of the file, and a number that increases along the file. */
export interface ImportSource {
  readonly file: string;
  readonly place: number;
}

export interface Importable {
  readonly imported?: ImportSource;
}

export const withImport = (imports: RoomState['imports'], { file, place }: ImportSource): RoomState['imports'] => ({
  ...imports,
  [file]: Math.max(place, imports[file] ?? -1),
});

export function alreadyImported({ file, place }: ImportSource, state: RoomState): boolean {
  const last = state.imports[file];
  return last !== undefined && place <= last;
}
