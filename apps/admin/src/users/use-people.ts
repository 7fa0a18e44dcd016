import type { User } from '@verbatim/protocol';
import { useGetMany } from 'react-admin';
import { untilAnswered } from '../service/queries';
import { nameOf } from './name-of';

/** Names of people by id; `known` is used until they are loaded, and for people who are not found. */
export function usePeople(ids: readonly string[]): (id: string, known?: string) => string {
  const { data } = useGetMany<User>(
    'users',
    { ids: [...new Set(ids)].sort() },
    { ...untilAnswered, enabled: ids.length > 0, staleTime: 300_000 },
  );
  const names = new Map(data?.flatMap((user) => (user ? [[user.id, nameOf(user)] as const] : [])));
  return (id, known) => names.get(id) ?? known ?? '–';
}
