import type { Attack } from './attack.testing.js';
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

/** Every attack that the service is tested against, alone and all at once. */
export const allAttacks: readonly Attack[] = [
  ...[pingFlood, smallPingFlood, pongFlood, emptyFrameFlood, fragmentFlood, fragmentedMessages, closeStorm],
  ...[unreadDocuments, unreadPages, pipelinedRequests, unreadHistory],
  ...[halfHeads, halfBodies, halfClosed, idleConnections],
];
