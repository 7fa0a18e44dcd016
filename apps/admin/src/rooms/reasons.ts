/** Why rooms are read from outside, by the id of the room. Kept as long as this page. */
const reasons = new Map<string, string>();

/** Remembers why the person reads this room. */
export const giveReason = (room: string, reason: string): void => void reasons.set(room, reason);

/** Options of calls that read a room: with the reason, if one was given. */
export function why(room: string): { readonly deadlineMs: number; readonly reason?: string } {
  const reason = reasons.get(room);
  return { deadlineMs: 30_000, ...(reason !== undefined && { reason }) };
}
