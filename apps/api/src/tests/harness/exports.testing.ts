import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BundleReport,
  describeFinding,
  type Envelope,
  encodeVerifierKey,
  isFault,
  openSealed,
  parseBundleLine,
  parseEnvelope,
  readTar,
  type VerifierKey,
  verifyBundle,
} from '@verbatim/transparency';
import { LogReader } from './log-reader.testing.js';
import type { TestPerson } from './test-client.testing.js';

const PATIENCE_MS = 120_000;

/** Asks for an export, waits for it, and downloads its bundle. */
export async function exported(person: TestPerson, selection: object, reason = 'Case 7'): Promise<Bundle> {
  const id = await requested(person, selection, reason);
  await finished(person, id);
  return downloaded(person, id);
}

export async function requested(person: TestPerson, selection: object, reason = 'Case 7'): Promise<string> {
  const { status, body } = await person.post('/v1/exports', { ...selection, reason });
  if (status !== 202) throw new Error(`no export: ${JSON.stringify(body)}`);
  return body.id;
}

export async function finished(person: TestPerson, id: string) {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    const { body } = await person.get(`/v1/exports/${id}`);
    if (body.status === 'done' || body.status === 'failed') return body;
    if (Date.now() > deadline) throw new Error(`The export does not end: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function downloaded(person: TestPerson, id: string): Promise<Bundle> {
  const answer = await fetch(`${person.url}/v1/exports/${id}/bundle`, {
    headers: { authorization: `Bearer ${person.accessToken}` },
  });
  if (!answer.ok) throw new Error(`no bundle: ${answer.status} ${await answer.text()}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.headers.get('content-length') !== `${bytes.length}`) throw new Error('The bundle has another length.');
  return Bundle.open(bytes);
}

/** What an event of a bundle says to whoever has the bundle. */
export interface ToldEvent extends Envelope {
  readonly ordinal: number;
  readonly actor: string | null;
  readonly data: Record<string, unknown>;
  /** What its key opens; null without a key. */
  readonly opened: Record<string, unknown> | null;
}

/** A bundle taken apart. */
export class Bundle {
  private constructor(
    readonly bytes: Buffer,
    readonly files: ReadonlyMap<string, Buffer>,
  ) {}

  static async open(bytes: Buffer): Promise<Bundle> {
    const files = new Map<string, Buffer>();
    for await (const file of readTar(inOne(bytes))) {
      if (isFault(file)) throw new Error(file.detail);
      const parts: Buffer[] = [];
      for await (const part of file.content) {
        if (isFault(part)) throw new Error(part.detail);
        parts.push(part);
      }
      files.set(file.name, Buffer.concat(parts));
    }
    return new Bundle(bytes, files);
  }

  text(file: string): string {
    return this.files.get(file)?.toString() ?? '';
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look at every field of it
  get manifest(): any {
    return JSON.parse(this.text('manifest.json'));
  }

  get events(): ToldEvent[] {
    const lines = this.text('events.ndjson').split('\n').slice(0, -1);
    return lines.map((text) => {
      const line = parseBundleLine(Buffer.from(text));
      const envelope = line && parseEnvelope(line.envelope);
      if (!line || !envelope) throw new Error(`No line of a bundle: ${text}`);
      const opened = line.key ? JSON.parse(openSealed(envelope, line.key) ?? 'null') : null;
      const { actor, data } = JSON.parse(line.envelope.toString());
      return { ...envelope, ordinal: line.ordinal, actor, data, opened };
    });
  }

  /** The texts of messages that can be read from it, in order. */
  get texts(): unknown[] {
    return this.events
      .filter(({ type }) => type === 'MessagePosted' || type === 'MessageEdited')
      .map(({ opened }) => opened?.text ?? null);
  }

  /** What our verifier says. */
  async verdict(url: string): Promise<string[]> {
    const report: BundleReport = await verifyBundle(inOne(this.bytes), { keys: await keysOf(url), witnesses: [] });
    return [...report.list.map(describeFinding), ...report.unchecked];
  }

  /** What a verifier that is a program says. */
  checkedBy(program: readonly string[], keys: readonly VerifierKey[], more: readonly string[] = []) {
    return checkedBy(program, this.bytes, keys, more);
  }
}

let files = 0;

/** Exit code and output of a verifier that is a program. */
export async function checkedBy(
  [file = '', ...first]: readonly string[],
  bundle: Buffer,
  keys: readonly VerifierKey[],
  more: readonly string[] = [],
) {
  const path = join(tmpdir(), `bundle-${process.pid}-${++files}.tar`);
  await writeFile(path, bundle);
  try {
    const args = [...first, path, ...keys.flatMap((key) => ['--key', encodeVerifierKey(key)]), ...more];
    return await new Promise<{ code: number; output: string }>((resolve) => {
      execFile(file, args, { timeout: 120_000 }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });
  } finally {
    await rm(path, { force: true });
  }
}

/** `npm run cli -- verify`, as it was built. */
export const ourVerifier: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../../dist/cli.js', import.meta.url)),
  'verify',
];

export const keysOf = (url: string): Promise<VerifierKey[]> => new LogReader(url).keys();

async function* inOne(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
