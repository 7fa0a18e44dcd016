import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessDoor } from './access-door.testing.js';
import type { Row } from './access-table.testing.js';
import { restAccess } from './rest-access.testing.js';
import {
  type Cast,
  type Column,
  columns,
  gatherCast,
  type Scene,
  setScene,
  turnAway,
  turnedAway,
} from './scene.testing.js';
import { webSocketAccess } from './websocket-access.testing.js';

/** All doors with people behind them. */
const doors: readonly (readonly [string, AccessDoor])[] = [
  ['who may call what', restAccess],
  ['who may send which frame', webSocketAccess],
];

let cast: Cast;
/** Where everything is asked that is refused, and so changes nothing. */
let still: Scene;

beforeAll(async () => {
  cast = await gatherCast();
  still = await setScene(cast);
  await turnAway(cast);
});
afterAll(() => cast.service.stop());

/** Columns in which the row says yes are asked in a scene of their own, the others in the one that stays as it is. */
const sceneFor = (row: Row, column: Column): Scene | Promise<Scene> =>
  row.verdicts[column] === 'allowed' ? setScene(cast) : still;

describe.each(doors)('%s', (_, door) => {
  const operations = Object.entries(door.table);

  it.each(operations)('%s', async (name, row) => {
    const found: Record<string, string> = {};
    await Promise.all(
      columns.map(async (column) => {
        const scene = await sceneFor(row, column);
        found[column] = await door.attempt(name, column, scene, await row.sent(scene, column));
      }),
    );
    await door.settle?.(name, cast);
    expect(found).toEqual(row.verdicts);
  });

  it.each(operations.filter(([name]) => door.needsAccount(name)))(
    '%s: not with a credential that was taken away',
    async (name, row) => {
      for (const person of turnedAway) {
        const sent = await row.sent(still, 'member');
        expect(await door.attempt(name, person, still, sent)).toBe('unauthenticated');
      }
    },
  );
});
