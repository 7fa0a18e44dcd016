import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { RootKeys, Wrapped } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';

/** Seconds for which a key signs. */
const SIGNING_SECONDS = 30 * 86_400;
/** Allowed difference between the clocks of two replicas; a key is accepted for as long before and after its time. */
const CLOCK_SKEW_SECONDS = 60;

export interface SigningKey {
  readonly id: string;
  readonly private: KeyObject;
  readonly public: KeyObject;
}

/** The public half of a key: a JSON Web Key (RFC 7517, RFC 8037). */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/**
 * The Ed25519 keys that sign access tokens, in the vault and wrapped by a root key. Time is divided into spans of 30 days,
 * and the id of a key is the number of its span. The replica that needs a key first creates it; if two do so at once, the
 * one in the table wins.
 */
export class SigningKeys {
  private readonly known = new Map<string, Promise<SigningKey>>();

  constructor(
    private readonly sql: Sql,
    private readonly roots: RootKeys,
    private readonly clock: Clock,
    /** Lifetime of a token. */
    private readonly tokenSeconds: number,
  ) {}

  /** The key to sign with now. */
  current(): Promise<SigningKey> {
    return this.obtain(spanOf(this.seconds()));
  }

  /** The key with this id, while tokens signed with it can be valid; null otherwise. Made-up ids are never looked up. */
  async find(id: string): Promise<SigningKey | null> {
    const span = this.spansInUse().find((one) => idOf(one) === id);
    return span === undefined ? null : this.obtain(span);
  }

  /** The public halves of the keys of all tokens that are valid now or will be signed within a day. */
  async published(): Promise<PublicKey[]> {
    const spans = new Set([...this.spansInUse(), spanOf(this.seconds() + 86_400)]);
    const keys = await Promise.all([...spans].map((span) => this.obtain(span)));
    return keys.map((key) => ({ ...publicPart(key), kid: key.id, use: 'sig', alg: 'EdDSA' }));
  }

  /** Removes keys whose tokens have all expired. */
  async sweep(): Promise<void> {
    const oldest = Math.min(...this.spansInUse());
    for (const id of this.known.keys()) if (Number(id) < oldest) this.known.delete(id);
    // Keys of early releases have other ids; they no longer sign anything.
    await this.sql`
      delete from vault.signing_keys
      where case when id ~ '^[0-9]{1,9}$' then id::int < ${oldest} else created_at < now() - interval '1 day' end`;
  }

  private spansInUse(): number[] {
    const now = this.seconds();
    return [
      ...new Set([spanOf(now - this.tokenSeconds - CLOCK_SKEW_SECONDS), spanOf(now), spanOf(now + CLOCK_SKEW_SECONDS)]),
    ];
  }

  private seconds(): number {
    return Math.floor(this.clock().getTime() / 1_000);
  }

  private obtain(span: number): Promise<SigningKey> {
    const id = idOf(span);
    let key = this.known.get(id);
    if (!key) {
      key = this.load(id);
      this.known.set(id, key);
      // Failures are temporary; the next call tries again.
      key.catch(() => this.known.delete(id));
    }
    return key;
  }

  private async load(id: string): Promise<SigningKey> {
    const [kept] = await this.read(id);
    if (kept) return this.open(id, kept);
    const fresh = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await this.roots.sealed(
      [{ text: String(fresh), label: id }],
      ([key]) => this.sql`
        insert into vault.signing_keys (id, wrapped, root) values (${id}, ${key?.wrapped ?? ''}, ${key?.root ?? 0})
        on conflict (id) do nothing`,
    );
    const [made] = await this.read(id);
    if (!made) throw new Error(`The signing key ${id} is missing from the vault.`);
    return this.open(id, made);
  }

  private read(id: string) {
    return this.sql<Wrapped[]>`select wrapped, root from vault.signing_keys where id = ${id}`;
  }

  private async open(id: string, row: Wrapped): Promise<SigningKey> {
    await this.roots.obtain([row.root]);
    const pem = this.roots.unwrap(row, id);
    if (!pem) throw new Error('A signing key in the vault cannot be decrypted with this master key.');
    const secret = createPrivateKey(pem);
    return { id, private: secret, public: createPublicKey(secret) };
  }
}

const spanOf = (seconds: number): number => Math.max(0, Math.floor(seconds / SIGNING_SECONDS));
const idOf = (span: number): string => `${span}`;

function publicPart(key: SigningKey): Pick<PublicKey, 'kty' | 'crv' | 'x'> {
  const { x } = key.public.export({ format: 'jwk' });
  if (!x) throw new Error('This is no Ed25519 key.');
  return { kty: 'OKP', crv: 'Ed25519', x };
}
