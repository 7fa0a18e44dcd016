import type { ErrorCode } from '@verbatim/protocol';
import { type Backoff, pause, pauseAfter } from './backoff.js';
import type { Closing } from './closing.js';
import { OutcomeUnknown, Unanswered, VerbatimError } from './verbatim-error.js';

/** How long an operation is tried. */
export interface Patience {
  /** Milliseconds after which no further attempt is made; 30,000 if absent. */
  readonly deadlineMs?: number;
  /** Ends it at once: with OutcomeUnknown for a write that may have arrived, else with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** An operation to try. */
export interface Undertaking<T> extends Patience {
  /** One attempt, which may take no longer than `left` milliseconds. */
  attempt(left: number, signal: AbortSignal): Promise<T>;
  /** For a write: the id with which to repeat it later. Absent for reads. */
  readonly id?: string;
  /** Further refusals that show that no earlier attempt took effect. */
  readonly definite?: readonly ErrorCode[];
  /** False: once a request may have arrived, it is not sent again. */
  readonly repeatable?: boolean;
  /** Ends it like the signal. */
  readonly closing?: Closing;
}

const DEADLINE = 30_000;
const between: Backoff = { first: 250, most: 2_000 };
/** After this many `internal` errors it is a bug, not an accident. */
const MOST_INTERNAL = 3;
/** Refusals that would have been the answer to earlier attempts as well, so none of those took effect. */
const refusedAnyway: readonly ErrorCode[] = ['invalid_request', 'too_large', 'duplicate_id'];

/**
 * Tries until there is a definite answer. A refusal rejects as it is, unless the outcome of an earlier attempt is unknown:
 * then, and when the deadline passes, a write rejects with OutcomeUnknown.
 */
export async function persist<T>({ signal, closing, ...undertaking }: Undertaking<T>): Promise<T> {
  signal?.throwIfAborted();
  closing?.throwIfClosed();
  const ending = new AbortController();
  const stop = () => ending.abort(signal?.aborted ? signal.reason : closing?.reason);
  const forget = closing?.when(stop);
  signal?.addEventListener('abort', stop);
  try {
    return await tryOn(undertaking, ending.signal);
  } finally {
    signal?.removeEventListener('abort', stop);
    forget?.();
  }
}

async function tryOn<T>(
  { attempt, id, definite = [], repeatable = true, deadlineMs = DEADLINE }: Undertaking<T>,
  signal: AbortSignal,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  let inDoubt = false;
  let internal = 0;
  const given = (failure: unknown): unknown =>
    inDoubt && id !== undefined ? new OutcomeUnknown(id, failure) : failure;

  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt(Math.max(0, end - Date.now()), signal);
    } catch (failure) {
      const { passing, mayHaveArrived, waitMs } = judge(failure);
      if (!passing) throw isOneOf([...refusedAnyway, ...definite], failure) ? failure : given(failure);
      inDoubt ||= mayHaveArrived;
      if (signal.aborted) throw given(signal.reason);
      if (isInternal(failure)) internal += 1;
      const rest = Math.max(waitMs, pauseAfter(failures, between));
      const over = Date.now() + rest >= end || internal >= MOST_INTERNAL || (inDoubt && !repeatable);
      if (over) throw given(asRefusal(failure));
      await pause(rest, signal).catch((reason) => {
        throw given(reason);
      });
    }
  }
}

/** Whether a failure is temporary, and whether the failed request may still have taken effect. */
function judge(failure: unknown): { passing: boolean; mayHaveArrived: boolean; waitMs: number } {
  if (failure instanceof Unanswered) return { passing: true, mayHaveArrived: failure.sent, waitMs: 0 };
  if (!(failure instanceof VerbatimError)) return { passing: false, mayHaveArrived: false, waitMs: 0 };
  const { code, retryable, retryAfterMs } = failure;
  // Another server may work when one does not, so the full requested wait applies only to errors that all servers share.
  const pauseEverywhere = code === 'rate_limited' ? 1_000 : code === 'maintenance' ? 30_000 : null;
  if (pauseEverywhere !== null)
    return { passing: true, mayHaveArrived: false, waitMs: retryAfterMs ?? pauseEverywhere };
  return { passing: retryable || code === 'internal', mayHaveArrived: true, waitMs: 0 };
}

const isInternal = (failure: unknown): boolean => failure instanceof VerbatimError && failure.code === 'internal';

const isOneOf = (codes: readonly ErrorCode[], failure: unknown): boolean =>
  failure instanceof VerbatimError && codes.some((code) => code === failure.code);

const asRefusal = (failure: unknown): unknown =>
  failure instanceof Unanswered
    ? new VerbatimError('unavailable', 'No server has answered.', { cause: failure })
    : failure;
