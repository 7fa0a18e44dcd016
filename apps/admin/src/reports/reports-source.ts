import type { Report } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** Reports of all rooms, the oldest first; the filter `status` is `open` or `settled`. */
export const reportSource: Source<Report> = {
  list(client, { filter, limit, cursor }) {
    const { status } = filter as Record<string, never>;
    return client.call('listReports', { query: { status, limit, cursor } });
  },
};
