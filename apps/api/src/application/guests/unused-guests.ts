import { Injectable } from '@nestjs/common';
import { isRejection } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { GuestUse } from '../../storage/desk/guests.js';
import { Users } from '../../write-side/entities.js';

/** Hours after which an unused guest is removed from all lists. */
const UNUSED_HOURS = 7 * 24;
/** Guests deactivated in one sweep. */
const SWEEP_LIMIT = 1_000;

/** Deactivates unused guests. They are reactivated when someone uses their name again. */
@Injectable()
export class UnusedGuests {
  constructor(
    private readonly users: Users,
    private readonly use: GuestUse,
  ) {}

  async sweep(): Promise<void> {
    for (const userId of await this.use.unused(UNUSED_HOURS, SWEEP_LIMIT)) {
      const context = { correlation: newId() };
      const deactivated = await this.users.send(userId, { type: 'DeactivateUser', actor: null }, context);
      if (isRejection(deactivated) && deactivated.rejected === 'Unavailable') return;
      await this.use.forget(userId, UNUSED_HOURS);
    }
  }
}
