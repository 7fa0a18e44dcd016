import { Global, Module, type Provider, type Type } from '@nestjs/common';
import { parseStream } from '@verbatim/domain';
import { Sealer, Snapshots } from '@verbatim/event-store';
import { listAdministrators } from '@verbatim/projections';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { Clock } from '../clock.js';
import { FeedSink, ReadinessCheck } from '../composition/contributions.js';
import { OpenResources } from '../composition/open-resources.js';
import { CLOCK, CONFIG, DATABASE, type DatabaseAddress } from '../composition/process-module.js';
import type { Config } from '../config.js';
import { byStream, type Sink } from '../feed/feed.js';
import { Directory } from '../storage/directory.js';
import { MeasuredEventStore } from '../storage/measured-event-store.js';
import { ReadModels } from '../storage/read-models.js';
import { LOG, SQL } from '../storage/tokens.js';
import { Administrators } from '../storage/vault/administrators.js';
import { NameCipher } from '../storage/vault/name-cipher.js';
import { Names } from '../storage/vault/names.js';
import { PersonalTokens } from '../storage/vault/personal-tokens.js';
import { Sessions } from '../storage/vault/sessions.js';
import { TRACING, type Tracing } from '../telemetry/tracing.js';
import {
  Announcements,
  AuditLogs,
  Erasures,
  ExportRequests,
  Invitations,
  Maintenances,
  Rooms,
  Users,
  type WriteParts,
} from './entities.js';
import { Inspections } from './inspections.js';
import { LogContinuity } from './log-continuity.js';
import type { Gate } from './mailbox.js';
import { Maintenance } from './maintenance.js';
import { StreamNameOwners } from './name-owners.js';

/** Administrators that are searched for another one when one is removed. */
const MAX_ADMINISTRATORS = 100;

/** The dependencies of all mailboxes: `WriteParts`. */
const WRITE_PARTS = Symbol('parts of the write side');

const mailboxes = (
  type: Type<Users | Invitations | Announcements | Maintenances | AuditLogs | Erasures | ExportRequests>,
): Provider => ({
  provide: type,
  useFactory: (parts: WriteParts) => new type(parts),
  inject: [WRITE_PARTS],
});

const entities: Provider[] = [
  { provide: Maintenance, useFactory: (clock: Clock) => new Maintenance(clock), inject: [CLOCK] },
  {
    provide: LogContinuity,
    useFactory: (
      store: MeasuredEventStore,
      config: Config,
      database: DatabaseAddress,
      log: Logger,
      resources: OpenResources,
    ) => resources.add(new LogContinuity(store, config.EVENT_STORE_URL ?? database.url, log), (watch) => watch.stop()),
    inject: [MeasuredEventStore, CONFIG, DATABASE, LOG, OpenResources],
  },
  {
    provide: WRITE_PARTS,
    useFactory: (
      store: MeasuredEventStore,
      sealer: Sealer,
      snapshots: Snapshots,
      clock: Clock,
      continuity: LogContinuity,
      maintenance: Maintenance,
      tracing?: Tracing,
    ): WriteParts => {
      const gate: Gate = { refusal: (command) => continuity.refusal() ?? maintenance.refusal(command) };
      return { store, sealer, snapshots, clock, gate, continuity, tracing };
    },
    inject: [
      ...[MeasuredEventStore, Sealer, Snapshots, CLOCK, LogContinuity, Maintenance],
      { token: TRACING, optional: true },
    ],
  },
  {
    provide: Rooms,
    useFactory: (parts: WriteParts, readModels: ReadModels) => new Rooms(parts, (asked) => readModels.lookUp(asked)),
    inject: [WRITE_PARTS, ReadModels],
  },
  ...[Users, Invitations, Announcements, Maintenances, AuditLogs, Erasures, ExportRequests].map(mailboxes),
  { provide: Inspections, useFactory: (rooms: Rooms) => new Inspections(rooms), inject: [Rooms] },
  {
    provide: Names,
    useFactory: (sql: Sql, users: Users, rooms: Rooms, cipher: NameCipher) =>
      new Names(sql, new StreamNameOwners(users, rooms), cipher),
    inject: [SQL, Users, Rooms, NameCipher],
  },
  { provide: Directory, useFactory: (names: Names) => new Directory(names), inject: [Names] },
  {
    provide: Administrators,
    useFactory: (sql: Sql, readModels: ReadModels, users: Users) =>
      new Administrators(sql, {
        candidates: () => listAdministrators(readModels.db, MAX_ADMINISTRATORS),
        isOne: async (id) => {
          const { state } = await users.newest(id);
          return state.status === 'active' && state.role === 'admin';
        },
      }),
    inject: [SQL, ReadModels, Users],
  },
];

const SINKS = Symbol('sinks of the write side');

type MailboxKinds = [Rooms, Users, Invitations, Announcements, Maintenances, Erasures];

/** Hands the events of each stream to its mailbox. */
const toMailboxes = (kinds: { readonly [category: string]: Pick<MailboxKinds[number], 'handle'> }): Sink => {
  return (events) => {
    for (const [stream, run] of byStream(events)) {
      const { category, id } = parseStream(stream);
      kinds[category]?.handle(id, run);
    }
  };
};

const contributions: Provider[] = [
  {
    provide: SINKS,
    useFactory: (
      continuity: LogContinuity,
      maintenance: Maintenance,
      sessions: Sessions,
      tokens: PersonalTokens,
      directory: Directory,
      ...[room, user, invitation, announcement, maintenances, erasure]: MailboxKinds
    ) => [
      new FeedSink('continuity of the log', 'guards', (events) => continuity.handle(events)),
      new FeedSink('maintenance', 'guards', (events) => maintenance.handle(events)),
      new FeedSink('sessions', 'revocations', (events) => sessions.handle(events)),
      new FeedSink(
        'states',
        'states',
        toMailboxes({ room, user, invitation, announcement, maintenance: maintenances, erasure }),
      ),
      new FeedSink('personal tokens', 'caches', (events) => tokens.handle(events)),
      new FeedSink('directory', 'caches', (events) => directory.handle(events)),
    ],
    inject: [
      ...[LogContinuity, Maintenance, Sessions, PersonalTokens, Directory],
      ...[Rooms, Users, Invitations, Announcements, Maintenances, Erasures],
    ],
  },
  {
    provide: Symbol('check of the write side'),
    useFactory: (continuity: LogContinuity) =>
      new ReadinessCheck('log (put back to an earlier state)', () => continuity.intact),
    inject: [LogContinuity],
  },
];

const providers = [...entities, ...contributions];

/** The mailboxes of rooms, accounts and everything else that has a stream, and what they need to decide. */
@Global()
@Module({ providers, exports: providers })
export class WriteSideModule {}
