import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { KeyRing } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { Time } from '../../clock.js';
import type { Application } from '../../host/part.js';
import { Proxies } from '../../host/proxies.js';
import { Limits } from '../../limits/limits.js';
import { Reads } from '../../limits/reads.js';
import { ObjectIds } from '../../storage/desk/object-ids.js';
import { RoomListing } from '../../storage/desk/room-listing.js';
import { KEY_RING, SQL } from '../../storage/tokens.js';
import { Problems } from '../problems.js';
import { ReadYourWrites } from '../read-your-writes.js';
import { SessionCookies } from './session-cookies.js';
import { TokenValues } from './token-values.js';

/** The name of the door in events. */
export const DOOR = 'makechat';

/** The dependencies of the door. */
export interface Parts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly limits: Limits;
  readonly reads: Reads;
  readonly problems: Problems;
  readonly readYourWrites: ReadYourWrites;
  readonly proxies: Proxies;
  readonly time: Time;
  readonly objectIds: ObjectIds;
  readonly listing: RoomListing;
  readonly cookies: SessionCookies;
  readonly tokenValues: TokenValues;
  /** Seconds from signing in until a session of this door ends. */
  readonly sessionSeconds: number;
}

export function partsOf(application: Application, sessionSeconds: number): Parts {
  const sql = application.get<Sql>(SQL);
  return {
    commands: application.get(CommandBus),
    queries: application.get(QueryBus),
    limits: application.get(Limits),
    reads: application.get(Reads),
    problems: application.get(Problems),
    readYourWrites: application.get(ReadYourWrites),
    proxies: application.get(Proxies),
    time: application.get(Time),
    objectIds: application.get(ObjectIds),
    listing: application.get(RoomListing),
    cookies: new SessionCookies(sql),
    tokenValues: new TokenValues(sql, application.get<KeyRing>(KEY_RING)),
    sessionSeconds,
  };
}
