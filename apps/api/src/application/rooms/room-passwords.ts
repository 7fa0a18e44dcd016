import { Injectable } from '@nestjs/common';
import type { RoomState } from '@verbatim/domain';
import { hashPassword, passwordMatches } from '../../storage/vault/passwords.js';
import { RoomPasswordHashes } from '../../storage/vault/room-passwords.js';
import { Rooms } from '../../write-side/entities.js';

/** Minutes after which a change of a room's password is certainly stored or has failed. */
const SETTLED_MINUTES = 15;
/** Passwords checked in one sweep. */
const SWEEP_LIMIT = 1_000;

/**
 * The passwords of rooms: hashes in the vault, each under an id that the room's events name. A hash is deleted once the
 * event that replaced it is stored. Passwords are marked while a change is in progress, so that the sweep finds what a
 * crash leaves behind.
 */
@Injectable()
export class RoomPasswords {
  constructor(
    private readonly hashes: RoomPasswordHashes,
    private readonly rooms: Rooms,
  ) {}

  /** Stores a password and returns its id. */
  async keep(roomId: string, password: string): Promise<string> {
    return this.hashes.add(roomId, await hashPassword(password));
  }

  /** Takes equally long if there is no password (`id` is null), so that timing does not reveal hidden rooms. */
  async matches(id: string | null, password: string): Promise<boolean> {
    return passwordMatches(password, await this.hashes.find(id));
  }

  /** Call before the password of a room is changed or removed, or the room is closed. */
  expectChange(roomId: string): Promise<void> {
    return this.hashes.markUnchecked(roomId);
  }

  /**
   * Deletes those of these passwords that the room does not use: its previous one, or one that was not stored. Others may
   * be about to come into use. The change itself is stored, so failures are left to the sweep.
   */
  async discard(roomId: string, ids: readonly (string | null)[]): Promise<void> {
    try {
      const { state } = await this.rooms.newest(roomId);
      const unused = ids.filter((id): id is string => id !== null && id !== passwordOf(state));
      if (unused.length > 0) await this.hashes.remove(unused);
    } catch {
      // See above.
    }
  }

  /** Deletes the passwords of a closed room. Failures are left to the sweep. */
  async discardAll(roomId: string): Promise<void> {
    await this.hashes.removeAll(roomId).catch(() => undefined);
  }

  /** Compares marked passwords with their rooms, and deletes unused ones. */
  async sweep(): Promise<void> {
    for (const { id, roomId } of await this.hashes.unchecked(SETTLED_MINUTES, SWEEP_LIMIT)) {
      const { state } = await this.rooms.newest(roomId);
      if (passwordOf(state) === id) await this.hashes.markChecked(id, SETTLED_MINUTES);
      else await this.hashes.remove([id]);
    }
  }
}

const passwordOf = ({ status, passwordId }: RoomState): string | null => (status === 'open' ? passwordId : null);
