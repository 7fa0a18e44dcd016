import { expect } from 'vitest';
import type { Accepted, Decider, Decision, Happened, NewFact } from './decider.js';
import { isRejection, type RejectionReason } from './rejection.js';

/**
 * An event of the past that a story begins with: its type and data, and where it matters who caused it and when. The
 * rest is filled in: revisions count from 0, a second lies between two events, and who is not named is the one before.
 */
export type Past<E extends Happened> =
  E extends Happened<infer T, infer D>
    ? { readonly type: T; readonly data: D; readonly actor?: string | null; readonly at?: string }
    : never;

/** What a story can begin with: the events that made a state, and the command that meets it. */
export interface Given<S, C, E extends Happened> {
  readonly state: S;
  /** `at` is the time of the command; if absent, a second after the last event. */
  when(command: C, at?: string): Outcome<S, C, E>;
}

/** What came of a command. Each of these checks fails the test if something else did. */
export interface Outcome<S, C, E extends Happened> {
  readonly decision: Decision<E>;
  /** Exactly these events, in this order. */
  then(events: readonly NewFact<E>[]): void;
  /** There was nothing to do; `earlier` is the revision of the event that did it, where the caller needs it. */
  thenNothing(earlier?: bigint): void;
  thenRejected(reason: RejectionReason, detail?: RegExp): void;
  /** The story goes on: the events are recorded, caused by the command's actor, and another command comes. */
  when(next: C, at?: string): Outcome<S, C, E>;
}

/**
 * A test of a decider:
 *
 * ```ts
 * given(room, [created(alice), joined(bob)])
 *   .when({ type: 'CloseRoom', actor: bob, reason: null })
 *   .thenRejected('NotAllowed');
 * ```
 */
export function given<S, C, E extends Happened>(decider: Decider<S, C, E>, past: readonly Past<E>[]): Given<S, C, E> {
  const state = recorded(past).reduce(decider.evolve, decider.initialState);
  const when = (command: C, at = timeOf(past.length)) =>
    outcome(decider, past, command, at, decider.decide(command, state, at));
  return { state, when };
}

/** The events of a story in the form in which they are folded. */
export function recorded<E extends Happened>(past: readonly Past<E>[]): E[] {
  let actor: string | null = null;
  return past.map((event, index) => {
    if (event.actor !== undefined) actor = event.actor;
    const at = event.at ?? timeOf(index);
    return { ...event, revision: BigInt(index), at, actor } as unknown as E;
  });
}

const BEGINNING = Date.parse('2026-01-31T12:00:00.000Z');

/** When the nth event of a story happens, unless it says otherwise. */
export const timeOf = (index: number): string => new Date(BEGINNING + index * 1_000).toISOString();

function outcome<S, C, E extends Happened>(
  decider: Decider<S, C, E>,
  past: readonly Past<E>[],
  command: C,
  at: string,
  decision: Decision<E>,
): Outcome<S, C, E> {
  const accepted = (): Accepted<E> => {
    if (isRejection(decision)) expect.fail(`${name(command)} was refused: ${decision.rejected}, ${decision.detail}`);
    return decision;
  };
  return {
    decision,
    // biome-ignore lint/suspicious/noThenProperty: nobody awaits a story, and given/when/then reads best.
    then: (events) => expect(accepted().events).toEqual(events),
    thenNothing: (earlier) => {
      expect(accepted().events).toEqual([]);
      if (earlier !== undefined) expect(accepted().earlier).toBe(earlier);
    },
    thenRejected: (reason, detail = /./) => {
      if (!isRejection(decision)) expect.fail(`${name(command)} was accepted`);
      expect(decision.rejected).toBe(reason);
      expect(decision.detail).toMatch(detail);
    },
    when: (next, later) => {
      const actor = (command as { actor?: { id: string } | null }).actor?.id ?? null;
      const events = accepted().events.map((fact) => ({ ...fact, actor, at }) as unknown as Past<E>);
      return given(decider, [...past, ...events]).when(next, later);
    },
  };
}

const name = (command: unknown): string => (command as { type: string }).type;
