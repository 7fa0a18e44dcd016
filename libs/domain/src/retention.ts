import type { Visibility } from './room/state.js';

// How long texts are kept. The rules are part of the register of erasures, and are carried out by erasing days of rooms.

/** Which rooms a rule is about. */
export type RetentionScope =
  | { readonly kind: 'room'; readonly roomId: string }
  | { readonly kind: 'visibility'; readonly visibility: Visibility }
  | { readonly kind: 'server' };

/** Texts are erased when they are older than so many whole days (UTC); null: never. */
export interface RetentionRule {
  readonly scope: RetentionScope;
  readonly days: number | null;
  readonly by: string;
  readonly setAt: string;
}

/** Rules in force at a time, and the days that one may name: 100 years. */
export const retentionLimits = { rules: 1_000, days: 36_525 } as const;

/** What a rule needs to know of a room. */
export interface RetainedRoom {
  readonly roomId: string;
  readonly visibility: Visibility;
}

/** A rule with its id. */
export type IdentifiedRule = readonly [id: string, rule: RetentionRule];

/** The rule that applies to a room: its own, else that of its visibility, else the server's. */
export function retentionRuleFor(rules: Iterable<IdentifiedRule>, room: RetainedRoom): IdentifiedRule | null {
  let found: IdentifiedRule | null = null;
  for (const entry of rules) {
    const { scope } = entry[1];
    if (isAbout(scope, room) && (!found || weight[scope.kind] > weight[found[1].scope.kind])) found = entry;
  }
  return found;
}

const weight = { room: 2, visibility: 1, server: 0 } as const;

function isAbout(scope: RetentionScope, { roomId, visibility }: RetainedRoom): boolean {
  if (scope.kind === 'room') return scope.roomId === roomId;
  return scope.kind === 'server' || scope.visibility === visibility;
}

/** Whether two rules are about the same rooms, so that one replaces the other. */
export function isSameRetentionScope(one: RetentionScope, other: RetentionScope): boolean {
  if (one.kind === 'room') return other.kind === 'room' && other.roomId === one.roomId;
  if (one.kind === 'visibility') return other.kind === 'visibility' && other.visibility === one.visibility;
  return other.kind === 'server';
}

/**
 * The last day whose texts are to be erased on `today`, both as `2026-01-31`. A text of this day is older than `days` whole
 * days, at whatever hour it was written.
 */
export const lastDayToErase = (today: string, days: number): string =>
  new Date(Date.parse(`${today}T00:00:00Z`) - (days + 1) * 86_400_000).toISOString().slice(0, 10);
