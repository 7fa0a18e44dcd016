import { createHash } from 'node:crypto';
import { openCheckpoint } from '../checkpoint.js';
import { type Fault, isFault } from '../fault.js';
import type { VerifierKey } from '../keys.js';
import { leafHash } from '../merkle.js';
import { openNote } from '../note.js';
import { verifyInclusion } from '../proofs.js';
import {
  type BundleManifest,
  bundleLimits,
  certificatesKeyName,
  manifestNoteText,
  parseBundleManifest,
} from './bundle-format.js';
import { EventsCheck } from './events-check.js';
import { Findings } from './findings.js';
import { readTar, type TarFile } from './tar.js';

export interface BundleKeys {
  /** Keys of the log, and those that sign its certificates. */
  readonly keys: readonly VerifierKey[];
  /** Witnesses each of which must have cosigned the checkpoint. */
  readonly witnesses: readonly VerifierKey[];
}

/** What was found, and how much was read. */
export interface BundleReport extends Findings {
  readonly events: number;
  readonly streams: number;
}

/**
 * Checks a bundle while it is read, in bounded memory. Everything that can be wrong with it is a finding; what is thrown
 * are errors of the source, such as of the disk, and says nothing about the bundle.
 */
export async function verifyBundle(bundle: AsyncIterable<Uint8Array>, keys: BundleKeys): Promise<BundleReport> {
  const check = new BundleCheck(keys);
  for await (const file of readTar(bundle)) {
    if (isFault(file)) check.findings.add('archive', {}, file.detail);
    else await check.handle(file);
    if (check.stopped) return check.report();
  }
  check.end();
  return check.report();
}

class BundleCheck {
  readonly findings = new Findings();
  private readonly events = new EventsCheck(this.findings);
  private handled = 0;
  private manifestBytes: Buffer | null = null;
  private manifest: BundleManifest | null = null;
  private unreadable = false;

  constructor(private readonly keys: BundleKeys) {}

  /** Whether there is no sense in reading on. */
  get stopped(): boolean {
    return this.unreadable || this.findings.list.some(({ code }) => code === 'archive');
  }

  report(): BundleReport {
    return Object.assign(this.findings, { events: this.events.events, streams: this.events.streams });
  }

  async handle(file: TarFile): Promise<void> {
    const place = this.handled++;
    if (place === 0) return this.readManifest(file);
    if (place === 1) return this.readSignature(file);
    const listed = this.manifest?.files[place - 2];
    if (listed?.name !== file.name) {
      this.findings.add('file', { file: file.name }, 'the manifest does not list this file at this place');
      await this.drain(file);
    } else if (file.name === 'checkpoint') await this.readCheckpoint(file);
    else if (file.name === 'events.ndjson')
      await this.digested(
        file,
        (part) => this.events.take(part),
        () => this.events.end(),
      );
    else await this.digested(file);
  }

  end(): void {
    if (this.handled === 0) this.findings.add('manifest', {}, 'there is no manifest');
    if (this.handled === 1) this.findings.add('manifest-signature', {}, 'there is no signature of the manifest');
    for (const { name } of this.manifest?.files.slice(Math.max(0, this.handled - 2)) ?? [])
      this.findings.add('file', { file: name }, 'this file is missing');
    if (this.manifest) this.events.compare(this.manifest);
  }

  private async readManifest(file: TarFile): Promise<void> {
    const bytes = file.name === 'manifest.json' ? await this.whole(file, bundleLimits.manifestBytes) : null;
    if (this.stopped) return;
    const manifest = bytes && parseBundleManifest(bytes);
    this.unreadable = manifest === null || manifest === 'another-format';
    if (manifest === 'another-format')
      this.findings.unchecked.push('The bundle has a format that this verifier does not know.');
    else if (manifest === null)
      this.findings.add('manifest', { file: file.name }, 'the bundle does not begin with a manifest of its form');
    else {
      this.manifestBytes = bytes;
      this.manifest = manifest;
      this.events.expect(manifest);
    }
  }

  private async readSignature(file: TarFile): Promise<void> {
    const { origin } = this.manifest as BundleManifest;
    if (file.name !== 'manifest.json.sig') {
      this.findings.add('manifest-signature', { file: file.name }, 'the signature does not follow the manifest');
      return this.drain(file);
    }
    const bytes = await this.whole(file, bundleLimits.signatureBytes);
    const trusted = this.keys.keys.filter(
      ({ name, type }) => name === certificatesKeyName(origin) && type === 'ed25519',
    );
    if (this.stopped) return;
    if (trusted.length === 0) {
      this.findings.unchecked.push(
        `No key ${certificatesKeyName(origin)} was given, so the manifest's signature was not checked.`,
      );
      return;
    }
    const note = bytes && openNote(bytes, trusted);
    const expected = manifestNoteText(origin, this.manifestBytes as Buffer);
    if (!note || isFault(note)) this.findings.add('manifest-signature', { file: file.name }, sentenceOf(note));
    else if (note.text !== expected)
      this.findings.add('manifest-signature', { file: file.name }, 'it is the signature of another manifest');
  }

  private async readCheckpoint(file: TarFile): Promise<void> {
    const parts: Buffer[] = [];
    const take = (part: Buffer): void => {
      if (file.bytes <= bundleLimits.checkpointBytes) parts.push(part);
    };
    await this.digested(file, take, () => this.checkCheckpoint(Buffer.concat(parts)));
  }

  private checkCheckpoint(note: Buffer): void {
    const { origin, size, root } = this.manifest as BundleManifest;
    const checkpoint = openCheckpoint(note, { origin, logKeys: this.keys.keys });
    const place = { file: 'checkpoint' };
    if (isFault(checkpoint)) this.findings.add('checkpoint', place, sentenceOf(checkpoint));
    else if (checkpoint.size !== size || checkpoint.root.toString('base64') !== root)
      this.findings.add('checkpoint', place, 'it is not the checkpoint that the manifest names');
    else
      this.events.prove = (line) =>
        verifyInclusion(line.ordinal, size, leafHash(sha256(line.envelope)), line.proof, checkpoint.root) === null;
    for (const witness of this.keys.witnesses)
      if (witness.type !== 'cosignature' || isFault(openNote(note, [witness])))
        this.findings.add('witness', place, `${witness.name} has not cosigned the checkpoint`);
  }

  /** Reads a file and compares it with the manifest; `end` is called when all of it was there. */
  private async digested(
    file: TarFile,
    handle: (part: Buffer) => void = () => {},
    end: () => void = () => {},
  ): Promise<void> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const part of file.content) {
      if (isFault(part)) return this.findings.add('archive', { file: file.name }, part.detail);
      hash.update(part);
      bytes += part.length;
      handle(part);
    }
    end();
    const listed = this.manifest?.files.find(({ name }) => name === file.name);
    if (listed?.bytes !== bytes || listed.sha256 !== hash.digest('hex'))
      this.findings.add('digest', { file: file.name }, 'the file is not the one that the manifest lists');
  }

  /** The content of a small file; null when it is larger than the format allows. */
  private async whole(file: TarFile, limit: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    for await (const part of file.content) {
      if (isFault(part)) this.findings.add('archive', { file: file.name }, part.detail);
      else if (file.bytes <= limit) parts.push(part);
    }
    return file.bytes <= limit ? Buffer.concat(parts) : null;
  }

  private async drain(file: TarFile): Promise<void> {
    for await (const part of file.content)
      if (isFault(part)) this.findings.add('archive', { file: file.name }, part.detail);
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

const sentenceOf = (fault: Fault | null): string => fault?.detail ?? 'the file is too large';
