/** How deeply arrays and objects of a body or a frame may be nested. Ours are flat. */
const MAX_LEVELS = 32;

/** Whether parsed JSON is safe to use: it can be nested too deeply for recursion, and have numbers beyond a double. */
export function isPlain(value: unknown, levels = MAX_LEVELS): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  // Parsed JSON has no inherited enumerable properties.
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], levels - 1)) return false;
  return true;
}
