const TIMESTAMP_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** What a witness signs for the text of a checkpoint that it saw at `time`, in seconds since 1970. */
export const cosignatureMessage = (text: string, time: number): Buffer =>
  Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);

/** Takes a `timestamped_signature` apart; null when it is none, or from later than any clock of ours will show. */
export function parseCosignature(bytes: Buffer): { time: number; signature: Buffer } | null {
  if (bytes.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) return null;
  const time = Number(bytes.readBigUInt64BE());
  return Number.isSafeInteger(time) ? { time, signature: bytes.subarray(TIMESTAMP_BYTES) } : null;
}
