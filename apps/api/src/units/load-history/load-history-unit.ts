import { unit } from '../../host/part.js';
import { totalOf } from '../../live/load-here.js';
import { Presence } from '../../live/presence/presence.js';
import { LoadHistory } from '../../storage/desk/load-history.js';
import { LOG } from '../../storage/tokens.js';

/** Records how many people are connected, for the chart of the overview. */
export const loadHistoryUnit = unit({
  name: 'load-history',
  open(application) {
    const [history, presence] = [application.get(LoadHistory), application.get(Presence)];
    return {
      start: () => history.start(() => totalOf(presence.loads.values()), application.get(LOG)),
      drain: () => history.stop(),
    };
  },
});
