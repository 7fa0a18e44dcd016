import type { EventType } from '@verbatim/domain';

type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

/**
 * How the data of an earlier schema becomes that of the next one: `upcasters.MessagePosted[1]` takes schema 1 to 2.
 * Stored events are never rewritten; they are read as if they had always had today's shape.
 */
export const upcasters: Partial<Record<EventType, Record<number, Upcaster>>> = {};

/** The schema under which events of this type are recorded today. */
export function schemaOf(
  type: string,
  table: Readonly<Record<string, Record<number, Upcaster> | undefined>> = upcasters,
): number {
  return 1 + Object.keys(table[type] ?? {}).length;
}

/** Brings data from the schema it was recorded under to today's. */
export function upcast(
  type: string,
  schema: number,
  data: Record<string, unknown>,
  table: Readonly<Record<string, Record<number, Upcaster> | undefined>> = upcasters,
): Record<string, unknown> {
  let current = data;
  for (let from = schema; ; from++) {
    const step = table[type]?.[from];
    if (!step) return current;
    current = step(current);
  }
}
