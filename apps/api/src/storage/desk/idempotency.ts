import { createHmac } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { canonicalJson, type KeyRing, openText, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { derivedId } from '../../derived-id.js';
import { ownKey } from '../vault/own-key.js';

/** Hours after the last attempt for which a key is remembered. After that it is a new key. */
export const KEEP_HOURS = 24;
/** Seconds after which a request that was begun and never answered may be done again. */
const GIVEN_UP_SECONDS = 15;

export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
  /** What a read has to wait for, where the answer came before the read models had taken it in. */
  readonly position?: string;
}

export type Beginning =
  /** The request is to be done; ids of what it creates derive from `repeatableId`, the same for every attempt. */
  | { readonly kind: 'new'; readonly repeatableId: string }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'other-request' }
  | { readonly kind: 'in-progress' };

/**
 * Remembers what was answered to a request with an Idempotency-Key. A request whose process died is done again: the ids
 * it makes derive from the key and a seed that lasts as long as the key is remembered, and commands that find their wish fulfilled change nothing, so that is safe. Answers are
 * sealed under the person's own key, so that forgetting the person takes them along.
 */
export class Idempotency {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  async begin(userId: string, key: string, request: unknown): Promise<Beginning> {
    // Under the person's key, so that nobody can try guesses at what the request said.
    const fingerprint = createHmac('sha256', await this.keyOf(userId))
      .update(canonicalJson(request))
      .digest('hex');
    const [mine] = await this.sql<{ seed: string | null }[]>`
      insert into desk.idempotency as held (user_id, key, fingerprint) values (${userId}, ${key}, ${fingerprint})
      on conflict (user_id, key) do update set begun_at = now(), fingerprint = excluded.fingerprint,
          status = null, sealed = null, seed = case when ${this.forgotten} then gen_random_uuid() else held.seed end
        where ${this.forgotten} or (held.status is null and (held.fingerprint is null or (
          held.fingerprint = excluded.fingerprint and held.begun_at < now() - make_interval(secs => ${GIVEN_UP_SECONDS}))))
      returning seed`;
    if (mine) return { kind: 'new', repeatableId: repeatableId(userId, key, mine.seed) };
    const [held] = await this.sql<{ fingerprint: string; status: number | null; sealed: string | null }[]>`
      select fingerprint, status, sealed from desk.idempotency where user_id = ${userId} and key = ${key}`;
    if (!held) return { kind: 'in-progress' };
    if (held.fingerprint !== fingerprint) return { kind: 'other-request' };
    if (held.status === null) return { kind: 'in-progress' };
    return { kind: 'answered', answer: { status: held.status, ...(await this.opened(userId, key, held.sealed)) } };
  }

  async answered(userId: string, key: string, { status, ...told }: StoredAnswer): Promise<void> {
    const sealed = sealText(JSON.stringify(told), await this.keyOf(userId), `${userId}|${key}`);
    await this
      .sql`update desk.idempotency set status = ${status}, sealed = ${sealed} where user_id = ${userId} and key = ${key}`;
  }

  /** The request was refused, so nothing came of it: the key is free. */
  async refused(userId: string, key: string): Promise<void> {
    await this.sql`delete from desk.idempotency where user_id = ${userId} and key = ${key} and status is null`;
  }

  /** The outcome of the request is unknown: it may be sent again at once, and then creates the same ids. */
  async abandoned(userId: string, key: string): Promise<void> {
    await this.sql`
      update desk.idempotency set fingerprint = null where user_id = ${userId} and key = ${key} and status is null`;
  }

  async sweep(): Promise<void> {
    await this.sql`delete from desk.idempotency as held where ${this.forgotten}`;
  }

  private get forgotten() {
    return this.sql`held.begun_at < now() - make_interval(hours => ${KEEP_HOURS})`;
  }

  private async opened(userId: string, key: string, sealed: string | null): Promise<Omit<StoredAnswer, 'status'>> {
    const text = sealed === null ? null : openText(sealed, await this.keyOf(userId), `${userId}|${key}`);
    return text === null ? { body: undefined } : JSON.parse(text);
  }

  private keyOf(userId: string): Promise<Buffer> {
    return ownKey(this.keys, userStream(userId));
  }
}

const repeatableId = (userId: string, key: string, seed: string | null): string =>
  derivedId('idempotency key', userId, key, ...(seed === null ? [] : [seed]));
