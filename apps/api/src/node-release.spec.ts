import { describe, expect, it } from 'vitest';
import { nodeWarning } from './node-release.js';

describe('a Node.js past its end of life', () => {
  it.each([
    ['v20.19.0', '2026-11-30T00:00:00Z', '2026-04-30'],
    ['v20.20.2', '2026-05-01T00:00:00Z', '2026-04-30'],
    ['v23.0.0', '2026-01-01T00:00:00Z', '2025-06-01'],
    ['v24.21.0', '2028-05-01T00:00:00Z', '2028-04-30'],
  ])('%s causes a warning on %s', (version, now, end) => {
    expect(nodeWarning(version, new Date(now))).toContain(`Node.js ${version} has had no security fixes since ${end}.`);
  });

  it.each([
    ['v20.19.0', '2026-04-30T23:59:59Z'],
    ['v24.21.0', '2026-11-30T00:00:00Z'],
    ['v26.0.0', '2040-01-01T00:00:00Z'],
  ])('%s causes none on %s', (version, now) => {
    expect(nodeWarning(version, new Date(now))).toBeNull();
  });
});
