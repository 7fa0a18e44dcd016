import type { Door } from '../host/part.js';
import { auditLogDoor } from './audit-log/audit-log-door.js';
import { chatableDoor } from './chatable/chatable-door.js';
import { chattDoor } from './chatt/chatt-door.js';
import { chitchatDoor } from './chitchat/chitchat-door.js';
import { incomingWebhooksDoor } from './incoming-webhooks/incoming-webhooks-door.js';
import { makechatDoor } from './makechat/makechat-door.js';
import { pagesDoor } from './pages/pages-door.js';
import { restDoor } from './rest/rest-door.js';
import { sfchatDoor } from './sfchat/sfchat-door.js';
import { webSocketDoor } from './websocket/websocket-door.js';

/** All doors, one line each. */
export const doors: readonly Door[] = [
  restDoor,
  webSocketDoor,
  incomingWebhooksDoor,
  auditLogDoor,
  pagesDoor,
  makechatDoor,
  chatableDoor,
  chitchatDoor,
  sfchatDoor,
  chattDoor,
];
