import type { OwnedSession } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** The sessions of everybody or, with the filter `user`, of one person; the latest first. */
export const sessionSource: Source<OwnedSession> = {
  list: (client, { filter: { user }, limit, cursor }) =>
    client.call('listAllSessions', { query: { user, limit, cursor } }),
};
