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
  if (count > MOST) throw new RangeError(`${count} is too many; use node:crypto.`);
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + count));
  pool.fill(0, used, used + count);
  used += count;
  return bytes;
}
