import { type CallName, calls } from '@verbatim/protocol';
import type { Spending } from '../../limits/limits.js';

const posting: readonly CallName[] = ['postMessage', 'editMessage', 'redactMessage', 'addReaction', 'removeReaction'];
const searching: readonly CallName[] = ['searchMessages', 'exportUsers'];

/** The allowance of the account that a call spends. */
export function spentBy(name: CallName): Spending {
  if (posting.includes(name)) return 'posts';
  if (searching.includes(name)) return 'search';
  return calls[name].method === 'GET' || name === 'markRead' ? 'reads' : 'writes';
}
