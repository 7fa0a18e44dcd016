import { setTimeout as sleep } from 'node:timers/promises';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type Actor,
  isRejection,
  type MessageFacts,
  type OlderMessages,
  type Rejection,
  reject,
  roomStream,
} from '@verbatim/domain';
import type { Sealer, StoredEvent } from '@verbatim/event-store';
import { encodeLogProof, isFault, TILE_WIDTH, TreeReader } from '@verbatim/transparency';
import { MeasuredEventStore } from '../../storage/measured-event-store.js';
import { ReadModels } from '../../storage/read-models.js';
import { indexInBundle, LogTrees } from '../../storage/transparency/log-trees.js';
import type { Purpose } from '../../write-side/inspections.js';
import { type ReadableRoom, RoomAccess } from '../rooms/room-access.js';
import { type Published, PublishedLog } from './published-log.js';

/** How long a proof waits for a checkpoint that covers its event, and for read models that lag behind the room. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 100;

/** Proves to anyone with the keys of the log that it contains this event, and what the event said. */
export interface MessageProof {
  readonly revision: number;
  readonly ordinal: number;
  /** The hashed bytes. */
  readonly envelope: Buffer;
  /** Opens `data.sealed` of this event only; null if the message was redacted or its key destroyed. */
  readonly key: Buffer | null;
  /** The inclusion proof with its checkpoint (c2sp.org/tlog-proof). */
  readonly proof: string;
}

/** Proves the event behind the current text of a message or, for auditors, the one at a revision. */
export class GetMessageProofQuery extends Query<MessageProof | Rejection> {
  constructor(
    readonly roomId: string,
    readonly messageId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly revision: bigint | undefined,
  ) {
    super();
  }
}

/** Builds proofs of single events. */
export class MessageProofs {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
    private readonly store: MeasuredEventStore,
    private readonly trees: LogTrees,
    private readonly log: PublishedLog,
    private readonly sealer: Sealer,
  ) {}

  async proofFor(query: GetMessageProofQuery): Promise<MessageProof | Rejection> {
    const { roomId, messageId, actor, purpose, revision } = query;
    if (revision !== undefined && actor.role === 'user') return auditorsOnly;
    const room = await this.access.toRead(roomId, actor, 'proof', purpose);
    if (isRejection(room)) return room;
    const facts = await this.factsOf(roomId, messageId, room);
    if (isRejection(facts)) return facts;
    const chosen = revision ?? facts.textRevision;
    const [event] = await this.store.read(roomStream(roomId), chosen, 1);
    if (event?.revision !== chosen || messageOf(event) !== messageId) return noSuchMessage;
    const shown = revision !== undefined || !facts.redacted;
    return this.prove(event, shown ? await this.sealer.ownKey(event) : null);
  }

  /** What is known about the message, if this person may read it. */
  private async factsOf(
    roomId: string,
    messageId: string,
    { state, reader, position }: ReadableRoom,
  ): Promise<Pick<MessageFacts, 'textRevision' | 'redacted'> | Rejection> {
    const recent = state.messages.get(messageId);
    const complete = recent?.posted || state.messages.since < 0n;
    const older = complete ? null : await this.olderFacts(roomId, messageId, state.messages.since, position);
    if (older && isRejection(older)) return older;
    const past = older?.messages.get(messageId);
    const posted = recent?.posted ?? past?.posted;
    if (!posted || posted.revision < reader.from) return noSuchMessage;
    const texts = [recent?.textRevision, past?.textRevision].filter((revision) => revision !== undefined);
    const textRevision = texts.reduce((latest, revision) => (revision > latest ? revision : latest), posted.revision);
    return { textRevision, redacted: recent?.redacted === true || past?.redacted === true };
  }

  private async olderFacts(
    roomId: string,
    messageId: string,
    since: bigint,
    position: bigint,
  ): Promise<OlderMessages | Rejection> {
    const ask = () => this.readModels.messageFacts(roomId, [messageId], '');
    let older = await ask();
    if (older.through >= since) return older;
    await this.readModels.reached(position, PATIENCE_MS);
    older = await ask();
    return older.through >= since ? older : lagging;
  }

  private async prove(event: StoredEvent, key: Buffer | null): Promise<MessageProof | Rejection> {
    const entry = Buffer.from(event.hash, 'hex');
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      const published = await this.log.newest();
      const ordinal = published && (await this.ordinalOf(published, event.position, entry));
      if (published && ordinal !== null && ordinal < published.size)
        return this.withOrdinal(published, ordinal, event, key);
      if (performance.now() > deadline) return notCovered;
      await sleep(LOOK_EVERY_MS);
    }
  }

  private async ordinalOf({ tree }: Published, position: bigint, entry: Buffer): Promise<number | null> {
    const bundle = await this.trees.bundleAt(tree.number, position);
    const index = bundle ? indexInBundle(bundle, entry) : -1;
    return bundle && index >= 0 ? bundle.index * TILE_WIDTH + index : null;
  }

  private async withOrdinal({ tree, size, note }: Published, ordinal: number, event: StoredEvent, key: Buffer | null) {
    const reader = TreeReader.of(size, this.trees.tiles(tree.number));
    const hashes = isFault(reader) ? reader : await reader.inclusionProof(ordinal);
    if (isFault(hashes)) throw new Error(`No proof could be built for entry ${ordinal} of the log: ${hashes.detail}`);
    return {
      revision: Number(event.revision),
      ordinal,
      envelope: Buffer.from(event.sealed),
      key,
      proof: encodeLogProof({ index: ordinal, hashes, checkpoint: note }),
    };
  }
}

@QueryHandler(GetMessageProofQuery)
export class GetMessageProofHandler implements IQueryHandler<GetMessageProofQuery> {
  constructor(private readonly proofs: MessageProofs) {}

  execute(query: GetMessageProofQuery): Promise<MessageProof | Rejection> {
    return this.proofs.proofFor(query);
  }
}

const messageOf = ({ sealed }: StoredEvent): unknown =>
  (JSON.parse(sealed) as { data?: { messageId?: unknown } }).data?.messageId;

const noSuchMessage = reject('NotFound', 'There is no such message.');
const auditorsOnly = reject('NotAllowed', 'Only administrators and auditors may ask for a revision.');
const lagging = reject('Unavailable', 'The read models have not caught up with this room yet.');
const notCovered = reject('Unavailable', 'No checkpoint covers this message yet.');
