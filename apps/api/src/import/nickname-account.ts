import { codePoints, limits } from '@verbatim/domain';
import { derivedId } from '../derived-id.js';

/** The account that stands for a nickname. Nobody can sign in to it. */
export interface NicknameAccount {
  readonly userId: string;
  readonly username: string;
  readonly displayName: string;
}

/**
 * The account of a nickname (in form NFC), the same in every log. Nicknames that differ at all, be it in case, have
 * different accounts: the username ends in the last digits of the user id, after what a username may take over.
 */
export function accountOf(nick: string): NicknameAccount {
  const userId = derivedId('IRC nickname', nick);
  return { userId, username: `${readablePart(nick)}-${userId.slice(-12)}`, displayName: displayName(nick) };
}

/** At most 19 of a-z, 0-9, `_`, `.` and `-`, at least one. */
function readablePart(nick: string): string {
  const plain = nick
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, '');
  return plain.slice(0, 19) || 'nick';
}

function displayName(nick: string): string {
  if (codePoints(nick) <= limits.displayName) return nick;
  return `${[...nick].slice(0, limits.displayName - 1).join('')}…`;
}
