import {
  type MessageFacts,
  type OlderMessages,
  type Recorded,
  type Rejection,
  type RoomState,
  reject,
} from '@verbatim/domain';

/** What the read models know of messages that a room's state no longer holds. */
export interface MessageFactsSource {
  /** Facts on messages of one room, and up to which revision they are complete. */
  messageFacts(roomId: string, messageIds: readonly string[], readerId: string): Promise<OlderMessages>;
  /** Whether the read models have reached `position` within `patience` milliseconds. */
  reached(position: bigint, patience: number): Promise<boolean>;
}

/** How long to wait for read models that lag behind what a room remembers. */
const PATIENCE_MS = 3_000;

/**
 * Of the posts and edits among `events`, the revisions of those whose text a later edit or redaction has replaced. The room's
 * state knows the latest changes; the read models know all earlier ones. Rejects while the read models lag too far behind.
 */
export async function replacedTexts(
  source: MessageFactsSource,
  roomId: string,
  { state, position }: { state: RoomState; position: bigint },
  events: readonly Recorded[],
): Promise<ReadonlySet<bigint> | Rejection> {
  const replaced = new Set<bigint>();
  const unknown = new Map<bigint, string>();
  for (const event of events) {
    if (event.type !== 'MessagePosted' && event.type !== 'MessageEdited') continue;
    const { messageId } = event.data;
    const facts = state.messages.get(messageId);
    if (facts) {
      if (isReplaced(event.revision, facts)) replaced.add(event.revision);
    } else if (state.messages.since >= 0n) unknown.set(event.revision, messageId);
  }
  if (unknown.size === 0) return replaced;
  const ids = [...new Set(unknown.values())];
  let older = await source.messageFacts(roomId, ids, '');
  if (older.through < state.messages.since) {
    await source.reached(position, PATIENCE_MS);
    older = await source.messageFacts(roomId, ids, '');
  }
  if (older.through < state.messages.since) return reject('Unavailable', 'The read models have not come this far yet.');
  for (const [revision, messageId] of unknown) {
    const facts = older.messages.get(messageId);
    if (facts && isReplaced(revision, facts)) replaced.add(revision);
  }
  return replaced;
}

const isReplaced = (revision: bigint, facts: MessageFacts): boolean => facts.redacted || facts.textRevision > revision;
