import {
  encodeAddCheckpoint,
  encodeNote,
  type Fault,
  fault,
  isFault,
  MAX_WITNESS_ANSWER_BYTES,
  type NoteSignature,
  parseNote,
  parseWitnessAnswer,
  verifyCosignatures,
  type WitnessAnswer,
} from '@verbatim/transparency';
import type { WitnessSetting } from '../../storage/transparency/audit-log-settings.js';

/** Milliseconds that a witness has to answer. */
export const WITNESS_ANSWER_MS = 10_000;
/** Seconds by which the clock of a witness may be ahead of ours. */
const CLOCK_AHEAD_SECONDS = 300;

/** Asks a witness to cosign a checkpoint (c2sp.org/tlog-witness). Rejects when it cannot be reached or does not answer in time. */
export async function addCheckpoint(
  { url }: WitnessSetting,
  request: { oldSize: number; proof: readonly Buffer[]; checkpoint: string },
  until: AbortSignal,
): Promise<WitnessAnswer | Fault> {
  const response = await fetch(`${url}/add-checkpoint`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: encodeAddCheckpoint(request),
    redirect: 'error',
    signal: AbortSignal.any([until, AbortSignal.timeout(WITNESS_ANSWER_MS)]),
  });
  const body = await textOf(response);
  return isFault(body) ? body : parseWitnessAnswer(response.status, response.headers.get('content-type'), body);
}

/** Reads no more than the largest allowed answer. */
async function textOf({ body }: Response): Promise<string | Fault> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > MAX_WITNESS_ANSWER_BYTES) return fault('TooLarge', 'The answer of the witness is too large.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The verified cosignature of this witness in its answer, and when it says it saw the checkpoint. */
export function cosignatureIn(
  checkpoint: string,
  signatures: readonly NoteSignature[],
  { key }: WitnessSetting,
  now: Date,
): { signature: Buffer; time: number } | Fault {
  const own = signatures.find(({ name, keyId }) => name === key.name && keyId === key.id);
  if (!own) return fault('NotSigned', 'The witness answered without a cosignature by its key.');
  const note = parseNote(checkpoint);
  if (isFault(note)) return note;
  const cosigned = parseNote(encodeNote({ text: note.text, signatures: [own] }));
  const verified = isFault(cosigned) ? cosigned : verifyCosignatures(cosigned, [key]);
  if (isFault(verified)) return verified;
  const [cosignature] = verified;
  if (!cosignature) return fault('NotSigned', 'The witness answered without a cosignature by its key.');
  if (cosignature.time > now.getTime() / 1_000 + CLOCK_AHEAD_SECONDS)
    return fault('BadSignature', 'The cosignature is from the future.');
  return { signature: own.signature, time: cosignature.time };
}
