/** Every `$ref` in a document. */
export function referencesIn(document: unknown): string[] {
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value] : referencesIn(value),
  );
}

/** What a reference within the document leads to, through further references; undefined if it leads nowhere. */
export function resolve(document: unknown, target: unknown): unknown {
  const reference = typeof target === 'string' ? target : (target as { $ref?: string } | undefined)?.$ref;
  if (reference === undefined) return target;
  if (!reference.startsWith('#/')) return undefined;
  const steps = reference.slice(2).split('/');
  const found = steps.reduce<unknown>(
    (place, step) => (place as Record<string, unknown> | undefined)?.[step],
    document,
  );
  return resolve(document, found);
}
