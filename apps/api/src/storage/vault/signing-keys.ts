import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { openText, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';

/** Seconds for which a key signs. */
export const SIGNING_SECONDS = 30 * 86_400;
/** Seconds by which the clocks of two replicas may differ; for as long a key is known before its time, and after it. */
const CLOCK_SKEW = 60;

export interface SigningKey {
  readonly id: string;
  readonly private: KeyObject;
  readonly public: KeyObject;
}

/** The public half of a key as others may have it: a JSON Web Key (RFC 7517, RFC 8037). */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/**
 * The Ed25519 keys that sign access tokens, in the vault and wrapped by the master key. Time is cut into spans of 30 days, and the
 * id of a key is the number of its span. So no replica has to be told that a key is due: whoever needs it first makes it, and
 * of two that do so at once, the one that the table has is everybody's.
 */
export class SigningKeys {
  private readonly known = new Map<string, Promise<SigningKey>>();

  constructor(
    private readonly sql: Sql,
    private readonly master: Buffer,
    private readonly clock: Clock,
    /** Seconds for which a token is good after it was signed. */
    private readonly tokenLife: number,
  ) {}

  /** The key to sign with now. */
  current(): Promise<SigningKey> {
    return this.obtain(spanOf(this.seconds()));
  }

  /** The key of this id, while tokens signed with it can be good; null otherwise. What others invent is never looked up. */
  async find(id: string): Promise<SigningKey | null> {
    const span = this.spansInUse().find((one) => idOf(one) === id);
    return span === undefined ? null : this.obtain(span);
  }

  /** The public halves of all keys that tokens which are good now, or signed in the next day, can be signed with. */
  async published(): Promise<PublicKey[]> {
    const spans = new Set([...this.spansInUse(), spanOf(this.seconds() + 86_400)]);
    const keys = await Promise.all([...spans].map((span) => this.obtain(span)));
    return keys.map((key) => ({ ...publicPart(key), kid: key.id, use: 'sig', alg: 'EdDSA' }));
  }

  /** Removes keys whose tokens have all ended. */
  async sweep(): Promise<void> {
    const oldest = Math.min(...this.spansInUse());
    for (const id of this.known.keys()) if (Number(id) < oldest) this.known.delete(id);
    // Keys of the time before spans have other ids; they sign nothing any more.
    await this.sql`
      delete from vault.signing_keys
      where case when id ~ '^[0-9]{1,9}$' then id::int < ${oldest} else created_at < now() - interval '1 day' end`;
  }

  private spansInUse(): number[] {
    const now = this.seconds();
    return [...new Set([spanOf(now - this.tokenLife - CLOCK_SKEW), spanOf(now), spanOf(now + CLOCK_SKEW)])];
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
      // A failure is of the moment; the next who asks tries again.
      key.catch(() => this.known.delete(id));
    }
    return key;
  }

  private async load(id: string): Promise<SigningKey> {
    const [kept] = await this.read(id);
    if (kept) return this.open(id, kept.wrapped);
    const fresh = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await this.sql`
      insert into vault.signing_keys (id, wrapped) values (${id}, ${sealText(String(fresh), this.master, id)})
      on conflict (id) do nothing`;
    const [made] = await this.read(id);
    if (!made) throw new Error(`The signing key ${id} has gone from the vault.`);
    return this.open(id, made.wrapped);
  }

  private read(id: string) {
    return this.sql<{ wrapped: string }[]>`select wrapped from vault.signing_keys where id = ${id}`;
  }

  private open(id: string, wrapped: string): SigningKey {
    const pem = openText(wrapped, this.master, id);
    if (!pem) throw new Error('A signing key in the vault does not open with this master key.');
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
