import {
  type ErasureScope,
  type ErasureState,
  type IdentifiedRule,
  lastDayToErase,
  parseStream,
  type RetainedRoom,
  retentionRuleFor,
} from '@verbatim/domain';
import type { PostgresKeyRing } from '@verbatim/event-store';
import { visibilitiesOf } from '@verbatim/projections';
import type { ReadModels } from '../../storage/read-models.js';
import type { Rooms } from '../../write-side/entities.js';

/** Rooms checked in one batch. */
const TOGETHER = 200;

/** Days of a room with texts older than its rule allows. */
export interface DueDays {
  readonly scope: Extract<ErasureScope, { kind: 'days' }>;
  readonly ruleId: string;
  readonly days: number;
}

/** A batch of checked rooms, and what is due in them. */
export interface Looked {
  readonly rooms: number;
  /** Where to continue; null: these were the last ones. */
  readonly cursor: string | null;
  readonly due: readonly DueDays[];
}

/**
 * Finds what is due for erasure by looking at keys: a room without a key for an expired day has nothing readable from it,
 * be it a text, an older version or a reason. So a room costs one index look-up, however much was written in it.
 */
export class DueDaysFinder {
  constructor(
    private readonly keys: PostgresKeyRing,
    private readonly rooms: Rooms,
    private readonly readModels: ReadModels,
  ) {}

  /** Checks the next rooms after a cursor ('' to start). */
  async next(
    cursor: string,
    today: string,
    rules: readonly IdentifiedRule[],
    pending: ErasureState['pending'],
  ): Promise<Looked> {
    const oldest = await this.keys.oldestOf('room-', cursor, TOGETHER);
    const shortest = Math.min(...rules.map(([, { days }]) => days ?? Number.POSITIVE_INFINITY));
    const latest = Number.isFinite(shortest) ? lastDayToErase(today, shortest) : '';
    const old = new Map<string, string>();
    for (const { stream, day } of oldest) if (day !== null && day <= latest) old.set(parseStream(stream).id, day);
    const asked = roomsWithDays(pending);
    const due: DueDays[] = [];
    for (const { id, visibility } of await visibilitiesOf(this.readModels.db, [...old.keys()])) {
      const from = old.get(id) ?? '';
      // The read models narrow down the rooms; the decision uses the state of each room.
      if (asked.has(id) || !dueIn({ roomId: id, visibility }, from, today, rules)) continue;
      const { state } = await this.rooms.newest(id);
      const found =
        state.status === 'unborn' ? null : dueIn({ roomId: id, visibility: state.visibility }, from, today, rules);
      if (found) due.push(found);
    }
    const last = oldest.at(-1)?.stream ?? null;
    return { rooms: oldest.length, cursor: oldest.length < TOGETHER ? null : last, due };
  }
}

/** Days already requested, held or not, are not requested again. */
function roomsWithDays(pending: ErasureState['pending']): ReadonlySet<string> {
  const rooms = new Set<string>();
  for (const [, { scope, ruleId }] of pending.entries())
    if (scope.kind === 'days' && ruleId !== null) rooms.add(scope.roomId);
  return rooms;
}

function dueIn(room: RetainedRoom, from: string, today: string, rules: readonly IdentifiedRule[]): DueDays | null {
  const found = retentionRuleFor(rules, room);
  if (!found) return null;
  const [ruleId, { days }] = found;
  if (days === null) return null;
  const to = lastDayToErase(today, days);
  return from <= to ? { scope: { kind: 'days', roomId: room.roomId, from, to }, ruleId, days } : null;
}
