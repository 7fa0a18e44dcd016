import { userStream } from '@verbatim/domain';
import { type KeyRing, ownKeyName } from '@verbatim/event-store';

/** The own key of a room or an account. Once it is destroyed, what it sealed cannot be opened. */
export async function ownKey(keys: KeyRing, stream: string): Promise<Buffer> {
  const name = ownKeyName(stream);
  const key = (await keys.obtain([name])).get(name);
  if (!key) throw new Error(`There is no key ${name}.`);
  return key;
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
