import { unit } from '../../host/part.js';
import { Presence } from '../../live/presence/presence.js';

/** Shares followers and typing with the other replicas. Without it each replica knows only its own. */
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
