import type { ErrorCode } from '@verbatim/protocol';
import { describe, expect, it } from 'vitest';
import { Closing } from './closing.js';
import { persist, type Undertaking } from './persistence.js';
import { OutcomeUnknown, Unanswered, VerbatimError } from './verbatim-error.js';

const lost = new Unanswered(true);
const notSent = new Unanswered(false);
const refused = (code: ErrorCode) => new VerbatimError(code, 'no');

/** Runs an attempt with these outcomes one after the other; returns the number of attempts. */
async function tried(outcomes: unknown[], undertaking: Partial<Undertaking<unknown>> = {}) {
  let attempts = 0;
  const attempt = async () => {
    const outcome = outcomes[Math.min(attempts++, outcomes.length - 1)];
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const outcome = await persist({ attempt, ...undertaking }).catch((error) => error);
  return { outcome, attempts };
}

describe('what is tried', () => {
  it('is repeated when there was no answer, or one that may change', async () => {
    const outcomes = [lost, notSent, refused('unavailable'), refused('internal'), 'done'];
    expect(await tried(outcomes)).toEqual({ outcome: 'done', attempts: 5 });
  });

  it('is not repeated when it was refused', async () => {
    const no = refused('forbidden');
    expect(await tried([no], { id: 'x' })).toEqual({ outcome: no, attempts: 1 });
    expect(await tried([notSent, no], { id: 'x' })).toEqual({ outcome: no, attempts: 2 });
  });

  it('waits as long as a limit asks for', async () => {
    const limited = new VerbatimError('rate_limited', 'slowly', { retryAfterMs: 80 });
    const began = Date.now();
    expect((await tried([limited, 'done'])).outcome).toBe('done');
    expect(Date.now() - began).toBeGreaterThanOrEqual(79);
    expect((await tried([limited], { deadlineMs: 50, id: 'x' })).outcome).toBe(limited);
  });

  it('is not done in maintenance, which is waited for only as long as there is patience', async () => {
    const closed = new VerbatimError('maintenance', 'a new disk', { retryAfterMs: 30_000 });
    expect(await tried([closed, 'done'], { id: 'x' })).toEqual({ outcome: closed, attempts: 1 });
    expect(await tried([refused('maintenance'), 'done'], { id: 'x' })).toMatchObject({ attempts: 1 });
    const { outcome } = await tried([lost, closed], { id: 'x' });
    expect(outcome).toMatchObject({ name: 'OutcomeUnknown', cause: { code: 'maintenance' } });
    const soon = new VerbatimError('maintenance', 'nearly over', { retryAfterMs: 10 });
    expect((await tried([soon, 'done'], { id: 'x' })).outcome).toBe('done');
  });

  it('is given up at the deadline', async () => {
    const read = await tried([lost], { deadlineMs: 20 });
    expect(read.outcome).toMatchObject({ code: 'unavailable', retryable: true });
    const neverSent = await tried([notSent], { deadlineMs: 20, id: 'x' });
    expect(neverSent.outcome).toBeInstanceOf(VerbatimError);
    const write = await tried([lost], { deadlineMs: 20, id: 'x' });
    expect(write.outcome).toBeInstanceOf(OutcomeUnknown);
    expect(write.outcome).toMatchObject({ id: 'x' });
  });

  it('is given up when the service fails again and again', async () => {
    expect(await tried([refused('internal')])).toMatchObject({ attempts: 3, outcome: { code: 'internal' } });
    expect((await tried([refused('internal')], { id: 'x' })).outcome).toBeInstanceOf(OutcomeUnknown);
  });

  it('is sent no second time where that may do harm', async () => {
    const once = { repeatable: false, id: 'x' };
    expect(await tried([notSent, 'done'], once)).toEqual({ outcome: 'done', attempts: 2 });
    const { outcome, attempts } = await tried([lost, 'done'], once);
    expect([outcome instanceof OutcomeUnknown, attempts]).toEqual([true, 1]);
  });
});

describe('a refusal after an attempt that may have arrived', () => {
  it('leaves the outcome open, unless the first attempt would have met it as well', async () => {
    for (const code of ['not_a_member', 'unauthenticated', 'forbidden', 'not_found'] as const) {
      const { outcome } = await tried([lost, refused(code)], { id: 'x' });
      expect(outcome).toMatchObject({ name: 'OutcomeUnknown', cause: { code } });
    }
    for (const code of ['duplicate_id', 'invalid_request', 'too_large'] as const) {
      expect((await tried([lost, refused(code)], { id: 'x' })).outcome).toMatchObject({ code });
    }
    // An edit may have been made before the room was closed; a post answers first what it did before.
    const closed = [lost, refused('room_closed')];
    expect((await tried(closed, { id: 'x' })).outcome).toBeInstanceOf(OutcomeUnknown);
    const post = await tried(closed, { id: 'x', definite: ['room_closed'] });
    expect(post.outcome).toMatchObject({ code: 'room_closed' });
  });

  it('is final for reads', async () => {
    expect((await tried([lost, refused('not_found')])).outcome).toMatchObject({ code: 'not_found' });
  });
});

describe('a signal', () => {
  it('ends the trying: with its reason, or with what is unknown', async () => {
    const gone = AbortSignal.abort('enough');
    expect(await tried(['done'], { signal: gone, id: 'x' })).toEqual({ outcome: 'enough', attempts: 0 });
    const soon = () => {
      const ending = new AbortController();
      setTimeout(() => ending.abort('enough'), 20);
      return ending.signal;
    };
    const { outcome } = await tried([lost], { signal: soon(), id: 'x' });
    expect(outcome).toMatchObject({ name: 'OutcomeUnknown', cause: 'enough' });
    expect((await tried([lost], { signal: soon() })).outcome).toBe('enough');
  });
});

describe('closing the client', () => {
  it('ends the trying, and has nothing tried any more', async () => {
    const closing = new Closing();
    const reason = new Error('closed');
    setTimeout(() => closing.close(reason), 20);
    const { outcome } = await tried([lost], { closing, id: 'x' });
    expect(outcome).toMatchObject({ name: 'OutcomeUnknown', cause: reason });
    expect(await tried(['done'], { closing, id: 'x' })).toEqual({ outcome: reason, attempts: 0 });
  });
});
