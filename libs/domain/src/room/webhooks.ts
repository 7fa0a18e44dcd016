import type { Actor, Decision, Erasable, Happened, NewFact } from '../decider.js';
import { nameKey, nameProblem } from '../names.js';
import { type Rejection, reject } from '../rejection.js';
import { limits } from '../text.js';
import type { ModeratedRoom } from './moderation.js';
import { isLastOwner, lastOwner, roomClosed } from './rights.js';

/** Webhooks of each of the two kinds that a room may have. */
export const MOST_WEBHOOKS = 20;

// Events ------------------------------------------------------------------------------------------------------------

/**
 * Events of a room are sent to an external URL. The event contains only the host; `urlId` and `secretId` refer to the
 * URL and the signing secret in the vault.
 */
export type WebhookAdded = Happened<
  'WebhookAdded',
  {
    readonly webhookId: string;
    readonly host: Erasable;
    readonly urlId: string;
    readonly secretId: string;
    /** Types of the events that are sent. */
    readonly events: readonly string[];
  }
>;
/** Why nothing is sent: someone paused it, its owner lost permission, the receiver is gone, or it has failed for days. */
export type WebhookStop = 'paused' | 'owner_gone' | 'receiver_gone' | 'failing';
/** Contains only the changed fields. `stopped: null`: sending continues. */
export type WebhookChanged = Happened<
  'WebhookChanged',
  { readonly webhookId: string; readonly stopped?: WebhookStop | null } & Partial<
    Pick<WebhookAdded['data'], 'host' | 'urlId' | 'secretId' | 'events'>
  >
>;
export type WebhookRemoved = Happened<'WebhookRemoved', { readonly webhookId: string }>;
/** A URL at which programs post to the room, as a bot. */
export type IncomingWebhookAdded = Happened<
  'IncomingWebhookAdded',
  { readonly webhookId: string; readonly botId: string; readonly name: Erasable }
>;
export type IncomingWebhookRemoved = Happened<'IncomingWebhookRemoved', { readonly webhookId: string }>;

export type WebhookEvent =
  | WebhookAdded
  | WebhookChanged
  | WebhookRemoved
  | IncomingWebhookAdded
  | IncomingWebhookRemoved;

// State -------------------------------------------------------------------------------------------------------------

export interface Webhook {
  readonly host: Erasable;
  readonly urlId: string;
  readonly secretId: string;
  readonly events: readonly string[];
  readonly stopped: WebhookStop | null;
  /** The person who added or last changed it. It sends as long as this person may have webhooks here. */
  readonly by: string;
  readonly createdAt: string;
  /** Only events after this revision are sent. */
  readonly since: number;
}

export interface IncomingWebhook {
  readonly botId: string;
  readonly name: Erasable;
  readonly by: string;
  readonly createdAt: string;
}

export interface Webhooks {
  readonly webhooks: Readonly<Record<string, Webhook>>;
  readonly incomingWebhooks: Readonly<Record<string, IncomingWebhook>>;
}

/** The part of a room's state that webhooks depend on. */
interface RoomWithWebhooks extends Webhooks, ModeratedRoom {}

export const noWebhooks: Webhooks = { webhooks: {}, incomingWebhooks: {} };

export function evolveWebhooks({ webhooks, incomingWebhooks }: Webhooks, event: WebhookEvent): Partial<Webhooks> {
  const { webhookId } = event.data;
  switch (event.type) {
    case 'WebhookAdded': {
      const { host, urlId, secretId, events } = event.data;
      const made = { by: event.actor ?? '', createdAt: event.at, since: Number(event.revision) };
      return { webhooks: { ...webhooks, [webhookId]: { host, urlId, secretId, events, stopped: null, ...made } } };
    }
    case 'WebhookChanged': {
      const before = webhooks[webhookId];
      return before ? { webhooks: { ...webhooks, [webhookId]: changedWebhook(before, event) } } : {};
    }
    case 'WebhookRemoved':
      return { webhooks: without(webhooks, webhookId) };
    case 'IncomingWebhookAdded': {
      const { botId, name } = event.data;
      const added = { botId, name, by: event.actor ?? '', createdAt: event.at };
      return { incomingWebhooks: { ...incomingWebhooks, [webhookId]: added } };
    }
    case 'IncomingWebhookRemoved':
      return { incomingWebhooks: without(incomingWebhooks, webhookId) };
  }
}

function changedWebhook(before: Webhook, { data, actor, revision }: WebhookChanged): Webhook {
  const { webhookId: _, ...changes } = data;
  // Events from while it was paused are not sent later.
  const goesOn = changes.stopped === null && (before.stopped === 'paused' || before.stopped === 'owner_gone');
  return {
    ...before,
    ...changes,
    ...(changes.stopped && changes.stopped !== 'paused' ? {} : { by: actor ?? before.by }),
    ...(goesOn && { since: Number(revision) }),
  };
}

function without<T>(entries: Readonly<Record<string, T>>, id: string): Readonly<Record<string, T>> {
  const { [id]: _, ...others } = entries;
  return others;
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor;
  readonly webhookId: string;
}

export type AddWebhook = By & { readonly type: 'AddWebhook' } & Omit<WebhookAdded['data'], 'webhookId' | 'host'> & {
    readonly host: string;
  };
