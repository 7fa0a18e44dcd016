/**
 * End of security fixes for the major versions of Node.js that this service runs on
 * (https://github.com/nodejs/release#release-schedule).
 */
const ENDS: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
};

/** A warning for operators if this Node.js, such as `v20.19.0`, is past its end of life; otherwise null. */
export function nodeWarning(version: string, now: Date): string | null {
  const end = ENDS[Number.parseInt(version.replace(/^v/, ''), 10)];
  if (end === undefined || now.toISOString().slice(0, 10) <= end) return null;
  return `Node.js ${version} has had no security fixes since ${end}. It still works here; Node.js 24 is recommended.`;
}
