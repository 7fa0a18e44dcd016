import { happenedAt, nameKey, parseStream } from '@verbatim/domain';

/** A text as PostgreSQL can hold it: NUL and lone surrogates, which no door lets in, become U+FFFD. */
export function textValue(value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  const text = value.isWellFormed() ? value : value.toWellFormed();
  return text.includes('\u0000') ? text.replaceAll('\u0000', '\uFFFD') : text;
}

/** A text that is part of an index. Cut, because PostgreSQL refuses index entries beyond 2,700 bytes. */
export function keyValue(value: string | null | undefined): string {
  const text = textValue(value) ?? '';
  return text.length <= 200 ? text : text.slice(0, 200).toWellFormed();
}

/** The key under which a name is found. */
export const nameKeyValue = (name: string | null | undefined): string | null =>
  name === null || name === undefined ? null : keyValue(nameKey(name));

/** When an event took place, as RFC 3339. A time that PostgreSQL could not take falls back to when it was recorded. */
export function timeValue(event: { at: string; occurredAt?: string }): string {
  const happened = happenedAt(event);
  if (PLAIN_TIME.test(happened)) return happened;
  for (const candidate of [happened, event.at]) {
    const time = Date.parse(candidate);
    if (time >= EARLIEST && time <= LATEST) return new Date(time).toISOString();
  }
  return new Date(0).toISOString();
}
/** How the service itself writes times. All of these are valid dates, so they need no parsing; only 29 February does. */
const PLAIN_TIME = new RegExp(
  '^(?!0000)\\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)' +
    'T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z$',
);
const EARLIEST = Date.parse('0001-01-01T00:00:00.000Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/** Id of the room or user whose stream holds the event. */
export const entityId = (event: { stream: string }): string => keyValue(parseStream(event.stream).id);

export type ArrayElement = string | number | null;

/** One column of many rows, as a parameter for `unnest`. */
export function column<K extends string>(rows: readonly { readonly [N in K]: ArrayElement }[], name: K): string {
  const texts = new Array<string>(rows.length);
  for (let i = 0; i < rows.length; i++) texts[i] = elementText((rows[i] as { readonly [N in K]: ArrayElement })[name]);
  return `{${texts.join(',')}}`;
}

/**
 * An array in PostgreSQL's own notation. What postgres.js does with arrays is slower, and needs a look at the types of
 * the database on every new connection.
 */
export const arrayValue = (elements: readonly ArrayElement[]): string => `{${elements.map(elementText).join(',')}}`;

function elementText(element: ArrayElement): string {
  if (element === null) return 'NULL';
  if (typeof element === 'number') return `${element}`;
  if (UNQUOTED.test(element)) return element;
  return `"${ESCAPED.test(element) ? element.replace(/["\\]/g, '\\$&') : element}"`;
}
/** Numbers, times and most ids, which are most of what is written. */
const UNQUOTED = /^\d[\w:.-]*$/;
const ESCAPED = /["\\]/;

/** A column of a result as RFC 3339 with milliseconds. */
export const timeOf = (value: Date | string): string => new Date(value).toISOString();
