import { createHash, hkdfSync, randomBytes } from 'node:crypto';

/** Bytes of codes, tokens and ids of messages: the length that clients expect, all random. */
const BYTES = 12;
const SALT_BYTES = 32;

/** An unguessable code, token or id: 24 hexadecimal digits. */
export const newChatSecret = (): string => randomBytes(BYTES).toString('hex');

/** What is stored instead of a code or token. A plain hash suffices for 96 random bits. */
export const chatSecretHash = (kind: 'code' | 'token', secret: string): string =>
  createHash('sha256').update(`ephemeral chat ${kind} ${secret}`).digest('base64url');

export const newChatSalt = (): Buffer => randomBytes(SALT_BYTES);

/**
 * The key of the texts of a chat (HKDF, RFC 5869). It needs the code, which only the participants have, the salt, which is
 * destroyed with the chat, and a key of the vault, which the master key outside the database protects; it is stored nowhere.
 */
export const chatKey = (code: string, salt: Buffer, vault: Buffer): Buffer =>
  Buffer.from(
    hkdfSync('sha256', Buffer.concat([Buffer.from(code, 'hex'), vault]), salt, 'texts of an ephemeral chat', 32),
  );
