import { createHash } from 'node:crypto';
import {
  type BundleFile,
  bundleFormat,
  isFault,
  manifestNoteText,
  parseCheckpoint,
  parseNote,
  signNote,
} from '@verbatim/transparency';
import { archiveLength, bundleFiles } from '../../application/exports/export-bundle.js';
import type { KnownExport } from '../../application/exports/export-handlers.js';
import type { Person } from '../../storage/directory.js';
import type { ExportCheckpoint, StoredExports } from '../../storage/exports/stored-exports.js';
import type { LogKeys } from '../../storage/transparency/log-keys.js';
import type { RunningDigests } from './running-digests.js';

export interface ManifestParts {
  readonly exports: StoredExports;
  readonly logKeys: LogKeys;
  /** Who has requested it. */
  readonly person: Person | null;
  readonly now: () => Date;
  readonly until: AbortSignal;
  /** What is known of the files without reading them. */
  readonly digests: RunningDigests;
}

/** The manifest of what is stored, and its signature; `bytes`: of the whole archive. */
export async function firstFiles(
  known: KnownExport,
  { exports, logKeys, person, now, until, digests }: ManifestParts,
): Promise<{ readonly files: ReadonlyMap<string, Buffer>; readonly bytes: number }> {
  const lengths = new Map(await exports.lengths(known.id));
  const files: BundleFile[] = [];
  for (const name of bundleFiles.slice(2)) files.push(await digested(known, name, lengths.get(name) ?? 0));
  const origin = originOf(known.checkpoint as ExportCheckpoint);
  const made = { createdAt: now().toISOString(), createdBy: person };
  const stated = statement(known, { ...made, origin, streams: await exports.streamsIn(known), files });
  const manifest = Buffer.from(`${JSON.stringify(stated, null, 2)}\n`);
  const signature = Buffer.from(signNote(manifestNoteText(origin, manifest), await logKeys.certificateKeys(origin)));
  lengths.set('manifest.json', manifest.length).set('manifest.json.sig', signature.length);
  return {
    files: new Map([
      ['manifest.json', manifest],
      ['manifest.json.sig', signature],
    ]),
    bytes: archiveLength(lengths),
  };

  async function digested(of: KnownExport, name: string, bytes: number): Promise<BundleFile> {
    const known = digests.of(of, name);
    if (known !== null) return { name, bytes, sha256: known };
    const hash = createHash('sha256');
    for await (const part of exports.content(of, name, bytes)) {
      until.throwIfAborted();
      hash.update(part);
    }
    return { name, bytes, sha256: hash.digest('hex') };
  }
}

interface Stated {
  readonly createdAt: string;
  readonly createdBy: Person | null;
  readonly origin: string;
  readonly streams: number;
  readonly files: readonly BundleFile[];
}

function statement(known: KnownExport, { createdAt, createdBy, origin, streams, files }: Stated): object {
  const { scope, words, checkpoint } = known;
  const { size, root } = checkpoint as ExportCheckpoint;
  const whole = scope.person === undefined && scope.from === undefined && scope.to === undefined && words === null;
  return {
    ...{ format: bundleFormat, id: known.id, createdAt, createdBy },
    ...{ reason: known.reason, selection: { ...scope, ...(words !== null && { words }) } },
    ...{ origin, size, root: root.toString('base64'), events: known.events, streams },
    ...{ firstOrdinal: known.firstOrdinal, lastOrdinal: known.lastOrdinal },
    ...{ contiguous: whole, fromStart: whole && known.fromStart, files },
  };
}

function originOf({ note }: ExportCheckpoint): string {
  const parsed = parseNote(note);
  const checkpoint = isFault(parsed) ? parsed : parseCheckpoint(parsed.text);
  if (isFault(checkpoint)) throw new Error(checkpoint.detail);
  return checkpoint.origin;
}
