import { isFault, isKeyName, parseVerifierKey, type VerifierKey, verifierKey } from '@verbatim/transparency';
import { z } from 'zod';

/** A witness that is asked to cosign checkpoints. */
export interface WitnessSetting {
  readonly key: VerifierKey;
  /** Checkpoints are posted to `<url>/add-checkpoint`. */
  readonly url: string;
}

const blank = (value: unknown) => (value === '' ? undefined : value);
const MAX_ORIGIN_BYTES = 200;
const MAX_WITNESSES = 20;

/** Settings of the transparency log. */
export const auditLogSettings = {
  AUDIT_LOG: z.preprocess(blank, z.enum(['public', 'auditors', 'off']).default('auditors')),
  AUDIT_LOG_ORIGIN: z.preprocess(
    blank,
    z
      .string()
      .refine(isOrigin, 'must be a name without spaces, plus signs and a scheme, such as chat.example.org/log')
      .optional(),
  ),
  AUDIT_WITNESSES: z
    .string()
    .default('')
    .transform((list) => list.split(/[,\n]/).map((entry) => entry.trim()))
    .transform((entries) => entries.filter((entry) => entry !== '').map(readWitness))
    .refine(
      (witnesses) => witnesses.every((witness) => witness !== null),
      'must be "<verifier key> <url>" for each witness, with commas or newlines between them; keys of type cosignature/v1',
    )
    .transform((witnesses) => witnesses.filter((witness) => witness !== null))
    .refine((witnesses) => witnesses.length <= MAX_WITNESSES, `must name at most ${MAX_WITNESSES} witnesses`)
    .refine(
      (witnesses) => new Set(witnesses.map(({ key }) => key.name)).size === witnesses.length,
      'must name each witness once',
    ),
  AUDIT_QUORUM: z.preprocess(blank, z.coerce.number().int().min(0).max(MAX_WITNESSES).default(0)),
  AUDIT_WITNESS_FILE: z.preprocess(blank, z.string().optional()),
};

function readWitness(entry: string): WitnessSetting | null {
  const [keyText = '', url = '', ...more] = entry.split(/\s+/);
  const key = parseVerifierKey(keyText);
  const isUrl = /^https?:\/\/[^\s]+$/.test(url) && URL.canParse(url);
  if (isFault(key) || key.type !== 'cosignature' || !isUrl || more.length > 0) return null;
  return { key, url: url.replace(/\/+$/, '') };
}

function isOrigin(origin: string): boolean {
  if (/\p{Cc}/u.test(origin) || origin.includes('://') || Buffer.byteLength(origin) > MAX_ORIGIN_BYTES) return false;
  return isKeyName(origin) && verifierKey(origin, 'ed25519', Buffer.alloc(32)).name === origin;
}

/** The origin of the nth tree of a service: the first one has the origin of the service itself. */
export const originOfTree = (origin: string, number: number): string => (number === 1 ? origin : `${origin}/${number}`);

/** The number of the tree of this service that has this origin; null when it is another service's. */
export function numberOfTree(origin: string, ofTree: string): number | null {
  if (ofTree === origin) return 1;
  const number = ofTree.startsWith(`${origin}/`) ? Number(ofTree.slice(origin.length + 1)) : Number.NaN;
  return Number.isSafeInteger(number) && number > 1 ? number : null;
}
