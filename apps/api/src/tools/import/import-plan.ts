import { type Actor, type ImportSource, limits, type RoomCommand, visibleTextProblem } from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';
import type { LogFact } from './formats/log-format.js';
import type { IrcLog, SkippedLine } from './irc-log.js';
import { accountOf, type NicknameAccount } from './nickname-account.js';

/** A log file, read. */
export interface LogFile extends IrcLog {
  /** How the file was named, for people. */
  readonly name: string;
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly digest: string;
}

/** One command for the room, made from a line. */
export interface Step {
  readonly line: number;
  /** Where the file is once this has been taken; grows from step to step. */
  readonly place: number;
  readonly occurredAt: string;
  /** Of the nickname that the command speaks of. */
  readonly account: NicknameAccount;
  readonly command: RoomCommand;
}

export type Tally = Record<LogFact['kind'], number>;

/** What importing a file comes to. */
export interface ImportPlan {
  readonly steps: readonly Step[];
  /** Lines of which something is made, by what they tell. */
  readonly taken: Tally;
  readonly skipped: readonly SkippedLine[];
  /** Ids of those who are in the room afterwards. */
  readonly members: ReadonlySet<string>;
}

/** More than the commands that any one line leads to. */
const PARTS = 4;

/**
 * Works out which commands a file leads to in a room in which `members` (user ids) are. Each of them changes the room:
 * the plan keeps track of who is in it. So the same file and members always give the same plan, and how far a room has
 * taken it is told by one number, the place of the last step.
 *
 * Speakers who are not in the room join first. Who changes the nickname leaves, and the new nickname joins. Who was
 * kicked is removed by `importer`. `source` is what the events name as their file: its digest, unless the room took the file
 * before and that was undone.
 */
export function planImport(
  file: Pick<LogFile, 'digest' | 'lines'>,
  members: Iterable<string>,
  importer: Actor,
  source: string = file.digest,
): ImportPlan {
  const inRoom = new Set(members);
  const steps: Step[] = [];
  const skipped: SkippedLine[] = [];
  const taken: Tally = { message: 0, action: 0, join: 0, leave: 0, kick: 0, rename: 0 };
  for (const entry of file.lines) {
    if ('skipped' in entry) {
      skipped.push(entry);
      continue;
    }
    const moves = movesOf(entry, {
      inRoom,
      importer,
      messageId: () => derivedId('IRC message', source, `${entry.line}`),
    });
    if (typeof moves === 'string') {
      skipped.push({ line: entry.line, skipped: moves });
      continue;
    }
    taken[entry.kind]++;
    for (const [part, { account, command }] of moves.entries()) {
      if (command.type === 'JoinRoom') inRoom.add(account.userId);
      if (command.type === 'RemoveMember') inRoom.delete(account.userId);
      const imported: ImportSource = { file: source, place: entry.line * PARTS + part };
      const { line, at: occurredAt } = entry;
      steps.push({ line, place: imported.place, occurredAt, account, command: { ...command, imported } });
    }
  }
  return { steps, taken, skipped, members: inRoom };
}

interface Move {
  readonly account: NicknameAccount;
  readonly command: Extract<RoomCommand, { type: 'JoinRoom' | 'RemoveMember' | 'PostMessage' }>;
}

interface Circumstances {
  readonly inRoom: ReadonlySet<string>;
  readonly importer: Actor;
  messageId(): string;
}

/** The commands that a line leads to, or why there are none. */
function movesOf(entry: LogFact, { inRoom, importer, messageId }: Circumstances): Move[] | string {
  const account = accountOf(entry.nick);
  const present = inRoom.has(account.userId);
  switch (entry.kind) {
    case 'message':
    case 'action': {
      const { text } = entry;
      const problem = visibleTextProblem(text, 1, limits.messageText);
      if (problem) return `the text ${problem}`;
      const kind = entry.kind === 'action' ? 'action' : 'text';
      const actor = actorOf(account);
      const post: Move = {
        account,
        command: { type: 'PostMessage', actor, messageId: messageId(), text, replyTo: null, kind },
      };
      return present ? [post] : [join(account), post];
    }
    case 'join':
      return present ? 'the person was in the room already' : [join(account)];
    case 'leave':
      return present ? [remove(account, actorOf(account), null)] : notInRoom;
    case 'kick': {
      const problem = visibleTextProblem(entry.text, 0, limits.reason);
      if (problem) return `the reason ${problem}`;
      return present ? [remove(account, importer, entry.text)] : notInRoom;
    }
    case 'rename': {
      const renamed = accountOf(entry.newNick);
      if (renamed.userId === account.userId) return 'the new nickname is the old one';
      if (!present) return notInRoom;
      const leave = remove(account, actorOf(account), null);
      return inRoom.has(renamed.userId) ? [leave] : [leave, join(renamed)];
    }
  }
}

const notInRoom = 'the person was not in the room';

const actorOf = ({ userId }: NicknameAccount): Actor => ({ id: userId, role: 'user' });

const join = (account: NicknameAccount): Move => ({ account, command: { type: 'JoinRoom', actor: actorOf(account) } });

const remove = (account: NicknameAccount, actor: Actor, reason: string | null): Move => ({
  account,
  command: { type: 'RemoveMember', actor, userId: account.userId, reason },
});
