import { isRejection } from '@verbatim/domain';
import { AccountOpener } from '../../application/accounts/account-opener.js';
import { newId } from '../../new-id.js';
import { Credentials } from '../../storage/vault/credentials.js';
import type { Tools } from '../tools.js';
import type { Step } from './import-plan.js';
import type { NicknameAccount } from './nickname-account.js';
import { answered, ImportStopped, patiently } from './patience.js';

/** Accounts opened concurrently. */
const AT_ONCE = 16;

/** Creates accounts without a way to sign in, each only once. */
export class ImportAccounts {
  private readonly opened = new Set<string>();
  private readonly opener: AccountOpener;
  private readonly correlation = newId();

  constructor({ users, names, sql, time }: Tools) {
    this.opener = new AccountOpener(users, names, new Credentials(sql, time.now));
  }

  /** Opens the accounts of everyone in the steps, as of the time of their first step. */
  async openFor(steps: readonly Step[]): Promise<void> {
    const firsts = new Map<string, Step>();
    for (const step of steps) if (!firsts.has(step.account.userId)) firsts.set(step.account.userId, step);
    const queue = firsts.values();
    const work = async () => {
      for (const { account, occurredAt } of queue) await this.open(account, occurredAt);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async open(
    { userId, username, displayName }: NicknameAccount,
    occurredAt: string | undefined,
    email: string | null = null,
  ): Promise<void> {
    if (this.opened.has(userId)) return;
    const account = { username, displayName, email, role: 'user', origin: 'import', password: null } as const;
    const context = { correlation: this.correlation, ...(occurredAt && { occurredAt }) };
    const opened = await patiently(async () => answered(await this.opener.open(userId, account, context)));
    if (isRejection(opened))
      throw new ImportStopped(`The account of ${displayName} cannot be created: ${opened.detail}`);
    this.opened.add(userId);
  }
}
