/** The bytes of base64 in its one canonical form (RFC 4648 section 4: padded, no other characters, unused bits zero), or null. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

/** 32 bytes as they stand on a line of a checkpoint or proof, or null. */
export function decodeHash(text: string): Buffer | null {
  const bytes = text.length === 44 ? decodeBase64(text) : null;
  return bytes?.length === 32 ? bytes : null;
}
