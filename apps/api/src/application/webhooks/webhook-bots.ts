import { Injectable } from '@nestjs/common';
import { isRejection, type Rejection, reject, type UserState, webhookBotUsername } from '@verbatim/domain';
import { botsWithoutWebhook, isNameOfPerson } from '@verbatim/projections';
import { Time } from '../../clock.js';
import { limited } from '../../limits/limited.js';
import { newId } from '../../new-id.js';
import { ReadModels } from '../../storage/read-models.js';
import { MOST_BOTS, MOST_BOTS_EVER, WebhookBotLedger } from '../../storage/vault/webhook-bots.js';
import { Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { AccountOpener } from '../accounts/account-opener.js';

type UserDecided = Decided<UserState>;

/** Milliseconds after which an account of a bot without a webhook is not one that is just being made. */
const MAKING_MS = 10 * 60_000;
/** Bots that one sweep ends at most. */
const SWEPT = 1_000;

/** The accounts in whose name incoming webhooks post. Each is made for one webhook and ends with it. */
@Injectable()
export class WebhookBots {
  constructor(
    private readonly users: Users,
    private readonly accounts: AccountOpener,
    private readonly ledger: WebhookBotLedger,
    private readonly readModels: ReadModels,
    private readonly time: Time,
  ) {}

  /** Makes a bot that somebody will answer for. Its name is not that of a person. */
  async make(botId: string, name: string, owner: string, context: Context): Promise<UserDecided | Rejection> {
    const closed = this.accounts.refusal('webhook', null);
    if (closed) return closed;
    if (await isNameOfPerson(this.readModels.db, name)) return nameOfPerson;
    const tooMany = await this.ledger.enter(botId, owner);
    if (tooMany?.tooMany === 'lately') return limited(tooMany.retryAfterMs);
    if (tooMany) return tooMany.tooMany === 'ever' ? tooManyEver : tooManyNow;
    const account = { username: webhookBotUsername(botId), displayName: name, email: null, password: null } as const;
    const bot = { ...account, role: 'user', origin: 'webhook' } as const;
    const made = await this.accounts.open(botId, bot, context);
    if (isRejection(made) && made.rejected !== 'Unavailable') await this.ledger.strike(botId);
    return made;
  }

  /** Ends a bot for good. Whoever repeats it changes nothing. */
  async end(botId: string, context: Context): Promise<UserDecided | Rejection> {
    const ended = await this.users.send(botId, { type: 'DeactivateUser', actor: null }, context);
    if (!isRejection(ended)) await this.ledger.noteEnd(botId);
    return ended;
  }

  /** Ends several, and answers the position that a reader must have passed to see all of it. */
  async endAll(botIds: readonly string[], context: Context): Promise<bigint> {
    // The webhook is gone already, so its bot says nothing more; one that could not be ended now is left to the next sweep.
    const ended = await Promise.allSettled(botIds.map((botId) => this.end(botId, context)));
    return ended.reduce((latest, one) => {
      const done = one.status === 'fulfilled' && !isRejection(one.value) ? one.value.position : -1n;
      return done > latest ? done : latest;
    }, -1n);
  }

  /** Ends the bots whose webhook is gone, but which were left: by a process that died, or before bots ended with their webhook. */
  async sweep(): Promise<void> {
    const madeBefore = new Date(this.time.now().getTime() - MAKING_MS).toISOString();
    const left = await botsWithoutWebhook(this.readModels.db, madeBefore, SWEPT);
    for (const botId of left) await this.end(botId, { correlation: newId() });
  }
}

const nameOfPerson = reject('NameTaken', 'Somebody has this name. A webhook needs one of its own.');
const tooManyNow = reject('Conflict', `You have ${MOST_BOTS} incoming webhooks already. Remove one first.`);
const tooManyEver = reject('Conflict', `You have made ${MOST_BOTS_EVER} incoming webhooks. Have somebody else add it.`);
