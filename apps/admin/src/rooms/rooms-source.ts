import type { Room } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** The order of the API for each column that can be sorted by. */
const sorts: Readonly<Record<string, 'createdAt' | 'name' | 'members' | 'activity'>> = {
  createdAt: 'createdAt',
  name: 'name',
  memberCount: 'members',
  activeAt: 'activity',
};

/** Passwords can be set but never read. */
type Written = Partial<Room & { password: string | null }>;

export const roomSource: Source<Room> = {
  list(client, { filter, sort, ...page }) {
    const { q, status, visibility } = filter as Record<string, never>;
    const order = { sort: sorts[sort?.field ?? ''] ?? 'activity', order: sort?.order ?? ('desc' as const) };
    return client.call('listRooms', { query: { q, status, visibility, ...order, ...page } });
  },
  one: (client, id) => client.call('getRoom', { params: { id } }),
  create(client, { name, topic, visibility, history, password }: Written) {
    const body = {
      name: name ?? '',
      topic: topic ?? '',
      visibility: settable(visibility),
      history,
      ...(password && { password }),
    };
    return client.call('createRoom', { body });
  },
  async change(client, id, { name, topic, visibility, history, slowModeSeconds }) {
    const body = {
      ...(name !== undefined && { name: name ?? '' }),
      ...(topic !== undefined && { topic: topic ?? '' }),
      visibility: settable(visibility),
      history,
      slowModeSeconds,
    };
    await client.call('changeRoom', { params: { id }, body });
    return client.call('getRoom', { params: { id } });
  },
};

const settable = (visibility: Room['visibility'] | undefined) => (visibility === 'direct' ? undefined : visibility);
