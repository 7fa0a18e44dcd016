import { createHmac } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { canonicalJson, type KeyRing, openOwn, ownKey, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { derivedId } from '../../derived-id.js';

/** Hours after the last attempt for which a key is kept. */
export const KEEP_HOURS = 24;
/** Seconds after which a request that was never answered may be repeated. */
const ABANDONED_AFTER_SECONDS = 15;

export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
  /** What a read has to wait for, if the response was sent before the read models had caught up. */
  readonly position?: string;
}

export type Beginning =
  /** The request is to be executed; the ids it creates derive from `repeatableId`, the same for every attempt. */
  | { readonly kind: 'new'; readonly repeatableId: string }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'other-request' }
  | { readonly kind: 'in-progress' };

/**
 * Keeps the responses to requests with an Idempotency-Key. A request whose process died is executed again, which is safe: the
 * ids it creates derive from the key and a seed that is kept with it, and repeated commands change nothing. Responses are
 * sealed under the user's own key, so that they become unreadable with it.
 */
export class Idempotency {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  async begin(userId: string, key: string, request: unknown): Promise<Beginning> {
    // Keyed with the user's key, so that the content of the request cannot be guessed from it.
    const fingerprint = createHmac('sha256', await this.keyOf(userId))
      .update(canonicalJson(request))
      .digest('hex');
    const [mine] = await this.sql<{ seed: string | null }[]>`
      insert into desk.idempotency as held (user_id, key, fingerprint) values (${userId}, ${key}, ${fingerprint})
      on conflict (user_id, key) do update set begun_at = now(), fingerprint = excluded.fingerprint,
          status = null, sealed = null, seed = case when ${this.forgotten} then gen_random_uuid() else held.seed end
        where ${this.forgotten} or (held.status is null and (held.fingerprint is null or (
          held.fingerprint = excluded.fingerprint and held.begun_at < now() - make_interval(secs => ${ABANDONED_AFTER_SECONDS}))))
      returning seed`;
    if (mine) return { kind: 'new', repeatableId: repeatableId(userId, key, mine.seed) };
    const [held] = await this.sql<{ fingerprint: string; status: number | null; sealed: string | null }[]>`
      select fingerprint, status, sealed from desk.idempotency where user_id = ${userId} and key = ${key}`;
    if (!held) return { kind: 'in-progress' };
    if (held.fingerprint !== fingerprint) return { kind: 'other-request' };
    if (held.status === null) return { kind: 'in-progress' };
    return { kind: 'answered', answer: { status: held.status, ...(await this.opened(userId, key, held.sealed)) } };
  }

  async answered(userId: string, key: string, { status, ...answer }: StoredAnswer): Promise<void> {
    const sealed = sealText(JSON.stringify(answer), await this.keyOf(userId), `${userId}|${key}`);
    await this
      .sql`update desk.idempotency set status = ${status}, sealed = ${sealed} where user_id = ${userId} and key = ${key}`;
  }

  /** The request was rejected and changed nothing: the key is free. */
  async refused(userId: string, key: string): Promise<void> {
    await this.sql`delete from desk.idempotency where user_id = ${userId} and key = ${key} and status is null`;
  }

  /** The outcome of the request is unknown: it may be repeated at once, and then creates the same ids. */
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
    const text = sealed === null ? null : await openOwn(this.keys, userStream(userId), sealed, `${userId}|${key}`);
    return text === null ? { body: undefined } : JSON.parse(text);
  }

  private keyOf(userId: string): Promise<Buffer> {
    return ownKey(this.keys, userStream(userId));
  }
}

const repeatableId = (userId: string, key: string, seed: string | null): string =>
  derivedId('idempotency key', userId, key, ...(seed === null ? [] : [seed]));
