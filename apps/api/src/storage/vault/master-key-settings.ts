import { z } from 'zod';

const blank = (value: unknown) => (value === '' ? undefined : value);
const BYTES = /^[A-Za-z0-9+/]{43}=$/;
const FILE = /^file(:.+)?$/;
/** Names that the key server allows, none of them empty or a path step. */
const TRANSIT = /^transit\+https?:\/\/[^/?#@\s]+(\/(?!\.)[A-Za-z0-9._-]+){2,}$/;

const place = z.preprocess(
  blank,
  z
    .string()
    .refine(
      (text) => BYTES.test(text) || FILE.test(text) || TRANSIT.test(text),
      'must be 32 bytes in base64, file:<path>, or transit+https://<host>:<port>/<mount>/<key>',
    )
    .optional(),
);

/** Where the master key is, and how to use a key server. */
export const masterKeySettings = {
  MASTER_KEY: place,
  MASTER_KEY_BEFORE: place,
  KMS_TOKEN: z.preprocess(blank, z.string().optional()),
  KMS_TOKEN_FILE: z.preprocess(blank, z.string().optional()),
  KMS_NAMESPACE: z.preprocess(blank, z.string().optional()),
  KMS_CA_FILE: z.preprocess(blank, z.string().optional()),
  KMS_HOLD_MINUTES: z.preprocess(blank, z.coerce.number().int().min(1).max(43_200).default(1_440)),
};

export type MasterKeySettings = z.infer<z.ZodObject<typeof masterKeySettings>>;
