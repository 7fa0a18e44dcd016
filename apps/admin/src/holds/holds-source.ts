import type { Hold } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** Holds in force, the one placed last first. */
export const holdSource: Source<Hold> = {
  list: (client, { limit, cursor }) => client.call('listHolds', { query: { limit, cursor } }),
};
