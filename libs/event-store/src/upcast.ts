import type { EventType } from '@verbatim/domain';

type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

/**
 * How the data of an earlier schema becomes that of the next one: `upcasters.MessagePosted[1]` takes schema 1 to 2.
 * Stored events are never rewritten; they are read as if they had always had today's shape.
 */
export const upcasters: Partial<Record<EventType, Record<number, Upcaster>>> = {
  UserRegistered: { 1: nameWebhookBot },
};

/** Bots of incoming webhooks were recorded as bots of administrators once, under usernames that nobody else would choose. */
function nameWebhookBot(data: Record<string, unknown>): Record<string, unknown> {
  const isWebhookBot = data.origin === 'bot' && /^hook-[0-9a-f]{12}$/.test(String(data.username));
  return isWebhookBot ? { ...data, origin: 'webhook' } : data;
}

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
