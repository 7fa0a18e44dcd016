/** Arrays and objects of a body or a frame that may lie in one another. Ours are flat. */
const MAX_LEVELS = 32;

/** Whether parsed JSON is fit to work with: it can be nested deeper than a stack, and its numbers larger than a double. */
export function isPlain(value: unknown, levels = MAX_LEVELS): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  // Parsed JSON inherits nothing that could be enumerated.
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], levels - 1)) return false;
  return true;
}
