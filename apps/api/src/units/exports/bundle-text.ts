import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  isRejection,
  mayOpen,
  parseStream,
  phrasesOf,
  phraseText,
  type Recorded,
  roomStream,
  searchText,
  view,
} from '@verbatim/domain';
import type { Disclosed, Sealer, StoredEvent } from '@verbatim/event-store';
import { getRoom } from '@verbatim/projections';
import { encodeBundleLine, isFault, TreeReader } from '@verbatim/transparency';
import type { ExportAccess, StandingReader } from '../../application/exports/export-access.js';
import type { KnownExport } from '../../application/exports/export-handlers.js';
import { replacedTexts } from '../../live/replaced-texts.js';
import type { Directory } from '../../storage/directory.js';
import type { ExportCheckpoint, ExportProgress, Met, StoredExports } from '../../storage/exports/stored-exports.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { LogTrees } from '../../storage/transparency/log-trees.js';
import type { Inspections } from '../../write-side/inspections.js';
import { ordinalsOf } from './event-pages.js';
import { mailOf } from './mailbox-file.js';
import { tableHeader, tableLine } from './messages-table.js';
import type { ShownEvent } from './shown-event.js';
import { transcriptEnd, transcriptEntry, transcriptHead } from './transcript.js';

/** Rooms of which the name and whether they may be read are remembered. */
const ROOMS = 1_000;
/** Events that are written before everything else gets its turn, which takes a few milliseconds. */
const AT_ONCE = 50;

export interface BundleTextParts {
  readonly exports: StoredExports;
  readonly access: ExportAccess;
  readonly inspections: Inspections;
  readonly directory: Directory;
  readonly readModels: ReadModels;
  readonly trees: LogTrees;
  readonly sealer: Sealer;
  /** Rooms whose names are being erased. */
  readonly nameless: ReadonlySet<string>;
}

/** A room from which events are taken. */
interface SourceRoom {
  readonly readable: boolean;
  readonly name: string | null;
}

/** The files of a bundle as they grow: taken off in parts, which are stored. */
export class BundleText {
  private readonly files = new Map<string, string[]>();
  private readonly tree: TreeReader;
  private readonly rooms = new Map<string, SourceRoom>();
  /** Those that it came across, each with whether events were taken from it. */
  private streams = new Map<string, boolean>();
  private people = new Set<string>();
  private counts: Pick<ExportProgress, 'events' | 'firstOrdinal' | 'lastOrdinal'>;
  /** Characters collected. */
  bytes = 0;

  constructor(
    private readonly parts: BundleTextParts,
    private readonly known: KnownExport,
    private readonly reader: StandingReader,
  ) {
    const { tree, size } = known.checkpoint as ExportCheckpoint;
    const proofs = TreeReader.of(size, parts.trees.tiles(tree));
    if (isFault(proofs)) throw new Error(proofs.detail);
    this.tree = proofs;
    this.counts = known;
  }

  /** What the files begin with. */
  async begin(): Promise<void> {
    const { room } = this.known.scope;
    const name = room === undefined ? null : await this.nameOf(room);
    this.write('checkpoint', (this.known.checkpoint as ExportCheckpoint).note);
    this.write('messages.csv', tableHeader);
    this.write('transcript.html', transcriptHead({ title: name ?? 'Transcript', facts: this.facts() }));
  }

  /** What they end with. */
  end(): void {
    this.write('transcript.html', transcriptEnd);
  }

  /** Adds events in the order of the log, as far as they fit what was asked for. */
  async add(selected: readonly StoredEvent[]): Promise<void> {
    if (selected.length === 0) return;
    const disclosed = await this.parts.sealer.disclose(selected);
    await this.enterRooms(selected);
    const replaced = await this.replacedAmong(disclosed);
    const wanted = [...selected.keys()].filter((i) => this.hasWords(disclosed[i] as Disclosed, replaced));
    if (wanted.length === 0) return;
    const events = wanted.map((i) => selected[i] as StoredEvent);
    const [ordinals, people] = await Promise.all([
      ordinalsOf(this.parts.trees, (this.known.checkpoint as ExportCheckpoint).tree, events),
      this.parts.directory.people(wanted.map((i) => (disclosed[i] as Disclosed).event.actor)),
    ]);
    for (const [n, i] of wanted.entries()) {
      if (n % AT_ONCE === AT_ONCE - 1) await nextTurn();
      const { event, key } = disclosed[i] as Disclosed;
      const [ordinal, isReplaced] = [ordinals[n] as number, replaced.has(event.revision)];
      const room = this.rooms.get(event.stream);
      const readable = room?.readable ?? true;
      const proof = await this.tree.inclusionProof(ordinal);
      if (isFault(proof)) throw new Error(proof.detail);
      const shownKey = readable && mayOpen(event, this.reader.face, isReplaced) ? key : null;
      const envelope = Buffer.from(event.sealed);
      this.write('events.ndjson', encodeBundleLine({ envelope, key: shownKey, ordinal, proof }));
      const actor = event.actor === null ? null : (people.get(event.actor) ?? { id: event.actor, username: '' });
      const data = readable ? view(event, this.reader.face, isReplaced) : {};
      this.tell({ event, ordinal, roomName: room?.name ?? null, actor, data, replaced: isReplaced });
      this.count(event, ordinal);
    }
  }

