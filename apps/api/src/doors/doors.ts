import type { Door } from '../host/part.js';
import { chitchatDoor } from './chitchat/chitchat-door.js';
import { incomingWebhooksDoor } from './incoming-webhooks/incoming-webhooks-door.js';
import { pagesDoor } from './pages/pages-door.js';
import { restDoor } from './rest/rest-door.js';
import { webSocketDoor } from './websocket/websocket-door.js';

/** All doors, one line each. */
export const doors: readonly Door[] = [restDoor, webSocketDoor, incomingWebhooksDoor, pagesDoor, chitchatDoor];
