import { LRUCache } from 'lru-cache';
import type { Client } from './client.js';
import type { LedgerEntry } from './session-ledger.js';

/** Clients remembered as connected elsewhere. */
const REMEMBERED = 10_000;

/** The clients connected to this process, one per client id: a later connection ends the earlier one. */
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
   * Ends the connection of a client that has connected again, here or elsewhere. `connection` is the new one's number, if known.
   * Resolves when the client is released.
   */
  async takeOver(key: string, connection: bigint | null = null): Promise<void> {
    if (connection !== null && connection > (this.taken.get(key) ?? -1n)) this.taken.set(key, connection);
    const client = this.byKey.get(key);
    if (!client?.entry || (connection !== null && client.entry.connection >= connection)) return;
    client.end('takenOver');
    await client.finish().catch(() => undefined);
  }

  /** Whether the client has connected again since. */
  isTaken({ client, connection }: LedgerEntry): boolean {
    return (this.taken.get(client) ?? -1n) > connection;
  }
}
