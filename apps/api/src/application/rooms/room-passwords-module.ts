import { Module } from '@nestjs/common';
import { RoomPasswordHashes } from '../../storage/vault/room-passwords.js';
import { VaultSql } from '../../storage/vault/vault-sql.js';
import { Rooms } from '../../write-side/entities.js';
import { RoomPasswords } from './room-passwords.js';

const providers = [
  {
    provide: RoomPasswords,
    useFactory: (vault: VaultSql, rooms: Rooms) => new RoomPasswords(new RoomPasswordHashes(vault), rooms),
    inject: [VaultSql, Rooms],
  },
];

/** Passwords of rooms, also needed by the command line. */
@Module({ providers, exports: providers })
export class RoomPasswordsModule {}
