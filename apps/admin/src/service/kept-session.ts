import type { Client, SavedSession } from '@verbatim/client';

const KEY = 'verbatim.session';
/** Milliseconds for which the page that is being left may still hold on to its session. */
const PATIENCE = 1_000;

interface Kept {
  /** Made anew at each signing in, so that a copy of the storage is recognised. */
  readonly tab: string;
  readonly session: SavedSession;
}

/**
 * Keeps the session over a reload, in the storage of this tab. That ends with the tab, and no other tab has it: a refresh
 * token is good once, so two pages that share one would end each other's session. A duplicated tab gets a copy of the
 * storage; it finds the lock taken and starts signed out.
 */
export async function keepSession(client: Client, storage: Storage = sessionStorage): Promise<void> {
  const kept = read(storage);
  let tab: string | null = null;
  if (kept && (await take(kept.tab))) {
    tab = kept.tab;
    client.restore(kept.session);
  } else storage.removeItem(KEY);
  client.on('session', (session) => {
    if (!session) {
      tab = null;
      storage.removeItem(KEY);
      return;
    }
    if (tab === null) {
      tab = `${Date.now()}-${Math.random()}`;
      void take(tab);
    }
    storage.setItem(KEY, JSON.stringify({ tab, session } satisfies Kept));
  });
}

function read(storage: Storage): Kept | null {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? 'null') as Kept | null;
    return kept && typeof kept.tab === 'string' && typeof kept.session?.refreshToken === 'string' ? kept : null;
  } catch {
    return null;
  }
}

/** Holds the lock of a session as long as this page lives. Browsers give locks to secure origins only. */
function take(tab: string): Promise<boolean> {
  const { locks } = navigator;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      return new Promise<never>(() => undefined);
    };
    locks.request(`${KEY} ${tab}`, { signal: AbortSignal.timeout(PATIENCE) }, held).catch(() => resolve(false));
  });
}
