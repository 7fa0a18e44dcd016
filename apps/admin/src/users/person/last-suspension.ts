import type { Client } from '@verbatim/client';

/** How many of the newest events are searched for the suspension: a suspended account causes few. */
const LATEST = 200;

export interface Suspension {
  readonly at: string;
  /** Username; null: the service. */
  readonly by: string | null;
  readonly reason: string | null;
}

/** Who suspended a person, when and why; null if that is too long ago to be found. */
export async function lastSuspension(client: Client, id: string): Promise<Suspension | null> {
  const read = (from: number, limit: number) =>
    client.call('listUserEvents', { params: { id }, query: { from, limit } });
  const { page } = await read(0, 1);
  const { items } = await read(Math.max(0, (page.total ?? 0) - LATEST), LATEST);
  for (const { type, data, at, actor } of items.toReversed())
    if (type === 'UserSuspended') return { at, by: actor?.username ?? null, reason: data.reason ?? null };
  return null;
}
