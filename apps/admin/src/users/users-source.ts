import type { User } from '@verbatim/protocol';
import { sensitive } from '../service/proof';
import type { Source } from '../service/source';
import { midnight } from '../words/midnight';

export const userSource: Source<User> = {
  list(client, { filter, sort, ...page }) {
    const field = sort?.field === 'createdAt' ? ('createdAt' as const) : ('username' as const);
    return client.call('listUsers', {
      query: { ...usersWanted(filter), sort: field, order: sort?.order ?? 'asc', ...page },
    });
  },
  one: (client, id) => client.call('getUser', { params: { id } }),
  async many(client, ids) {
    return (await client.call('listUsers', { query: { ids: ids.join(','), limit: 100 } })).items;
  },
  async change(client, id, { displayName, email, role, suspended }) {
    // An address is sent only if it was changed, because setting it confirms it. An empty field removes it.
    const address = email === undefined ? {} : { email: email || null };
    const body = { ...(displayName && { displayName }), ...address, role, suspended };
    await sensitive(() => client.call('changeUser', { params: { id }, body }));
    // Some fields are in the answers of reads only, not of writes.
    return client.call('getUser', { params: { id } });
  },
};

/** The filters of the list as the query of the API. */
export function usersWanted(filter: Readonly<Record<string, string | undefined>>) {
  const { q, role, status, bot, secondFactor } = filter as Record<string, never>;
  const { createdFrom, createdBefore, signedInFrom, signedInBefore } = filter;
  return {
    q,
    role,
    status,
    bot,
    secondFactor,
    createdFrom: midnight(createdFrom),
    createdBefore: midnight(createdBefore),
    signedInFrom: midnight(signedInFrom),
    signedInBefore: midnight(signedInBefore),
  };
}
