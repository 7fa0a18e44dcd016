import { fewRandomDigits } from '@verbatim/event-store';

/** A new UUIDv7 (RFC 9562, 5.7): milliseconds since 1970 in 48 bits, the version, and 74 random bits. */
export function newId(): string {
  const random = fewRandomDigits(10);
  // The two highest of these 16 bits are the variant.
  const variant = 0x8000 | (Number.parseInt(random.slice(0, 4), 16) & 0x3fff);
  return `${timeDigits(Date.now())}-7${random.slice(4, 7)}-${variant.toString(16)}-${random.slice(8)}`;
}

let latest = { time: -1, digits: '' };

/** The time as the first two groups of an id; many are made in one millisecond. */
function timeDigits(time: number): string {
  if (time !== latest.time) {
    const digits = time.toString(16).padStart(12, '0');
    latest = { time, digits: `${digits.slice(0, 8)}-${digits.slice(8)}` };
  }
  return latest.digits;
}
