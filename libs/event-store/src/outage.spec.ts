import { describe, expect, it } from 'vitest';
import { NO_STREAM, RevisionConflict, StoreClosed, StoreSilent, StoreUnavailable } from './event-store.js';
import { isUnavailable, outageOf } from './outage.js';

const coded = (code: string, more: object = {}) =>
  Object.assign(new Error(`it failed with ${code}`), { code, ...more });
const sqlState = (code: string) => coded(code, { name: 'PostgresError' });

describe('what an error says about the server', () => {
  it.each([
    ...['08000', '08001', '08003', '08004', '08006', '08P01', '25006', '25P03', '28000', '28P01', '3D000'],
    ...['42501', '53000', '53100', '53200', '53300', '57P01', '57P02', '57P03', '57P04', '57P05', '58000', '58030'],
  ])('SQLSTATE %s: it is away', (code) => {
    expect(outageOf(sqlState(code))).toEqual({ kind: 'away', reason: `it failed with ${code}`, ofStore: false });
  });

  it.each(['40001', '40P01', '55006', '55P03', '57014', '26000'])('SQLSTATE %s: it is busy', (code) => {
    expect(outageOf(sqlState(code))?.kind).toBe('busy');
  });

  it.each(['22P02', '23505', '42601', '42703', '42P01', '54000', 'P0001', 'XX000'])(
    'SQLSTATE %s: nothing, as that would be the same next time',
    (code) => {
      expect(outageOf(sqlState(code))).toBeNull();
    },
  );

  it.each([
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
    ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'EMFILE'],
    ...[
      'CERT_HAS_EXPIRED',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
    ],
  ])('%s: it is away', (code) => {
    expect(outageOf(coded(code))?.kind).toBe('away');
  });

  it('a Unix socket that is not there: it is away; a file that is not there: nothing', () => {
    expect(outageOf(coded('ENOENT', { syscall: 'connect' }))?.kind).toBe('away');
    expect(outageOf(coded('ENOENT', { syscall: 'open' }))).toBeNull();
  });

  it('looks into the errors of several addresses, and at what caused an error', () => {
    expect(outageOf(new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]))?.kind).toBe('away');
    expect(outageOf(new Error('could not project', { cause: sqlState('57P01') }))?.kind).toBe('away');
  });

  it('takes the word of the event store', () => {
    expect(outageOf(new StoreUnavailable('no leader'))).toEqual({ kind: 'away', reason: 'no leader', ofStore: true });
    expect(outageOf(new StoreSilent(2_000))?.kind).toBe('away');
    expect(outageOf(new RevisionConflict('room-1', NO_STREAM, []))?.kind).toBe('busy');
  });

  it('is nothing for bugs and for what is no error', () => {
    for (const other of [new TypeError('x is not a function'), new RangeError(), 'ECONNREFUSED', null, undefined, {}])
      expect(outageOf(other)).toBeNull();
    const circular: Error & { cause?: unknown } = new Error();
    circular.cause = circular;
    expect(outageOf(circular)).toBeNull();
  });
});

it('while the store is being closed, the same request may succeed later, but nothing is wrong with the server', () => {
  expect(isUnavailable(new StoreClosed())).toBe(true);
  expect(outageOf(new StoreClosed())).toBeNull();
});
