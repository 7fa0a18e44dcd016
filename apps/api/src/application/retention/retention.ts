import { createHash } from 'node:crypto';
import {
  ERASURES,
  type ErasureState,
  type IdentifiedRule,
  isHeld,
  isRejection,
  isSameRetentionScope,
  PersistentMap,
  type RetentionRule,
} from '@verbatim/domain';
import { AdvisoryLock, textsUpTo } from '@verbatim/projections';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { newId } from '../../new-id.js';
import type { RetentionPass, RetentionPasses } from '../../storage/desk/retention-pass.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { Erasures } from '../../write-side/entities.js';
import type { Eraser } from '../erasure/eraser.js';
import type { DueDays, DueDaysFinder } from './due-days.js';

/** Erasures of rules that may be pending at a time, so that requests by people are not stuck behind them. */
const MOST_WAITING = 100;
/** Maximum number of rooms checked in one step. */
const MOST_LOOKED = 2_000;
/** Milliseconds and messages after which a dry run stops, complete or not. */
const DRY_RUN_MS = 5_000;
const DRY_RUN_MESSAGES = 1_000_000;

export interface RetentionParts {
  readonly erasures: Erasures;
  readonly eraser: Eraser;
  readonly finder: DueDaysFinder;
  readonly passes: RetentionPasses;
  readonly readModels: ReadModels;
  readonly direct: Sql;
  readonly clock: Clock;
}

/** What rules would erase now. */
export interface DryRun {
  readonly messages: number;
  readonly rooms: number;
  readonly held: number;
  readonly complete: boolean;
}

/** Carries out retention rules: requests erasures of expired texts. */
export class Retention {
  constructor(private readonly parts: RetentionParts) {}

  /**
   * Continues the search for expired texts with a few rooms. One process does so at a time. The search restarts each day,
   * and when a rule or a hold has changed.
   */
  async step(): Promise<void> {
    if ((await this.parts.erasures.newest(ERASURES)).state.rules.size === 0) return;
    const lock = await AdvisoryLock.tryTake(this.parts.direct, 'verbatim retention');
    if (!lock) return;
    try {
      await this.goOn();
    } finally {
      await lock.release();
    }
  }

  private async goOn(): Promise<void> {
    const { erasures, finder, passes } = this.parts;
    let { state } = await erasures.newest(ERASURES);
    let pass = passOf(await passes.newest(), this.today(), basisOf(state));
    for (const end = pass.looked + MOST_LOOKED; pass.cursor !== null && pass.looked < end; ) {
      if (waitingForRules(state) >= MOST_WAITING) break;
      const looked = await finder.next(pass.cursor, pass.day, [...state.rules.entries()], state.pending);
      const outcome = await this.request(looked.due);
      pass = { ...pass, requested: pass.requested + outcome.requested };
      // If no more may be pending, a later step checks the same rooms again.
      if (!outcome.full)
        pass = { ...pass, cursor: looked.cursor, looked: pass.looked + looked.rooms, held: pass.held + outcome.held };
      await passes.keep(pass);
      if (outcome.full) break;
      ({ state } = await erasures.newest(ERASURES));
    }
  }

  private async request(due: readonly DueDays[]): Promise<{ requested: number; held: number; full: boolean }> {
    const { erasures } = this.parts;
    let [requested, held] = [0, 0];
    for (const { scope, ruleId, days } of due) {
      if (await this.isHeld(scope)) {
        held++;
        continue;
      }
      const { state } = await erasures.newest(ERASURES);
      if (waitingForRules(state) >= MOST_WAITING) return { requested, held, full: true };
      const reason = `Texts are kept for ${days} ${days === 1 ? 'day' : 'days'}.`;
      const request = { type: 'RequestErasure', actor: null, erasureId: newId(), scope, reason, ruleId } as const;
      const outcome = await erasures.send(
        ERASURES,
        { ...request, ground: 'no_longer_needed' },
        { correlation: newId() },
      );
      // The rule was removed meanwhile, or the register is full; the next step handles it.
      if (isRejection(outcome)) return { requested, held, full: true };
      requested++;
    }
    return { requested, held, full: false };
  }

  /** What the rules would erase now, optionally with another rule that may replace one. Erases nothing. */
  async dryRun(further: Pick<RetentionRule, 'scope' | 'days'> | null): Promise<DryRun> {
    const { erasures, finder, readModels } = this.parts;
    const { state } = await erasures.newest(ERASURES);
    const rules = withRule([...state.rules.entries()], further);
    const deadline = performance.now() + DRY_RUN_MS;
    let [messages, rooms, held] = [0, 0, 0];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const looked = await finder.next(cursor, this.today(), rules, erasuresOfNobody);
      for (const { scope } of looked.due) {
        if (messages > DRY_RUN_MESSAGES || performance.now() > deadline)
          return { messages, rooms, held, complete: false };
        if (await this.isHeld(scope)) {
          held++;
          continue;
        }
        rooms++;
        messages += await textsUpTo(readModels.db, scope.roomId, scope.to, DRY_RUN_MESSAGES);
      }
      cursor = looked.cursor;
    }
    return { messages, rooms, held, complete: true };
  }

  /** The current pass for these rules and holds; null if it has not begun. */
  async progress(): Promise<RetentionPass | null> {
    const { erasures, passes } = this.parts;
    const { state } = await erasures.newest(ERASURES);
    const newest = await passes.newest();
    return newest?.day === this.today() && newest.basis === basisOf(state) ? newest : null;
  }

  private async isHeld(scope: DueDays['scope']): Promise<boolean> {
    const { state, entangled } = await this.parts.eraser.entangled(scope);
    return isHeld(scope, state, entangled);
  }

  private today(): string {
    return this.parts.clock().toISOString().slice(0, 10);
  }
}

/** Pending erasures requested by rules. */
export const waitingForRules = ({ pending }: ErasureState): number =>
  [...pending.entries()].filter(([, { ruleId }]) => ruleId !== null).length;

const erasuresOfNobody: ErasureState['pending'] = PersistentMap.empty;

const passOf = (newest: RetentionPass | null, day: string, basis: string): RetentionPass =>
  newest?.day === day && newest.basis === basis ? newest : { day, basis, cursor: '', looked: 0, requested: 0, held: 0 };

/** Identifies the rules and holds that determine what is due. */
function basisOf({ rules, holds }: ErasureState): string {
  const ids = [[...rules.entries()].map(([id]) => id), [...holds.entries()].map(([id]) => id)];
  return createHash('sha256').update(JSON.stringify(ids)).digest('hex').slice(0, 32);
}

function withRule(
  rules: readonly IdentifiedRule[],
  further: Pick<RetentionRule, 'scope' | 'days'> | null,
): IdentifiedRule[] {
  if (!further) return [...rules];
  const rule = { ...further, by: '', setAt: '' };
  return [...rules.filter(([, { scope }]) => !isSameRetentionScope(scope, further.scope)), ['', rule]];
}
