import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  codeOfRejection,
  errorCodes,
  errorFrame,
  errorFrameSchema,
  errors,
  issuesToErrors,
  problem,
  problemSchema,
} from './errors.js';

describe('the table of errors', () => {
  it('has the codes and statuses that clients rely on', () => {
    expect(Object.entries(errors).map(([code, { status }]) => [code, status])).toEqual([
      ['invalid_request', 400],
      ['unauthenticated', 401],
      ['mfa_required', 401],
      ['forbidden', 403],
      ['not_a_member', 403],
      ['reason_required', 403],
      ['not_found', 404],
      ['method_not_allowed', 405],
      ['not_acceptable', 406],
      ['conflict', 409],
      ['name_taken', 409],
      ['room_closed', 409],
      ['duplicate_id', 409],
      ['too_large', 413],
      ['unsupported_media_type', 415],
      ['rate_limited', 429],
      ['internal', 500],
      ['unavailable', 503],
      ['maintenance', 503],
    ]);
  });

  it('calls retryable what carries Retry-After', () => {
    expect(errorCodes.filter((code) => errors[code].retryable)).toEqual(['rate_limited', 'unavailable', 'maintenance']);
  });
});

it('has a code for every reason of a rejection', () => {
  expect(codeOfRejection).toEqual({
    Invalid: 'invalid_request',
    Unauthenticated: 'unauthenticated',
    NotFound: 'not_found',
    NotAMember: 'not_a_member',
    NotAllowed: 'forbidden',
    WrongPassword: 'forbidden',
    SecondFactorNeeded: 'mfa_required',
    ReasonNeeded: 'reason_required',
    RoomClosed: 'room_closed',
    DuplicateId: 'duplicate_id',
    NameTaken: 'name_taken',
    Conflict: 'conflict',
    TooSoon: 'rate_limited',
    Maintenance: 'maintenance',
    Unavailable: 'unavailable',
  });
});

describe('what clients get', () => {
  it('is a problem on REST', () => {
    const built = problem('room_closed', 'The room is closed since Monday.', { traceId: 't1' });
    expect(built).toEqual({
      type: 'urn:verbatim:error:room_closed',
      title: 'The room is closed',
      status: 409,
      detail: 'The room is closed since Monday.',
      code: 'room_closed',
      retryable: false,
      traceId: 't1',
    });
  });

  it.each(errorCodes)('fits the schemas for %s', (code) => {
    const found = [{ path: 'body.text', message: 'is missing' }];
    const built = problem(code, 'So it is.', { traceId: 't1', errors: found });
    expect(problemSchema.parse(built)).toEqual(built);
    const frame = errorFrame(code, 'So it is.', { errors: found, retryAfterMs: 5 });
    expect(errorFrameSchema.parse(frame)).toEqual(frame);
  });
});

describe('issuesToErrors', () => {
  const schema = z.object({ name: z.string(), size: z.int(), kind: z.enum(['a', 'b']), deep: z.array(z.boolean()) });
  const errorsOf = (input: unknown, place?: string) => {
    const { error } = schema.safeParse(input);
    return error ? issuesToErrors(error, place) : [];
  };

  it('lists what is wrong in the order of the fields, with their paths', () => {
    expect(errorsOf({ size: '3', kind: 'c', deep: [true, 'x'] })).toEqual([
      { path: 'body.name', message: 'is missing' },
      { path: 'body.size', message: 'must be of type number' },
      { path: 'body.kind', message: 'must be one of a, b' },
      { path: 'body.deep.1', message: 'must be of type boolean' },
    ]);
  });

  it('speaks of the whole when the whole is wrong', () => {
    expect(errorsOf(null)).toEqual([{ path: 'body', message: 'must be of type object' }]);
    expect(errorsOf(undefined, 'data')).toEqual([{ path: 'data', message: 'is missing' }]);
  });

  it('stops at 20 entries', () => {
    expect(errorsOf({ name: '', size: 1, kind: 'a', deep: Array(1_000).fill('no') })).toHaveLength(20);
  });

  it('never repeats what was sent', () => {
    const secret = 'hunter2-hunter2';
    const found = errorsOf({ name: [secret], size: secret, kind: secret, deep: { [secret]: secret }, [secret]: 1 });
    expect(found).toHaveLength(4);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});
