import type { Attack } from './attack.testing.js';
import { chitchatNoise, chitchatPings, mqttNoise, mqttPings } from './door-floods.testing.js';
import {
  closeStorm,
  emptyFrameFlood,
  fragmentedMessages,
  fragmentFlood,
  pingFlood,
  pongFlood,
  smallPingFlood,
} from './frame-floods.testing.js';
import { halfBodies, halfClosed, halfHeads } from './half-open-requests.testing.js';
import { idleConnections } from './idle-connections.testing.js';
import { unreadHistory } from './unread-history.testing.js';
import { pipelinedRequests, unreadDocuments, unreadPages } from './unread-responses.testing.js';

/** Attacks by what they exhaust. */
export const attackGroups: Readonly<Record<string, readonly Attack[]>> = {
  'floods of frames': [
    pingFlood,
    smallPingFlood,
    pongFlood,
    emptyFrameFlood,
    fragmentFlood,
    fragmentedMessages,
    closeStorm,
  ],
  'floods at other doors': [chitchatPings, chitchatNoise, mqttPings, mqttNoise],
  'responses that nobody reads': [unreadDocuments, unreadPages, pipelinedRequests, unreadHistory],
  'connections that never finish': [halfHeads, halfBodies, halfClosed, idleConnections],
};

/** Every attack that the service is tested against. */
export const allAttacks: readonly Attack[] = Object.values(attackGroups).flat();
