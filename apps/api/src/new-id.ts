import { fewRandomBytes } from '@verbatim/event-store';

/** A new UUIDv7 (RFC 9562, 5.7): milliseconds since 1970 in 48 bits, the version, and 74 random bits. */
export function newId(): string {
  const random = fewRandomBytes(10);
  // The two highest bits are the variant.
  random[2] = 0x80 | ((random[2] as number) & 0x3f);
  const digits = random.toString('hex');
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-${digits.slice(4, 8)}-${digits.slice(8)}`;
}
