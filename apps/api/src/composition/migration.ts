/** The tables of doors and units: `Migration[]`. */
export const MIGRATIONS = Symbol('migrations of doors and units');

/** The tables of a door or unit: one statement per version, never changed once released. */
export interface Migration {
  readonly schema: 'desk' | 'vault';
  /** Names the sequence of versions; unique within the schema. */
  readonly name: string;
  readonly statements: readonly string[];
}
