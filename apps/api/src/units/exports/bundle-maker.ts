import { ERASURES, isRejection } from '@verbatim/domain';
import { type EventStore, type PostgresKeyRing, Sealer } from '@verbatim/event-store';
import { isFault, parseCheckpoint, parseNote } from '@verbatim/transparency';
import type { ExportAccess, ExportReader, StandingReader } from '../../application/exports/export-access.js';
import type { ExportRequestsRead, KnownExport } from '../../application/exports/export-handlers.js';
import type { PublishedLog } from '../../application/transparency/published-log.js';
import type { Directory } from '../../storage/directory.js';
import { isWithin } from '../../storage/erased-scope.js';
import type { ExportCheckpoint, StoredExport, StoredExports } from '../../storage/exports/stored-exports.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { LogKeys } from '../../storage/transparency/log-keys.js';
import type { LogTrees } from '../../storage/transparency/log-trees.js';
import type { Erasures } from '../../write-side/entities.js';
import type { Inspections } from '../../write-side/inspections.js';
import { BundleText } from './bundle-text.js';
import { EventPages, lastPositionOf } from './event-pages.js';
import { firstFiles } from './manifest.js';
import { RunningDigests } from './running-digests.js';

/** Milliseconds for which one export is worked on before another one gets its turn. */
const TURN_MS = 2_000;
/** Bytes that are collected before they are stored. */
const CHUNK_BYTES = 1_048_576;
/** Seconds for which an export waits for a checkpoint that covers what was there when it was requested. */
const COVERED_WITHIN = 30;
/** Seconds after which an export fails when the log has no checkpoint with its quorum at all. */
const PUBLISHED_WITHIN = 600;
const NO_SPACE = 'There is no space for more bundles (EXPORT_MAX_BYTES). Try again when older ones have expired.';
/** The place when everything was read. */
const END = -1n;

export interface BundleMakerParts {
  readonly exports: StoredExports;
  readonly access: ExportAccess;
  readonly requests: ExportRequestsRead;
  readonly erasures: Erasures;
  readonly inspections: Inspections;
  readonly directory: Directory;
  readonly readModels: ReadModels;
  readonly store: EventStore;
  readonly published: PublishedLog;
  readonly trees: LogTrees;
  readonly logKeys: LogKeys;
  readonly keys: PostgresKeyRing;
  readonly now: () => Date;
  /** For which bundles are kept. */
  readonly days: number;
  /** Of all bundles together. */
  readonly mostBytes: number;
}

/** What a turn opens events with. */
interface Opening {
  readonly sealer: Sealer;
  /** Rooms whose names are being erased. */
  readonly nameless: ReadonlySet<string>;
}

/** Makes bundles in turns. What a turn has stored stays; of the rest only what saves reading it again is remembered. */
export class BundleMaker {
  private readonly digests = new RunningDigests();

  constructor(private readonly parts: BundleMakerParts) {}

  /** Gives an export its turn, and answers whether there was anything to do. */
  async advance(taken: StoredExport, until: AbortSignal): Promise<boolean> {
    const { exports, access, requests } = this.parts;
    const reader = await access.readerStill(taken.userId, taken.scope);
    if (isRejection(reader)) {
      if (reader.rejected === 'Unavailable') throw new Error(reader.detail);
      await exports.fail(taken, reader.detail);
      return true;
    }
    const { awareOf, ...opening } = await this.openingNothingErased();
    const running = taken.status === 'queued' ? await this.begin(taken, reader, awareOf) : taken;
    if (!running) return false;
    // Only from here on: an erasure that destroyed keys before does not know of this run.
    this.parts.keys.forget();
    const known = await requests.with(running);
    if (known.reason === '') {
      await exports.fail(running, 'What was asked for was erased.');
      return true;
    }
    await this.goOn(known, reader, opening, until);
    return true;
  }

