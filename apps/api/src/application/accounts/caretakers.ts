import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject } from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { AccountOpener } from './account-opener.js';

/** Usernames tried for a caretaker, and ids, of which one is abandoned when opening its account takes too long. */
const TRIES = 9;

/**
 * Finds the caretaker of a door: the account that owns the rooms created by the door's clients, who have no accounts. It
 * is opened on first use, as a bot, with the same id on every replica. Rejects with `NotAllowed` while it is suspended or
 * deactivated, so operators can keep a door's clients from changing rooms.
 */
export class FindCaretakerCommand extends Command<Actor | Rejection> {
  constructor(
    readonly door: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(FindCaretakerCommand)
export class FindCaretakerHandler implements ICommandHandler<FindCaretakerCommand> {
  constructor(
    private readonly users: Users,
    private readonly opener: AccountOpener,
  ) {}

  async execute({ door, context }: FindCaretakerCommand): Promise<Actor | Rejection> {
    for (let i = 0; i < TRIES; i++) {
      const id = derivedId('caretaker', door, `${i}`);
      const { state } = await this.users.current(id);
      if (state.status === 'abandoned') continue;
      if (state.status === 'unborn') return this.open(id, door, context);
      return state.status === 'active' ? { id, role: 'user' } : shutOut;
    }
    return reject('Unavailable', 'The account that owns the rooms of this door could not be opened.');
  }

  /** Opens it under the name of the door, or the first free variant of it. */
  private async open(id: string, door: string, context: Context): Promise<Actor | Rejection> {
    const account = { displayName: door, email: null, role: 'user', origin: 'bot', password: null } as const;
    let opened: object | Rejection = reject('NameTaken', 'All names for this account are taken.');
    for (let i = 1; i <= TRIES; i++) {
      const username = i === 1 ? door : `${door}-${i}`;
      opened = await this.opener.open(id, { ...account, username }, context);
      if (!isRejection(opened) || opened.rejected !== 'NameTaken') break;
    }
    return isRejection(opened) ? opened : { id, role: 'user' };
  }
}

const shutOut = reject('NotAllowed', 'The account that owns the rooms of this door is suspended.');