  /** What has come together since it was last taken, and the counts of all. */
  take(): Omit<ExportProgress, 'cursor' | 'done'> & { readonly met: Met } {
    const files = new Map([...this.files].map(([name, texts]) => [name, Buffer.from(texts.join(''))]));
    const met = { streams: this.streams, people: this.people };
    this.files.clear();
    this.streams = new Map();
    this.people = new Set();
    this.bytes = 0;
    const { events, firstOrdinal, lastOrdinal } = this.counts;
    return { files, met, events, firstOrdinal, lastOrdinal };
  }

  private tell(shown: ShownEvent): void {
    this.write('messages.csv', tableLine(shown));
    this.write('transcript.html', transcriptEntry(shown));
    this.write('messages.mbox', mailOf(shown));
  }

  private count({ stream, actor }: Recorded, ordinal: number): void {
    this.streams.set(stream, true);
    const { category, id } = parseStream(stream);
    if (category === 'user') this.people.add(id);
    if (actor !== null) this.people.add(actor);
    const { events, firstOrdinal } = this.counts;
    this.counts = { events: events + 1, firstOrdinal: firstOrdinal ?? ordinal, lastOrdinal: ordinal };
  }

  /**
   * Finds out whether the rooms may be read and, without a room in the request, records that they are: in each before anything
   * from it is stored.
   */
  private async enterRooms(events: readonly StoredEvent[]): Promise<void> {
    const streams = new Set(
      events.map(({ stream }) => stream).filter((stream) => parseStream(stream).category === 'room'),
    );
    const unknown = [...streams].filter((stream) => !this.rooms.has(stream));
    if (unknown.length === 0) return;
    if (this.rooms.size + unknown.length > ROOMS) this.rooms.clear();
    const entering = [...streams].filter((stream) => !this.rooms.has(stream));
    const first = new Set(await this.parts.exports.newStreams(this.known, entering));
    for (const stream of entering) {
      this.rooms.set(stream, await this.enter(stream, first.has(stream)));
      if (first.has(stream)) this.streams.set(stream, this.streams.get(stream) ?? false);
    }
  }

  private async enter(stream: string, first: boolean): Promise<SourceRoom> {
    const { actor } = this.reader;
    const { id } = parseStream(stream);
    const reader = await this.parts.access.readerOfRoom(actor, id);
    // Such as a room that never came to be.
    if (isRejection(reader)) return { readable: false, name: null };
    if (first && !reader.member && this.known.scope.room === undefined) {
      const purpose = { reason: this.known.reason, context: { correlation: this.known.id } };
      const recorded = await this.parts.inspections.record(id, actor, 'export', purpose);
      if (isRejection(recorded)) throw new Error(`The reading of a room could not be recorded: ${recorded.detail}`);
    }
    return { readable: true, name: await this.nameOf(id) };
  }

  /** From the rows, where an erasure removes it before it ends; states in memory may remember it for longer. */
  private async nameOf(roomId: string): Promise<string | null> {
    if (this.parts.nameless.has(roomId)) return null;
    return (await getRoom(this.parts.readModels.db, roomId))?.name ?? null;
  }

  /** Those whose text is kept from owners, because it was edited or redacted later. */
  private async replacedAmong(disclosed: readonly Disclosed[]): Promise<ReadonlySet<bigint>> {
    const { room } = this.known.scope;
    if (this.reader.face === 'auditor' || room === undefined) return new Set();
    const { state, position } = await this.parts.access.stateOf(room);
    const events = disclosed.map(({ event }) => event).filter(({ stream }) => stream === roomStream(room));
    const replaced = await replacedTexts(this.parts.readModels, room, { state, position }, events);
    if (isRejection(replaced)) throw new Error(replaced.detail);
    return replaced;
  }

  private hasWords({ event }: Disclosed, replaced: ReadonlySet<bigint>): boolean {
    const { words } = this.known;
    if (words === null) return true;
    if (event.type !== 'MessagePosted' && event.type !== 'MessageEdited') return false;
    const { text } = view(event, this.reader.face, replaced.has(event.revision));
    if (typeof text !== 'string' || this.rooms.get(event.stream)?.readable === false) return false;
    const searched = searchText(text);
    return phrasesOf(words).every((phrase) => searched.includes(phraseText(phrase)));
  }

  private facts(): [name: string, value: string][] {
    const { id, scope, words, reason, requestedAt, checkpoint } = this.known;
    const facts = {
      ...{ Export: id, Requested: requestedAt.toISOString(), Reason: reason },
      ...{ Room: scope.room, Person: scope.person, From: scope.from, To: scope.to, Words: words ?? undefined },
      'Events in the log': `${checkpoint?.size ?? 0}`,
    };
    return Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined);
  }

  private write(file: string, text: string): void {
    if (text === '') return;
    const texts = this.files.get(file) ?? [];
    if (texts.length === 0) this.files.set(file, texts);
    texts.push(text);
    this.bytes += text.length;
  }
}
