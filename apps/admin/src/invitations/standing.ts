import type { Invitation } from '@verbatim/protocol';

/** Whether an invitation can still be used, and why not. */
export function standingOf({ revoked, uses, used, expiresAt }: Invitation, now = Date.now()) {
  if (revoked) return 'revoked';
  if (uses !== null && used >= uses) return 'used_up';
  return Date.parse(expiresAt) <= now ? 'expired' : 'good';
}
