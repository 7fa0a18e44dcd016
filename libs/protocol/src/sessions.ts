import { z } from 'zod';

// Answers -----------------------------------------------------------------------------------------------------------

export const publicKeysSchema = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string().describe('The public key, 32 bytes in base64url.'),
      kid: z.string().describe('The `kid` in the header of tokens that this key checks.'),
      use: z.literal('sig'),
      alg: z.literal('EdDSA'),
    }),
  ),
});
export type PublicKeys = z.output<typeof publicKeysSchema>;
