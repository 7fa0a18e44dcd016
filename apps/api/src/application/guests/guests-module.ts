import { Global, Module } from '@nestjs/common';
import type { Sql } from 'postgres';
import { Sweep } from '../../composition/contributions.js';
import { GuestUse } from '../../storage/desk/guests.js';
import { SQL } from '../../storage/tokens.js';
import { AdmitGuestHandler } from './admit-guest.js';
import { GuestNameHandler } from './guest-name.js';
import { CheckGuestNameHandler, GuestNames } from './guest-names.js';
import { UnusedGuests } from './unused-guests.js';

const providers = [
  AdmitGuestHandler,
  GuestNames,
  CheckGuestNameHandler,
  GuestNameHandler,
  UnusedGuests,
  { provide: GuestUse, useFactory: (sql: Sql) => new GuestUse(sql), inject: [SQL] },
  {
    provide: Symbol('sweep of guests'),
    useFactory: (guests: UnusedGuests) => new Sweep('guests', () => guests.sweep()),
    inject: [UnusedGuests],
  },
];

/** People without an account who use the doors of older chat systems under a bare name. */
@Global()
@Module({ providers, exports: providers })
export class GuestsModule {}
