import { codePoints, limits, nameProblem } from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';

/** The account that represents a nickname. Nobody can sign in to it. */
export interface NicknameAccount {
  readonly userId: string;
  readonly username: string;
  readonly displayName: string;
}

/**
 * The account of a nickname (in NFC), the same in every log. Nicknames that differ at all, even in case, have different accounts:
 * the username consists of what a username may keep of the nickname, and the last digits of the user id.
 */
export function accountOf(nick: string): NicknameAccount {
  const userId = derivedId('IRC nickname', nick);
  const username = `${readablePart(nick)}-${userId.slice(-12)}`;
  return { userId, username, displayName: displayName(nick) ?? username };
}

/** At most 19 of a-z, 0-9, `_`, `.` and `-`, at least one. */
function readablePart(nick: string): string {
  const plain = nick
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, '');
  return plain.slice(0, 19) || 'nick';
}

/** The nickname with single spaces, truncated if too long; null if it is no valid display name all the same. */
function displayName(nick: string): string | null {
  const tidy = nick.trim().replaceAll(/\s+/g, ' ');
  const short =
    codePoints(tidy) <= limits.displayName ? tidy : `${[...tidy].slice(0, limits.displayName - 1).join('')}…`;
  return nameProblem(short, limits.displayName) === null ? short : null;
}
