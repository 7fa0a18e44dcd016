import { isDecimal } from './checkpoint.js';
import { type Fault, fault, isFault } from './fault.js';
import { isTreeSize } from './merkle.js';
import { type NoteSignature, noteLimits, parseNote, parseSignatures } from './note.js';
import { parseHashes, parseNumber } from './proof-text.js';

/** The request `POST <prefix>/add-checkpoint` of a log to a witness (c2sp.org/tlog-witness). */
export interface AddCheckpoint {
  /** The size of the newest checkpoint that the witness has cosigned; 0 when it has none or that is not known. */
  readonly oldSize: number;
  /** The consistency proof from that size to the size of the checkpoint. */
  readonly proof: readonly Buffer[];
  /** A signed note. */
  readonly checkpoint: string;
}

export const addCheckpointLimits = { bytes: noteLimits.bytes + 4_096 } as const;

export const encodeAddCheckpoint = ({ oldSize, proof, checkpoint }: AddCheckpoint): string =>
  [`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64')), '', checkpoint].join('\n');

/** Takes a request apart and verifies nothing. */
export function parseAddCheckpoint(body: string): AddCheckpoint | Fault {
  if (body.length > addCheckpointLimits.bytes) return fault('TooLarge', 'The request is too large.');
  const end = body.indexOf('\n\n');
  if (end < 0) return fault('Malformed', 'A request ends with a checkpoint, behind an empty line.');
  const [oldLine = '', ...hashLines] = body.slice(0, end).split('\n');
  const oldSize = parseNumber(oldLine, 'old ');
  if (oldSize === null) return fault('Malformed', 'A request begins with the old size.');
  const proof = parseHashes(hashLines);
  if (isFault(proof)) return proof;
  const checkpoint = body.slice(end + 2);
  const note = parseNote(checkpoint);
  return isFault(note) ? note : { oldSize, proof, checkpoint };
}

/** What a witness answers. */
export type WitnessAnswer =
  /** 200: lines of signatures, still to be verified. */
  | { readonly answer: 'cosigned'; readonly signatures: readonly NoteSignature[] }
  /** 409: its newest checkpoint has this size, which may be smaller or larger than what was thought. */
  | { readonly answer: 'conflict'; readonly size: number }
  /** 404: it does not know the log. */
  | { readonly answer: 'unknown-log' }
  /** 403: it does not trust the key that signed. */
  | { readonly answer: 'forbidden' }
  /** 422: the checkpoint does not continue the one that it has cosigned. */
  | { readonly answer: 'inconsistent' }
  /** 400: it could not read the request. */
  | { readonly answer: 'bad-request' };

/** Bytes of an answer after which a client may stop reading. */
export const MAX_WITNESS_ANSWER_BYTES = 65_536;

const SIZE_TYPE = 'text/x.tlog.size';
const statuses = { 'bad-request': 400, forbidden: 403, 'unknown-log': 404, inconsistent: 422 } as const;

/** Reads an answer; a fault when the protocol has no such answer, whatever a server or a proxy may have meant by it. */
export function parseWitnessAnswer(status: number, contentType: string | null, body: string): WitnessAnswer | Fault {
  if (body.length > MAX_WITNESS_ANSWER_BYTES) return fault('TooLarge', 'The answer of the witness is too large.');
  if (status === 200) {
    const signatures = parseSignatures(body);
    return isFault(signatures) ? signatures : { answer: 'cosigned', signatures };
  }
  if (status === 409) return parseConflict(contentType, body);
  for (const [answer, its] of Object.entries(statuses))
    if (status === its) return { answer: answer as keyof typeof statuses };
  return fault('Malformed', `The witness answered ${status}, which the protocol does not know.`);
}

function parseConflict(contentType: string | null, body: string): WitnessAnswer | Fault {
  const size = body.endsWith('\n') ? body.slice(0, -1) : '';
  return contentType?.split(';', 1)[0]?.trim() === SIZE_TYPE && isDecimal(size) && isTreeSize(Number(size))
    ? { answer: 'conflict', size: Number(size) }
    : fault('Malformed', 'The witness answered 409 without the size of its checkpoint.');
}

/** The answer of a witness as status, content type and body. */
export function encodeWitnessAnswer(
  answer: Exclude<WitnessAnswer, { answer: 'cosigned' }> | { answer: 'cosigned'; lines: string },
): { status: number; contentType: string; body: string } {
  if (answer.answer === 'cosigned')
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: answer.lines };
  if (answer.answer === 'conflict') return { status: 409, contentType: SIZE_TYPE, body: `${answer.size}\n` };
  return { status: statuses[answer.answer], contentType: 'text/plain; charset=utf-8', body: `${answer.answer}\n` };
}
