import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;
const MOST = 64;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/**
 * A few random bytes from the system's cryptographic generator. It is asked for many at a time, because a
 * call costs as much as the sealing of an event. No byte is given out twice. Throws RangeError above 64.
 */
export function fewRandomBytes(count: number): Buffer {
  const start = take(count);
  const bytes = Buffer.from(pool.subarray(start, used));
  pool.fill(0, start, used);
  return bytes;
}

/** The same as a text of two hexadecimal digits for each byte. */
export function fewRandomDigits(count: number): string {
  const start = take(count);
  const digits = pool.toString('hex', start, used);
  pool.fill(0, start, used);
  return digits;
}

/** Returns where so many unused bytes start in the pool; they end at `used`. */
function take(count: number): number {
  if (count > MOST) throw new RangeError(`${count} is too many; use node:crypto.`);
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return used - count;
}
