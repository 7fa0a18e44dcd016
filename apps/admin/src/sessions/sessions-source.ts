import type { OwnedSession } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** All sessions or, with the filter `user`, those of one person. Newest first. */
export const sessionSource: Source<OwnedSession> = {
  list: (client, { filter: { user }, limit, cursor }) =>
    client.call('listAllSessions', { query: { user, limit, cursor } }),
};
