import { LRUCache } from 'lru-cache';
import type { Client } from './client.js';
import type { LedgerEntry } from './session-ledger.js';

/** Clients of which it is remembered that they are connected elsewhere now. */
const REMEMBERED = 10_000;

/** The clients that are connected here. There is one for each client id: a later connection ends the one before it. */
export class Clients {
  private readonly all = new Set<Client>();
  private readonly byKey = new Map<string, Client>();
  private readonly byUser = new Map<string, Set<Client>>();
  private readonly taken = new LRUCache<string, bigint>({ max: REMEMBERED });

  [Symbol.iterator](): IterableIterator<Client> {
    return this.all.values();
  }

  get size(): number {
    return this.all.size;
  }

  get people(): number {
    return this.byUser.size;
  }

  add(client: Client): void {
    this.all.add(client);
    const own = this.byUser.get(client.actor.id) ?? new Set();
    this.byUser.set(client.actor.id, own.add(client));
    if (client.entry) this.byKey.set(client.entry.client, client);
  }

  remove(client: Client): void {
    this.all.delete(client);
    const own = this.byUser.get(client.actor.id);
    own?.delete(client);
    if (own?.size === 0) this.byUser.delete(client.actor.id);
    const key = client.entry?.client;
    if (key !== undefined && this.byKey.get(key) === client) this.byKey.delete(key);
  }

  of(userId: string): Iterable<Client> {
    return this.byUser.get(userId) ?? [];
  }

  /**
   * The client has connected again, here or elsewhere: with this number, if it is known. Ends the connection before it, and
   * resolves when it is let go of.
   */
  async takeOver(key: string, connection: bigint | null = null): Promise<void> {
    if (connection !== null && connection > (this.taken.get(key) ?? -1n)) this.taken.set(key, connection);
    const client = this.byKey.get(key);
    if (!client?.entry || (connection !== null && client.entry.connection >= connection)) return;
    client.end('takenOver');
    await client.finish().catch(() => undefined);
  }

  /** Whether the client has connected again since this connection began. */
  isTaken({ client, connection }: LedgerEntry): boolean {
    return (this.taken.get(client) ?? -1n) > connection;
  }
}
