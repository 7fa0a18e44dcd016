import type { OwnedToken } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** All tokens that are good, with the filters `user` and `bot`; the latest first. */
export const tokenSource: Source<OwnedToken> = {
  list: (client, { filter: { user, bot }, limit, cursor }) =>
    client.call('listAllTokens', { query: { user, bot: bot as 'true' | 'false' | undefined, limit, cursor } }),
};
