import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  isFault,
  openNote,
  openSealed,
  parseCheckpoint,
  parseEnvelope,
  parseLogProof,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
  verifyLogProof,
} from '@verbatim/transparency';
import { type CliCommand, UsageError } from '../command.js';

/** Proofs and certificates are far smaller. */
const MAX_BYTES = 4 * 2 ** 20;

/** `npm run cli -- audit check` */
export const checkCommand: CliCommand = {
  summary: 'checks the proof of a message, or the certificate of an erasure',
  help: `Usage: npm run cli -- audit check <file> --key <verifier key>... [--witness <verifier key>]...

Checks one piece of evidence with nothing but the file and the keys: no database, no vault, no network. The file is

- the proof of a message, as GET /v1/rooms/{id}/messages/{messageId}/proof answers it: the event is in the log, and if the
  proof has a key, it says what is printed; or
- the certificate of an erasure, as GET /v1/erasures/{id} answers it.

  --key <verifier key>      a key that is trusted; may be given several times. Checkpoints are signed by the key named like the
                            log, certificates by the one that ends with /certificates
  --witness <verifier key>  a witness that must have cosigned the checkpoint of a proof; may be given several times

Exit codes: 0 when it holds; 1 when it does not, and why; 2 when the command was called wrongly; 3 when the file cannot be
read.`,

  async run(args) {
    const { file, keys, witnesses } = readOptions(args);
    const text = await contentOf(file);
    if (text === null) {
      process.stderr.write(`${file} cannot be read, or is larger than 4 MiB.\n`);
      return 3;
    }
    const proof = parseProof(text);
    const result = proof ? checkProof(proof, keys, witnesses) : checkCertificate(text, keys);
    if ('wrong' in result) {
      process.stdout.write(`It does not hold: ${result.wrong}\n`);
      return 1;
    }
    process.stdout.write(`${result.holds.join('\n')}\n`);
    return 0;
  },
};

type Result = { readonly holds: readonly string[] } | { readonly wrong: string };

interface Proof {
  readonly revision: number;
  readonly ordinal: number;
  readonly envelope: string;
  readonly key: string | null;
  readonly proof: string;
}

function readOptions(args: readonly string[]) {
  const { values, positionals } = parsed(args);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('Name the one file to check.');
  const keys = (values.key ?? []).map(verifierKey);
  if (keys.length === 0) throw new UsageError('Give at least one --key: nothing can be checked without a trusted key.');
  return { file, keys, witnesses: (values.witness ?? []).map(verifierKey) };
}

function parsed(args: readonly string[]) {
  const many = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({ args: [...args], options: { key: many, witness: many }, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function verifierKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (isFault(key)) throw new UsageError(`${text} is not a verifier key: ${key.detail}`);
  return key;
}

async function contentOf(file: string): Promise<string | null> {
  try {
    return (await stat(file)).size > MAX_BYTES ? null : await readFile(file, 'utf8');
  } catch {
    return null;
  }
}

/** The proof in a file; null if it is something else. */
function parseProof(text: string): Proof | null {
  try {
    const found = JSON.parse(text) as Partial<Proof> | null;
    const { envelope, proof, key } = found ?? {};
    const complete = typeof envelope === 'string' && typeof proof === 'string';
    return complete && (key === null || typeof key === 'string') ? (found as Proof) : null;
  } catch {
    return null;
  }
}

function checkProof(given: Proof, keys: readonly VerifierKey[], witnessKeys: readonly VerifierKey[]): Result {
  const bytes = Buffer.from(given.envelope, 'base64');
  const entry = createHash('sha256').update(bytes).digest();
  const origin = originOf(given.proof);
  const policy = { origin, logKeys: keys, witnessKeys, quorum: witnessKeys.length };
  const verified = verifyLogProof(given.proof, entry, policy);
  if (isFault(verified)) return { wrong: verified.detail };
  const event = parseEnvelope(bytes);
  if (!event) return { wrong: 'The log entry is not an event.' };
  if (verified.index !== given.ordinal || event.revision !== given.revision)
    return { wrong: 'The ordinal or revision given with the proof does not match the event.' };
  const opened = given.key === null ? null : openSealed(event, Buffer.from(given.key, 'base64'));
  if (given.key !== null && opened === null) return { wrong: 'The key does not open the text of this event.' };
  const { size, cosignatures } = verified.checkpoint;
  const { at, actor, data } = JSON.parse(bytes.toString()) as { at?: unknown; actor?: unknown; data: object };
  const messageId = (data as { messageId?: unknown }).messageId;
  return {
    holds: [
      `It holds: entry ${given.ordinal} of the log ${origin}, which had ${size} entries when the checkpoint was signed.`,
      `Cosigned by ${cosignatures.map(({ key }) => key.name).join(', ') || 'no witness that was named'}.`,
      // As JSON, so that nothing in them can look like a line of this report or control the terminal.
      ...Object.entries({ stream: event.stream, revision: event.revision, type: event.type, at, actor, messageId }).map(
        ([name, value]) => `${name}: ${printable(value)}`,
      ),
      opened === null
        ? 'text: not in this proof, because it was redacted, erased or left out'
        : `text: ${printable(textIn(opened))}`,
    ],
  };
}

/** The log that a proof claims to be about; its key has to be among the trusted ones. */
function originOf(proof: string): string {
  const parts = parseLogProof(proof);
  const note = isFault(parts) ? parts : parseNote(parts.checkpoint);
  const checkpoint = isFault(note) ? note : parseCheckpoint(note.text);
  return isFault(checkpoint) ? '' : checkpoint.origin;
}

/** The text among the fields that were sealed together. */
function textIn(opened: string): unknown {
  try {
    return (JSON.parse(opened) as { text?: unknown } | null)?.text ?? opened;
  } catch {
    return opened;
  }
}

/** Escaped to ASCII except for letters: no control characters, no bidirectional marks. */
const printable = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (mark) => `\\u{${mark.codePointAt(0)?.toString(16)}}`,
  );

const CERTIFICATES = '/certificates';

function checkCertificate(text: string, keys: readonly VerifierKey[]): Result {
  const note = openNote(text, keys);
  if (isFault(note)) return { wrong: note.detail };
  const [form, origin, statement = ''] = note.text.split('\n');
  if (form !== 'verbatim-erasure/1')
    return { wrong: 'It is signed, but it is neither a proof nor a certificate of an erasure.' };
  if (!note.verified.some(({ key }) => key.name === `${origin}${CERTIFICATES}`))
    return { wrong: `A certificate must be signed by the key ${origin}${CERTIFICATES}, and this one is not.` };
  const lines = Object.entries(JSON.parse(statement) as object).map(([name, value]) => `${name}: ${printable(value)}`);
  return { holds: [`It holds: the service with the log ${origin} has certified this erasure.`, ...lines] };
}
