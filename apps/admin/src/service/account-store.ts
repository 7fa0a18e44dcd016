import type { Client } from '@verbatim/client';
import type { Store } from 'react-admin';

/** Columns, saved queries, colours and language: preferences that follow people wherever they sign in. */
const KEPT = /^(\w+\.(savedQueries|datatable(_columnRanks)?)|theme|locale)$/;
/** Milliseconds to collect further changes before all are sent. */
const PAUSE = 300;

/**
 * The store of react-admin, of which that part is kept with the account. It is read when somebody signs in, and sent
 * when it changes; what the browser keeps is emptied when they sign out, as before.
 */
export function accountStore(local: Store, client: Client): Store {
  let kept: Record<string, unknown> = {};
  let reader: string | null = null;
  /** What is kept has been read, so that sending it takes nothing away. */
  let known = false;
  let sending: ReturnType<typeof setTimeout> | undefined;

  const read = async (userId: string) => {
    reader = userId;
    known = false;
    kept = {};
    try {
      const found = parse((await client.call('getPreferences')).preferences);
      // A person who signed in since then has other preferences, and later changes are newer.
      if (reader !== userId) return;
      for (const [key, value] of Object.entries({ ...found, ...kept })) local.setItem(key, value);
      const changed = Object.keys(kept).length > 0;
      kept = { ...found, ...kept };
      known = true;
      if (changed) send();
    } catch {
      // The preferences in the browser are good enough to continue.
    }
  };
  const send = () => {
    if (!known) return;
    client.call('keepPreferences', { body: { preferences: JSON.stringify(kept) } }).catch(() => undefined);
  };
  const attend = () => {
    const userId = client.user?.id ?? null;
    if (userId && userId !== reader) void read(userId);
    if (!userId) {
      reader = null;
      known = false;
      clearTimeout(sending);
    }
  };
  client.on('session', attend);
  attend();

  return {
    ...local,
    setItem(key, value) {
      local.setItem(key, value);
      if (!reader || !KEPT.test(key)) return;
      kept = { ...kept, [key]: value };
      clearTimeout(sending);
      sending = setTimeout(send, PAUSE);
    },
  };
}

function parse(preferences: string): Record<string, unknown> {
  if (preferences === '') return {};
  const found = JSON.parse(preferences) as unknown;
  const entries = found && typeof found === 'object' ? Object.entries(found) : [];
  return Object.fromEntries(entries.filter(([key]) => KEPT.test(key)));
}
