import { Global, Module } from '@nestjs/common';
import { Sweep } from '../../composition/contributions.js';
import { ProveRoomPasswordHandler } from './proving-room-passwords.js';
import { RoomAccess } from './room-access.js';
import { roomCommandHandlers } from './room-commands.js';
import { RoomPasswords } from './room-passwords.js';
import { RoomPasswordsModule } from './room-passwords-module.js';
import { roomQueryHandlers } from './room-queries.js';

const providers = [
  ...roomCommandHandlers,
  ...roomQueryHandlers,
  ProveRoomPasswordHandler,
  RoomAccess,
  {
    provide: Symbol('sweep of room passwords'),
    useFactory: (passwords: RoomPasswords) => new Sweep('room passwords', () => passwords.sweep()),
    inject: [RoomPasswords],
  },
];

/** Rooms and their members. */
@Global()
@Module({ imports: [RoomPasswordsModule], providers, exports: [RoomPasswordsModule, ...providers] })
export class RoomsModule {}
