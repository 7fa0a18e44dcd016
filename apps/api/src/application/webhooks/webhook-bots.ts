import { Injectable } from '@nestjs/common';
import { isRejection, type Rejection, reject, type UserState, webhookBotUsername } from '@verbatim/domain';
import { botsWithoutWebhook, isNameOfPerson } from '@verbatim/projections';
import { Time } from '../../clock.js';
import { limited } from '../../limits/limited.js';
import { newId } from '../../new-id.js';
import { ReadModels } from '../../storage/read-models.js';
import { MAX_BOTS, MAX_BOTS_EVER, WebhookBotLedger } from '../../storage/vault/webhook-bots.js';
import { Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { AccountOpener } from '../accounts/account-opener.js';

type UserDecided = Decided<UserState>;

/** Age below which the webhook of a bot may not have been added yet. */
const BEING_ADDED_MS = 10 * 60_000;
/** Bots deactivated in one sweep. */
const SWEEP_LIMIT = 1_000;

/** The accounts that post for incoming webhooks. Each is created for one webhook and deactivated with it. */
@Injectable()
export class WebhookBots {
  constructor(
    private readonly users: Users,
    private readonly accounts: AccountOpener,
    private readonly ledger: WebhookBotLedger,
    private readonly readModels: ReadModels,
    private readonly time: Time,
  ) {}

  /** Registers a bot owned by `owner`. It cannot have a person's name. */
  async register(botId: string, name: string, owner: string, context: Context): Promise<UserDecided | Rejection> {
    const closed = this.accounts.refusal('webhook', null);
    if (closed) return closed;
    if (await isNameOfPerson(this.readModels.db, name)) return nameOfPerson;
    const tooMany = await this.ledger.enter(botId, owner);
    if (tooMany?.tooMany === 'lately') return limited(tooMany.retryAfterMs);
    if (tooMany) return tooMany.tooMany === 'ever' ? tooManyEver : tooManyNow;
    const account = { username: webhookBotUsername(botId), displayName: name, email: null, password: null } as const;
    const registered = await this.accounts.open(botId, { ...account, role: 'user', origin: 'webhook' }, context);
    if (isRejection(registered) && registered.rejected !== 'Unavailable') await this.ledger.strike(botId);
    return registered;
  }

  /** Deactivates a bot for good; idempotent. */
  async deactivate(botId: string, context: Context): Promise<UserDecided | Rejection> {
    const deactivated = await this.users.send(botId, { type: 'DeactivateUser', actor: null }, context);
    if (!isRejection(deactivated)) await this.ledger.noteEnd(botId);
    return deactivated;
  }

  /** Deactivates several bots. Returns the position after which a reader sees the effect of all; -1 for none. */
  async deactivateAll(botIds: readonly string[], context: Context): Promise<bigint> {
    // Without webhooks they can no longer post. Bots that cannot be deactivated now are left to the sweep.
    const outcomes = await Promise.allSettled(botIds.map((botId) => this.deactivate(botId, context)));
    return outcomes.reduce((latest, outcome) => {
      const done = outcome.status === 'fulfilled' && !isRejection(outcome.value) ? outcome.value.position : -1n;
      return done > latest ? done : latest;
    }, -1n);
  }

  /** Deactivates bots that outlived their webhook, left by a crash or by a release in which bots did not end with it. */
  async sweep(): Promise<void> {
    const addedBefore = new Date(this.time.now().getTime() - BEING_ADDED_MS).toISOString();
    const left = await botsWithoutWebhook(this.readModels.db, addedBefore, SWEEP_LIMIT);
    for (const botId of left) await this.deactivate(botId, { correlation: newId() });
  }
}

const nameOfPerson = reject('NameTaken', 'A person has this name. Choose another for the webhook.');
const tooManyNow = reject('Conflict', `You already have ${MAX_BOTS} incoming webhooks. Remove one first.`);
const tooManyEver = reject(
  'Conflict',
  `You have created ${MAX_BOTS_EVER} incoming webhooks, which is the limit. Someone else can add this one.`,
);
