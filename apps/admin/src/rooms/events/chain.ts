import type { StoredEvent } from '@verbatim/protocol';

/** The revision of the first event whose hash does not fit its sealed text or the event before it; null: all fit. */
export async function breakIn(
  events: readonly Pick<StoredEvent, 'revision' | 'sealed' | 'prev' | 'hash'>[],
): Promise<number | null> {
  let before: string | null = null;
  for (const { revision, sealed, prev, hash } of events) {
    if (before !== null && prev !== before) return revision;
    // Events that this reader may not see have no text; only their place in the chain can be checked.
    if (sealed !== null && (await sha256(sealed)) !== hash) return revision;
    before = hash;
  }
  return null;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