  /** Opens nothing that is being erased, and says which erasures these are. */
  private async openingNothingErased(): Promise<Opening & { awareOf: string[] }> {
    const { state } = await this.parts.erasures.newest(ERASURES);
    const sealer = new Sealer(this.parts.keys);
    const awareOf: string[] = [];
    const nameless = new Set<string>();
    for (const [id, { scope, beganAt }] of state.pending.entries()) {
      if (beganAt === null) continue;
      sealer.shield(id, (envelope) => envelope.at <= beganAt && isWithin(scope, envelope));
      if (scope.kind === 'room' || scope.kind === 'days') nameless.add(scope.roomId);
      awareOf.push(id);
    }
    return { sealer, nameless, awareOf };
  }

  /** Null while it has to wait, or when it cannot be made. */
  private async begin(
    taken: StoredExport,
    reader: ExportReader,
    awareOf: readonly string[],
  ): Promise<StoredExport | null> {
    const { exports } = this.parts;
    const checkpoint = await this.checkpoint();
    if (!checkpoint && taken.age > PUBLISHED_WITHIN)
      await exports.fail(taken, 'The transparency log has no checkpoint with its quorum.');
    const covered = checkpoint !== null && checkpoint.lastPosition >= taken.position;
    if (!checkpoint || (!covered && taken.age < COVERED_WITHIN)) return null;
    const total = reader.state ? Number(reader.state.revision - reader.from) + 1 : checkpoint.size;
    return exports.begin(taken, checkpoint, { cursor: reader.from, total, awareOf });
  }

  private async checkpoint(): Promise<ExportCheckpoint | null> {
    const { published, store, trees } = this.parts;
    const newest = await published.newest();
    const note = newest && parseNote(newest.note);
    const checkpoint = note && !isFault(note) ? parseCheckpoint(note.text) : null;
    if (!newest || !checkpoint || isFault(checkpoint)) return null;
    const { number } = newest.tree;
    const lastPosition = await lastPositionOf(store, trees, number, checkpoint.size);
    return { tree: number, size: checkpoint.size, root: checkpoint.root, note: newest.note, lastPosition };
  }

  private async goOn(known: KnownExport, reader: StandingReader, opening: Opening, until: AbortSignal): Promise<void> {
    if (!known.checkpoint) return;
    const { exports, store, mostBytes } = this.parts;
    const pages = new EventPages(store, known.scope, known.checkpoint.lastPosition);
    const text = new BundleText({ ...this.parts, ...opening }, known, reader);
    const deadline = performance.now() + TURN_MS;
    let { cursor, done, chunks } = known;
    // A chunk is made while the one before it is stored. They are stored one after the other, each with its place.
    let storing = Promise.resolve(true);
    try {
      while (cursor !== END) {
        if ((await exports.storedBytes()) > mostBytes) {
          await storing;
          return await exports.fail(known, NO_SPACE);
        }
        if (chunks === 0) await text.begin();
        while (cursor !== END && text.bytes < CHUNK_BYTES && performance.now() < deadline) {
          until.throwIfAborted();
          const page = await pages.at(cursor);
          await text.add(page.selected);
          done += page.read;
          cursor = page.next ?? END;
        }
        if (cursor === END) text.end();
        const { files, met, ...counts } = text.take();
        if (!(await storing)) return;
        const place = { ...known, chunks };
        this.digests.add(place, files);
        storing = exports.add(place, { cursor, done, files, ...counts }, met);
        // Whoever waits for it next finds out.
        storing.catch(() => undefined);
        chunks++;
        if (performance.now() > deadline) break;
      }
      const stored = await storing;
      if (stored && cursor === END) await this.finish(known, until);
    } finally {
      await storing.catch(() => false);
    }
  }

  private async finish(before: KnownExport, until: AbortSignal): Promise<void> {
    const { exports, logKeys, directory, now, days } = this.parts;
    const stored = await exports.find(before.id);
    if (stored?.run !== before.run || stored.status !== 'running') return;
    const known = { ...before, ...stored };
    const person = await directory.person(known.userId);
    const { digests } = this;
    const { files, bytes } = await firstFiles(known, { exports, logKeys, person, now, until, digests });
    await exports.finish(known, files, { bytes, days });
    digests.drop(known.id);
  }
}
