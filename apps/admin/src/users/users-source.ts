import type { User } from '@verbatim/protocol';
import type { Source } from '../service/source';

export const userSource: Source<User> = {
  list(client, { filter, sort, ...page }) {
    const { q, role, status } = filter as Record<string, never>;
    const field = sort?.field === 'createdAt' ? ('createdAt' as const) : ('username' as const);
    return client.call('listUsers', { query: { q, role, status, sort: field, order: sort?.order ?? 'asc', ...page } });
  },
  one: (client, id) => client.call('getUser', { params: { id } }),
  change(client, id, { displayName, role, suspended }) {
    const body = { ...(displayName && { displayName }), role, suspended };
    return client.call('changeUser', { params: { id }, body });
  },
};
