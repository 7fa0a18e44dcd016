import { unit } from '../../host/part.js';
import { Presence } from '../../live/presence/presence.js';

/** Exchanges with the other replicas who follows which room and who is typing. Without it each replica knows its own. */
export const presenceUnit = unit({
  name: 'presence',
  open(application) {
    const presence = application.get(Presence);
    let started = false;
    return {
      start() {
        started = true;
        presence.start();
      },
      close: () => (started ? presence.stop() : undefined),
    };
  },
});
