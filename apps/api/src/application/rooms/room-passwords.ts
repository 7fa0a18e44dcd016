import type { RoomState } from '@verbatim/domain';
import { v4 as uuidv4 } from 'uuid';
import { hashPassword, passwordMatches } from '../../storage/vault/passwords.js';
import type { VaultSql } from '../../storage/vault/vault-sql.js';
import type { Rooms } from '../../write-side/entities.js';

/** Minutes after which a change of a password that was begun has either happened or never will. */
const SETTLED_MINUTES = 15;
/** Rooms checked in one sweep. */
const CHECKED_AT_ONCE = 1_000;

/**
 * The passwords of rooms: hashes in the vault, each under an id that the room's events name. A hash out of use is
 * deleted once the event that replaced it is stored. `unchecked_since` is set while a change is under way, so that the
 * sweep finds what a crash leaves behind.
 */
export class RoomPasswords {
  constructor(
    private readonly vault: VaultSql,
    private readonly rooms: Rooms,
  ) {}

  async keep(roomId: string, password: string): Promise<string> {
    const id = uuidv4();
    await this.vault.sql`
      insert into vault.room_passwords (id, room_id, password_hash) values (${id}, ${roomId}, ${await hashPassword(password)})`;
    return id;
  }

  /** Takes as long where there is no password to match (`id` is null), so that the time tells nothing about a hidden room. */
  async matches(id: string | null, password: string): Promise<boolean> {
    const [row] = await this.vault.sql<
      { password_hash: string }[]
    >`select password_hash from vault.room_passwords where id = ${id}`;
    return passwordMatches(password, row?.password_hash ?? null);
  }

  /** To be called before the password of a room is changed or removed, or the room closed. */
  async expectChange(roomId: string): Promise<void> {
    await this.vault.sql`update vault.room_passwords set unchecked_since = now() where room_id = ${roomId}`;
  }

  /**
   * Deletes those of these passwords that the room does not use: the one it had before a change, or one it was to have.
   * Others may be about to come into use. What fails here is left to the sweep, for the change itself has happened.
   */
  async discard(roomId: string, ids: readonly (string | null)[]): Promise<void> {
    try {
      const { state } = await this.rooms.newest(roomId);
      const unused = ids.filter((id): id is string => id !== null && id !== passwordOf(state));
      if (unused.length > 0) await this.delete(unused);
    } catch {
      // See above.
    }
  }

  /** Deletes the passwords of a room that is closed. */
  async discardAll(roomId: string): Promise<void> {
    await this.vault.sql`delete from vault.room_passwords where room_id = ${roomId}`.catch(() => undefined);
  }

  /** Compares what was about to change with the rooms' streams, and deletes what is out of use. */
  async sweep(): Promise<void> {
    const settled = this.vault.sql`unchecked_since < now() - make_interval(mins => ${SETTLED_MINUTES})`;
    const rows = await this.vault.sql<{ id: string; room_id: string }[]>`
      select id, room_id from vault.room_passwords where ${settled} order by unchecked_since limit ${CHECKED_AT_ONCE}`;
    for (const { id, room_id: roomId } of rows) {
      const { state } = await this.rooms.newest(roomId);
      if (passwordOf(state) !== id) await this.delete([id]);
      else await this.vault.sql`update vault.room_passwords set unchecked_since = null where id = ${id} and ${settled}`;
    }
  }

  private async delete(ids: readonly string[]): Promise<void> {
    await this.vault.sql`delete from vault.room_passwords where id = any(${[...ids]}::uuid[])`;
  }
}

const passwordOf = ({ status, passwordId }: RoomState): string | null => (status === 'open' ? passwordId : null);
