import { type Actor, type ImportSource, limits, type RoomCommand, visibleTextProblem } from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';
import type { LogFact } from './formats/log-format.js';
import type { IrcLog, SkippedLine } from './irc-log.js';
import { accountOf, type NicknameAccount } from './nickname-account.js';

/** A parsed log file. */
export interface LogFile extends IrcLog {
  /** The name of the file, for display. */
  readonly name: string;
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly digest: string;
}

/** A room command that results from a line. */
export interface Step {
  readonly line: number;
  /** The progress in the file once this is stored; increases with each step. */
  readonly place: number;
  readonly occurredAt: string;
  /** The account of the nickname that the command is about. */
  readonly account: NicknameAccount;
  readonly command: RoomCommand;
}

export type LineCounts = Record<LogFact['kind'], number>;

/** How a file is imported. */
export interface ImportPlan {
  readonly steps: readonly Step[];
  /** Imported lines by kind. */
  readonly taken: LineCounts;
  readonly skipped: readonly SkippedLine[];
  /** Ids of the members afterwards. */
  readonly members: ReadonlySet<string>;
}

/** More than the most commands per line. */
const PARTS = 4;

/**
 * Plans the commands for importing a file into a room with these `members` (user ids). Each command changes the room; the
 * plan keeps track of its members. The same file and members always give the same plan, so a single number records how much
 * of it a room has stored: the place of the last step.
 *
 * Speakers who are not in the room join first. For a change of nickname, the old one leaves and the new one joins. Kicks
 * are carried out by `importer`. `source` is named in the events: the digest of the file, unless the room imported the file
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
  const taken: LineCounts = { message: 0, action: 0, join: 0, leave: 0, kick: 0, rename: 0 };
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

/** The commands for a line, or why there are none. */
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
