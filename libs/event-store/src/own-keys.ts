import { userStream } from '@verbatim/domain';
import { openText, ownKeyName } from './envelope.js';
import type { KeyRing } from './key-ring.js';

/** The own key of a room or an account, to seal with: it is created if there is none. */
export async function ownKey(keys: KeyRing, stream: string): Promise<Buffer> {
  const name = ownKeyName(stream);
  const key = (await keys.obtain([name])).get(name);
  if (!key) throw new Error(`There is no key ${name}.`);
  return key;
}

/** Opens what the own key of a room or an account has sealed; null when that was destroyed. Creates no key. */
export async function openOwn(
  keys: KeyRing,
  stream: string,
  sealed: string,
  associated: string,
): Promise<string | null> {
  const name = ownKeyName(stream);
  const key = (await keys.find([name])).get(name);
  return key ? openText(sealed, key, associated) : null;
}

/** The own keys of these accounts, by id: `find` omits destroyed ones, `obtain` creates missing ones. */
export async function ownKeysOf(
  keys: KeyRing,
  userIds: Iterable<string>,
  how: 'find' | 'obtain',
): Promise<ReadonlyMap<string, Buffer>> {
  const names = new Map([...new Set(userIds)].map((id) => [ownKeyName(userStream(id)), id]));
  const found = await keys[how]([...names.keys()]);
  return new Map([...found].map(([name, key]) => [names.get(name) ?? '', key]));
}
