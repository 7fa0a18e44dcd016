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

/** Age below which a bot without a webhook may be one whose webhook is just being added. */
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

  /** Registers a bot that `owner` answers for. It cannot have the name of a person. */
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

  /** Deactivates a bot for good; repeating it changes nothing. */
  async deactivate(botId: string, context: Context): Promise<UserDecided | Rejection> {
    const deactivated = await this.users.send(botId, { type: 'DeactivateUser', actor: null }, context);
    if (!isRejection(deactivated)) await this.ledger.noteEnd(botId);
    return deactivated;
  }

  /** Deactivates several bots. Returns the position that a reader must have passed to see all of it; -1 for none. */
  async deactivateAll(botIds: readonly string[], context: Context): Promise<bigint> {
    // Their webhooks are gone, so they can post nothing more. Those that cannot be deactivated now are left to the sweep.
    const outcomes = await Promise.allSettled(botIds.map((botId) => this.deactivate(botId, context)));
    return outcomes.reduce((latest, outcome) => {
      const done = outcome.status === 'fulfilled' && !isRejection(outcome.value) ? outcome.value.position : -1n;
      return done > latest ? done : latest;
    }, -1n);
  }

  /** Deactivates bots that outlived their webhook: left by a process that died, or by a release before bots ended with it. */
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
  `You have created ${MAX_BOTS_EVER} incoming webhooks, which is the limit. Somebody else can add this one.`,
);