export type ChangeWebhook = By & {
  readonly type: 'ChangeWebhook';
  readonly host?: string;
  readonly urlId?: string;
  readonly secretId?: string;
  readonly events?: readonly string[];
  readonly active?: boolean;
};
/** By the service itself, when nothing can or may be sent. */
export type StopWebhook = By & { readonly type: 'StopWebhook'; readonly cause: Exclude<WebhookStop, 'paused'> };
export type RemoveWebhook = By & { readonly type: 'RemoveWebhook' };
/** The bot becomes a member of the room. */
export type AddIncomingWebhook = By & {
  readonly type: 'AddIncomingWebhook';
  readonly botId: string;
  readonly name: string;
};
export type RemoveIncomingWebhook = By & { readonly type: 'RemoveIncomingWebhook' };

export type WebhookCommand =
  | AddWebhook
  | ChangeWebhook
  | StopWebhook
  | RemoveWebhook
  | AddIncomingWebhook
  | RemoveIncomingWebhook;

export const isWebhookCommand = (command: { type: string }): command is WebhookCommand =>
  command.type.endsWith('Webhook');

// Decisions ---------------------------------------------------------------------------------------------------------

/** The bot of an incoming webhook is created and removed with it. */
type BotJoined = Happened<'MemberJoined', { readonly userId: string; readonly role: 'member' }>;
type BotRemoved = Happened<'MemberRemoved', { readonly userId: string; readonly reason: null }>;
type WebhookFact = WebhookEvent | BotJoined | BotRemoved;
type WebhookDecision = Decision<WebhookFact>;

/** `refused`: why this person may have no webhooks here, or null. */
export function decideWebhook(
  command: WebhookCommand,
  state: RoomWithWebhooks,
  refused: Rejection | null,
): WebhookDecision {
  if (command.type === 'StopWebhook') return stop(command, state);
  if (refused) return refused;
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room has no webhooks.');
  switch (command.type) {
    case 'AddWebhook':
      return add(command, state);
    case 'ChangeWebhook':
      return change(command, state);
    case 'RemoveWebhook':
      if (!state.webhooks[command.webhookId]) return accept();
      return accept({ type: 'WebhookRemoved', data: { webhookId: command.webhookId } });
    case 'AddIncomingWebhook':
      return addIncoming(command, state);
    case 'RemoveIncomingWebhook':
      return removeIncoming(command, state);
  }
}

const accept = (...events: NewFact<WebhookFact>[]): WebhookDecision => ({ events });

const noSuchWebhook = reject('NotFound', 'There is no such webhook.');
const enough = reject('Conflict', `The room has ${MOST_WEBHOOKS} webhooks of this kind already.`);

function add({ webhookId, host, urlId, secretId, events }: AddWebhook, state: RoomWithWebhooks): WebhookDecision {
  if (state.webhooks[webhookId]) return accept();
  if (state.status === 'closed') return roomClosed;
  if (Object.keys(state.webhooks).length >= MOST_WEBHOOKS) return enough;
  return accept({ type: 'WebhookAdded', data: { webhookId, host, urlId, secretId, events } });
}

function change(command: ChangeWebhook, state: RoomWithWebhooks): WebhookDecision {
  const { webhookId, host, urlId, secretId, events, active } = command;
  const before = state.webhooks[webhookId];
  if (!before) return noSuchWebhook;
  const stopped = active === undefined || active === (before.stopped === null) ? undefined : active ? null : 'paused';
  const wished = { host, urlId, secretId, events: sameTypes(events, before.events) ? undefined : events, stopped };
  const changed = Object.entries(wished).filter(([, value]) => value !== undefined);
  if (changed.length === 0) return accept();
  return accept({ type: 'WebhookChanged', data: { webhookId, ...Object.fromEntries(changed) } });
}

const sameTypes = (some: readonly string[] | undefined, others: readonly string[]): boolean =>
  some !== undefined && some.length === others.length && some.every((type) => others.includes(type));

function stop({ webhookId, cause }: StopWebhook, state: RoomWithWebhooks): WebhookDecision {
  const webhook = state.webhooks[webhookId];
  if (!webhook || webhook.stopped !== null) return accept();
  return accept({ type: 'WebhookChanged', data: { webhookId, stopped: cause } });
}

function addIncoming({ webhookId, botId, name }: AddIncomingWebhook, state: RoomWithWebhooks): WebhookDecision {
  if (state.incomingWebhooks[webhookId]) return accept();
  if (state.status === 'closed') return roomClosed;
  if (Object.keys(state.incomingWebhooks).length >= MOST_WEBHOOKS) return enough;
  if (state.members.get(botId) || state.moderation.bans.get(botId) !== undefined)
    return reject('Conflict', 'The bot of a webhook is new to the room.');
  const problem = nameProblem(name, limits.displayName);
  if (problem) return reject('Invalid', `The name ${problem}.`);
  if (Object.values(state.incomingWebhooks).some((other) => nameKey(other.name ?? '') === nameKey(name)))
    return reject('NameTaken', 'Another webhook of the room has this name.');
  return accept(
    { type: 'IncomingWebhookAdded', data: { webhookId, botId, name } },
    { type: 'MemberJoined', data: { userId: botId, role: 'member' } },
  );
}

function removeIncoming({ webhookId }: RemoveIncomingWebhook, state: RoomWithWebhooks): WebhookDecision {
  const webhook = state.incomingWebhooks[webhookId];
  if (!webhook) return accept();
  const removed = { type: 'IncomingWebhookRemoved', data: { webhookId } } as const;
  if (!state.members.get(webhook.botId)) return accept(removed);
  if (state.status === 'open' && isLastOwner(webhook.botId, state)) return lastOwner;
  return accept(removed, { type: 'MemberRemoved', data: { userId: webhook.botId, reason: null } });
}
