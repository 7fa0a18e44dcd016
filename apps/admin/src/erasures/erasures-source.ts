import type { Erasure } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** Erasures, the one requested last first. */
export const erasureSource: Source<Erasure> = {
  list: (client, { limit, cursor }) => client.call('listErasures', { query: { limit, cursor } }),
  one: (client, id) => client.call('getErasure', { params: { id } }),
};
