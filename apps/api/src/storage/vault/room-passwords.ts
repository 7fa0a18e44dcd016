import { v4 as uuidv4 } from 'uuid';
import { VaultSql } from './vault-sql.js';

/** A room password whose use has yet to be checked. */
export interface UncheckedPassword {
  readonly id: string;
  readonly roomId: string;
}

/** The hashes of room passwords. `unchecked_since` is set while a change of the room's password is under way. */
export class RoomPasswordHashes {
  constructor(private readonly vault: VaultSql) {}

  /** Stores a hash and returns its id. */
  async add(roomId: string, hash: string): Promise<string> {
    const id = uuidv4();
    await this.vault.sql`
      insert into vault.room_passwords (id, room_id, password_hash) values (${id}, ${roomId}, ${hash})`;
    return id;
  }

  async find(id: string | null): Promise<string | null> {
    const [row] = await this.vault.sql<
      { password_hash: string }[]
    >`select password_hash from vault.room_passwords where id = ${id}`;
    return row?.password_hash ?? null;
  }

  /** Marks all passwords of a room as in need of a check. */
  async markUnchecked(roomId: string): Promise<void> {
    await this.vault.sql`update vault.room_passwords set unchecked_since = now() where room_id = ${roomId}`;
  }

  /** Passwords marked at least `minutes` ago, the oldest mark first. */
  async unchecked(minutes: number, limit: number): Promise<UncheckedPassword[]> {
    const rows = await this.vault.sql<{ id: string; room_id: string }[]>`
      select id, room_id from vault.room_passwords where ${this.markedBefore(minutes)}
      order by unchecked_since limit ${limit}`;
    return rows.map(({ id, room_id }) => ({ id, roomId: room_id }));
  }

  /** Removes the mark, unless it was set again less than `minutes` ago. */
  async markChecked(id: string, minutes: number): Promise<void> {
    await this.vault.sql`
      update vault.room_passwords set unchecked_since = null where id = ${id} and ${this.markedBefore(minutes)}`;
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.vault.sql`delete from vault.room_passwords where id = any(${[...ids]}::uuid[])`;
  }

  async removeAll(roomId: string): Promise<void> {
    await this.vault.sql`delete from vault.room_passwords where room_id = ${roomId}`;
  }

  private markedBefore(minutes: number) {
    return this.vault.sql`unchecked_since < now() - make_interval(mins => ${minutes})`;
  }
}
