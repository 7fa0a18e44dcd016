import { type Client, type SavedSession, type SharedSession } from '@verbatim/client';

const KEY = 'verbatim.session';

/**
 * The session of this browser, which all its tabs share. A refresh token is good once, and using it again ends the session,
 * so the tabs take turns at renewing it.
 */
export const sharedSession: SharedSession = {
  read: () => read(),
  exclusively: (work) => {
    // Browsers give locks to secure origins only. Elsewhere two tabs may renew at the same moment, which the service answers
    // alike for ten seconds.
    const { locks } = navigator;
    return locks ? locks.request(KEY, work) : work();
  },
};

/** Keeps the session over a reload, and shares it with the other tabs of this browser. */
export function keepSession(client: Client): void {
  const kept = read();
  if (kept) client.restore(kept);
  let held = kept?.refreshToken ?? null;
  client.on('session', (session) => {
    if (session) {
      held = session.refreshToken;
      if (read()?.refreshToken !== held) localStorage.setItem(KEY, JSON.stringify(session));
      return;
    }
    // A newer session from another tab stays.
    if (read()?.refreshToken === held) localStorage.removeItem(KEY);
    held = null;
  });
  addEventListener('storage', ({ key, storageArea }) => {
    if (storageArea === localStorage && (key === KEY || key === null)) follow(client);
  });
}

/** Follows another tab that signed in, signed out, or renewed the session. */
function follow(client: Client): void {
  const kept = read();
  const before = client.savedSession;
  if (kept === null) client.forget();
  else if (before === null || before.user.id !== kept.user.id) {
    // Nothing that was shown to another person may stay.
    client.restore(kept);
    location.reload();
  } else if (before.refreshToken !== kept.refreshToken) client.restore(kept);
}

function read(): SavedSession | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as SavedSession | null;
    return kept && typeof kept.refreshToken === 'string' && typeof kept.user?.id === 'string' ? kept : null;
  } catch {
    return null;
  }
}
