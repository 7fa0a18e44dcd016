import type { Row, Sent, Verdict } from './access-table.testing.js';
import type { Cast, Column, Scene, TurnedAway } from './scene.testing.js';

/** How the access table is applied to a door. A new door brings its table and one of these. */
export interface AccessDoor {
  /** A row for each operation of the door. */
  readonly table: Readonly<Record<string, Row>>;
  /** Whether an operation takes an account. */
  needsAccount(operation: string): boolean;
  /** Has the person of a column, or one whose credential was taken away, ask for an operation. */
  attempt(operation: string, asker: Column | TurnedAway, scene: Scene, sent: Sent): Promise<Verdict>;
  /** Undoes what would stop the rest of the table. */
  settle?(operation: string, cast: Cast): Promise<unknown>;
}
