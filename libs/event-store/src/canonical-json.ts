/**
 * The canonical JSON text of a value by RFC 8785: keys sorted by UTF-16 code units, no white space, numbers and strings
 * as ECMAScript writes them. Takes plain data without lone surrogates; properties that are undefined are left out.
 * Throws for what JSON cannot represent, such as NaN, rather than let it become something else.
 */
export function canonicalJson(value: unknown): string {
  return isInOrder(value) ? JSON.stringify(value) : inOrder(value);
}

/** Whether `JSON.stringify` writes it in this form, which it does at once. Most data is made with its keys in order. */
function isInOrder(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.every(isInOrder);
  let before = '';
  for (const key in value) {
    if (key < before || !isInOrder((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}

function inOrder(value: unknown): string {
  if (value === null || typeof value !== 'object') return primitive(value);
  if (Array.isArray(value)) return `[${value.map(inOrder).join(',')}]`;
  const object = value as Record<string, unknown>;
  const present = Object.keys(object).filter((key) => object[key] !== undefined);
  return `{${present
    .sort()
    .map((key) => `${JSON.stringify(key)}:${inOrder(object[key])}`)
    .join(',')}}`;
}

function primitive(value: unknown): string {
  const text = typeof value === 'number' && !Number.isFinite(value) ? undefined : JSON.stringify(value);
  if (text === undefined) throw new TypeError(`There is no JSON for ${String(value)}.`);
  return text;
}
