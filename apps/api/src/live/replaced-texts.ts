import {
  type MessageFacts,
  type OlderMessages,
  type Recorded,
  type Rejection,
  type RoomState,
  reject,
} from '@verbatim/domain';

/** What the read models know about messages that are no longer in a room's state. */
export interface MessageFactsSource {
  /** Facts about messages of one room, and the revision up to which they are complete. */
  messageFacts(roomId: string, messageIds: readonly string[], readerId: string): Promise<OlderMessages>;
  /** Whether the read models reached `position` within `patienceMs`. */
  reached(position: bigint, patienceMs: number): Promise<boolean>;
}

/** How long to wait for read models that lag behind the room's state. */
const PATIENCE_MS = 3_000;

/**
 * The revisions of those posts and edits among `events` whose text was replaced by a later edit or redaction. The room's
 * state knows the latest changes, the read models all earlier ones. `Unavailable` if the read models lag too far behind.
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
  if (older.through < state.messages.since) return lagging;
  for (const [revision, messageId] of unknown) {
    const facts = older.messages.get(messageId);
    if (facts && isReplaced(revision, facts)) replaced.add(revision);
  }
  return replaced;
}

const isReplaced = (revision: bigint, facts: MessageFacts): boolean => facts.redacted || facts.textRevision > revision;

const lagging = reject('Unavailable', 'The read models have not caught up with this room yet.');
