import type { KeyRing } from '@verbatim/event-store';
import {
  certificatesKeyName,
  encodeVerifierKey,
  isFault,
  parseVerifierKey,
  type SigningKey,
  signingKey,
  type VerifierKey,
} from '@verbatim/transparency';
import type { Sql } from 'postgres';

/** A log key in the vault does not match its published public half. */
export class WrongLogKey extends Error {}

/** One key as operators and auditors see it. */
export interface PublishedKey {
  /** `<name>+<id>+<base64>`. */
  readonly text: string;
  readonly key: VerifierKey;
  readonly createdAt: Date;
  /** Until when it signs beside its successor; null if it has none. */
  readonly signsUntil: Date | null;
}

/**
 * The Ed25519 keys that sign checkpoints and, under a name of their own, certificates. Their seeds are keys of the vault's
 * key ring, so that they are wrapped like all others. Public halves are never deleted: old checkpoints are checked with them.
 */
export class LogKeys {
  constructor(
    private readonly sql: Sql,
    private readonly ring: KeyRing,
  ) {}

  /** The keys that sign checkpoints of this origin now: one, or two during a rotation. */
  checkpointKeys(origin: string): Promise<SigningKey[]> {
    return this.signing(origin);
  }

  /** The keys that sign certificates and manifests. */
  certificateKeys(origin: string): Promise<SigningKey[]> {
    return this.signing(certificatesKeyName(origin));
  }

  /** The public halves of all keys there have been, the oldest first. */
  async published(): Promise<PublishedKey[]> {
    const rows = await this.sql<KeyRow[]>`
      select name, number, verifier_key, created_at, signs_until from vault.log_keys order by created_at, name, number`;
    return rows.map((row) => ({
      ...{ text: row.verifier_key, key: publicHalf(row) },
      ...{ createdAt: row.created_at, signsUntil: row.signs_until },
    }));
  }

  /** Creates the first keys of an origin if it has none. */
  async ensure(origin: string): Promise<void> {
    for (const name of [origin, certificatesKeyName(origin)]) await this.add(name, 1);
  }

  /** Creates new keys for an origin; the previous ones keep signing beside them for this many days. */
  async rotate(origin: string, days: number): Promise<void> {
    for (const name of [origin, certificatesKeyName(origin)]) {
      const rows = await this.rowsOf(name);
      await this.add(name, (rows.at(-1)?.number ?? 0) + 1);
      await this.sql`
        update vault.log_keys set signs_until = now() + make_interval(days => ${days})
        where name = ${name} and (signs_until is null or signs_until > now() + make_interval(days => ${days}))
          and number < (select max(number) from vault.log_keys where name = ${name})`;
    }
  }

  private async signing(name: string): Promise<SigningKey[]> {
    const rows = await this.sql<KeyRow[]>`
      select name, number, verifier_key, created_at, signs_until from vault.log_keys
      where name = ${name} and (signs_until is null or signs_until > now()) order by number`;
    return Promise.all(rows.map((row) => this.open(row)));
  }

  private rowsOf(name: string): Promise<KeyRow[]> {
    return this.sql<KeyRow[]>`
      select name, number, verifier_key, created_at, signs_until from vault.log_keys
      where name = ${name} order by number`;
  }

  private async add(name: string, number: number): Promise<void> {
    const inRing = nameInRing(name, number);
    const seed = (await this.ring.obtain([inRing])).get(inRing);
    if (!seed) throw new WrongLogKey(`The key ${name} is missing from the vault.`);
    const text = encodeVerifierKey(signingKey(name, 'ed25519', seed));
    await this.sql`
      insert into vault.log_keys (name, number, verifier_key) values (${name}, ${number}, ${text}) on conflict do nothing`;
  }

  private async open(row: KeyRow): Promise<SigningKey> {
    const inRing = nameInRing(row.name, row.number);
    const seed = (await this.ring.find([inRing])).get(inRing);
    const key = seed && signingKey(row.name, 'ed25519', seed);
    if (!key || encodeVerifierKey(key) !== row.verifier_key)
      throw new WrongLogKey(`The key ${row.name} in the vault does not match its verifier key.`);
    return key;
  }
}

const nameInRing = (name: string, number: number): string => `log-key|${name}|${number}`;

interface KeyRow {
  name: string;
  number: number;
  verifier_key: string;
  created_at: Date;
  signs_until: Date | null;
}

function publicHalf({ verifier_key }: KeyRow): VerifierKey {
  const key = parseVerifierKey(verifier_key);
  if (isFault(key)) throw new WrongLogKey(`A verifier key in the vault cannot be read: ${key.detail}`);
  return key;
}
