import { Global, Module, type Provider } from '@nestjs/common';
import type { Recorded } from '@verbatim/domain';
import {
  type KeyRing,
  migrate,
  PostgresKeyRing,
  RootKeys,
  type RootKeysOptions,
  Sealer,
  Snapshots,
  type StoredEvent,
  serverName,
} from '@verbatim/event-store';
import { ReadSide } from '@verbatim/projections';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { type Clock, Time } from '../clock.js';
import { Figure, Measurements, ReadinessCheck, Sweep } from '../composition/contributions.js';
import { MIGRATIONS, type Migration } from '../composition/migration.js';
import { OpenResources } from '../composition/open-resources.js';
import { CLOCK, CONFIG, DATABASE, type DatabaseAddress, PROCESS_LOG } from '../composition/process-module.js';
import type { Config } from '../config.js';
import type { LimitSettings } from '../limits/limit-settings.js';
import { LEDGER, LIMITS_IN_FORCE, REPLICA_COUNT } from '../limits/tokens.js';
import { TRACING, type Tracing } from '../telemetry/tracing.js';
import { noteRelease, refuseIncompatible } from './compatibility.js';
import { connect } from './database/pool.js';
import { ErasuresUnderWay } from './desk/erasures-under-way.js';
import { Idempotency } from './desk/idempotency.js';
import { LoadHistory } from './desk/load-history.js';
import { ObjectIds } from './desk/object-ids.js';
import { Preferences } from './desk/preferences.js';
import { RetentionPasses } from './desk/retention-pass.js';
import { RoomListing } from './desk/room-listing.js';
import { migrateDesk } from './desk/schema.js';
import { WebhookDeliveries } from './desk/webhook-deliveries.js';
import { ChatNews } from './ephemeral/chat-news.js';
import { ChatStore } from './ephemeral/chat-store.js';
import { PostgresChatStore } from './ephemeral/postgres-chat-store.js';
import { migrateEphemeral } from './ephemeral/schema.js';
import { hideErased } from './erased-scope.js';
import { migrateExports } from './exports/schema.js';
import { StoredExports } from './exports/stored-exports.js';
import { InvitationCodes } from './invitations/invitation-codes.js';
import { migrateInvitations } from './invitations/schema.js';
import { Attempts } from './limits/attempts.js';
import { migrateLimits } from './limits/schema.js';
import { SharedLedger } from './limits/shared-ledger.js';
import { MeasuredEventStore } from './measured-event-store.js';
import { OpenLog } from './open-log.js';
import { Outages } from './outages.js';
import { ReadModels } from './read-models.js';
import { ReadReplica } from './read-replica.js';
import { textsOf } from './texts-of-read-models.js';
import { DIRECT_SQL, FILLING, KEY_RING, LOG, MASTER_KEYS, SQL, TABLES } from './tokens.js';
import { LogKeys } from './transparency/log-keys.js';
import { LogTrees } from './transparency/log-trees.js';
import { migrateTransparency } from './transparency/schema.js';
import { AccessTokens } from './vault/access-tokens.js';
import { ContactClaims } from './vault/contact-claims.js';
import { Credentials } from './vault/credentials.js';
import { Identities, Linking } from './vault/identities.js';
import { KeyPairs } from './vault/key-pairs.js';
import { masterKeys } from './vault/master-key.js';
import { masterKeyFigures, readinessOf, reportMasterKey } from './vault/master-key-state.js';
import { NameCipher } from './vault/name-cipher.js';
import { PersonalTokens } from './vault/personal-tokens.js';
import { migrateVault } from './vault/schema.js';
import { SecondFactors } from './vault/second-factors.js';
import { Sessions } from './vault/sessions.js';
import { VaultSql } from './vault/vault-sql.js';
import { WebhookBotLedger } from './vault/webhook-bots.js';
import { WebhookSecrets } from './vault/webhook-secrets.js';

const storeUrl = (config: Config, database: DatabaseAddress): string => config.EVENT_STORE_URL ?? database.url;
const closing = { timeout: 5 };
/** Inject it before using the database: it guarantees that this release is compatible. */
const COMPATIBLE = Symbol('compatible');
/** The standby for lists, if there is one: `ReadReplica`. */
const READ_REPLICA = Symbol('read replica');

const database: Provider[] = [
  {
    provide: Outages,
    useFactory: (log: Logger, config: Config, database: DatabaseAddress, resources: OpenResources) =>
      resources.add(
        new Outages(log, {
          database: serverName(database.url),
          'event store': serverName(storeUrl(config, database)),
          'master key': 'The master key',
        }),
        (outages) => outages.stop(),
      ),
    inject: [PROCESS_LOG, CONFIG, DATABASE, OpenResources],
  },
  { provide: LOG, useFactory: ({ log }: Outages) => log, inject: [Outages] },
  {
    provide: MASTER_KEYS,
    useFactory: (config: Config) => masterKeys(config),
    inject: [CONFIG],
  },
  {
    provide: SQL,
    useFactory: ({ url, directUrl }: DatabaseAddress, resources: OpenResources, outages: Outages) => {
      const sql = resources.add(connect(url, { pooled: url !== directUrl }), (sql) => sql.end(closing));
      outages.watch('database', () => sql`select 1`);
      return sql;
    },
    inject: [DATABASE, OpenResources, Outages, MASTER_KEYS],
  },
  {
    provide: DIRECT_SQL,
    useFactory: (sql: Sql, { url, directUrl }: DatabaseAddress, resources: OpenResources) =>
      url === directUrl ? sql : resources.add(connect(directUrl), (direct) => direct.end(closing)),
    inject: [SQL, DATABASE, OpenResources],
  },
  {
    provide: COMPATIBLE,
    useFactory: (sql: Sql, filling = false) => refuseIncompatible(sql, { filling }),
    inject: [SQL, { token: FILLING, optional: true }],
  },
  {
    provide: RootKeys,
    useFactory: async (sql: Sql, masters: RootKeysOptions, outages: Outages, log: Logger, resources: OpenResources) => {
      const roots = resources.add(await RootKeys.open(sql, masters), (roots) => roots.stop());
      outages.watch('master key', async () => {
        await roots.confirm();
        if (roots.state.trouble) throw new Error(roots.state.trouble);
      });
      roots.watch((state) => reportMasterKey(state, masters.holdMs, log));
      return roots;
    },
    inject: [SQL, MASTER_KEYS, Outages, PROCESS_LOG, OpenResources, COMPATIBLE],
  },
  {
    provide: KEY_RING,
    useFactory: (sql: Sql, roots: RootKeys) => PostgresKeyRing.open(sql, roots),
    inject: [SQL, RootKeys],
  },
  {
    provide: TABLES,
    useFactory: async (sql: Sql, keys: KeyRing, further: readonly Migration[] = []) => {
      await migrateVault(sql, keys);
      await migrateDesk(sql);
      await migrateLimits(sql);
      await migrateInvitations(sql);
      await migrateEphemeral(sql);
      await migrateTransparency(sql);
      await migrateExports(sql);
      for (const { schema, name, statements } of further) await migrate(sql, schema, name, statements);
      await noteRelease(sql);
    },
    inject: [SQL, KEY_RING, { token: MIGRATIONS, optional: true }],
  },
];

const log: Provider[] = [
  {
    provide: MeasuredEventStore,
    useFactory: async (config: Config, database: DatabaseAddress, outages: Outages, resources: OpenResources) => {
      const store = await MeasuredEventStore.open({
        url: storeUrl(config, database),
        directUrl: config.EVENT_STORE_URL ?? database.directUrl,
        log: outages.storeLog,
      });
      outages.watch('event store', () => store.head());
      return resources.add(store, () => store.close());
    },
    inject: [CONFIG, DATABASE, Outages, OpenResources, TABLES],
  },
  {
    provide: ErasuresUnderWay,
    useFactory: (sql: Sql) => ErasuresUnderWay.open(sql),
    inject: [SQL, TABLES],
  },
  {
    provide: Sealer,
    useFactory: async (keys: KeyRing, underWay: ErasuresUnderWay) => {
      const sealer = new Sealer(keys);
      // Before the feed, a projector or a rebuild opens anything.
      for (const { id, scope, beganAt } of await underWay.all())
        if (beganAt !== null) hideErased(sealer, id, scope, beganAt);
      return sealer;
    },
    inject: [KEY_RING, ErasuresUnderWay],
  },
  { provide: Snapshots, useFactory: (sql: Sql, keys: KeyRing) => Snapshots.open(sql, keys), inject: [SQL, KEY_RING] },
  {
    provide: OpenLog,
    useFactory: (store: MeasuredEventStore, sealer: Sealer) => new OpenLog(store, sealer),
    inject: [MeasuredEventStore, Sealer],
  },
];

const readModels: Provider[] = [
  {
    provide: ReadSide,
    useFactory: async (
      sql: Sql,
      direct: Sql,
      store: MeasuredEventStore,
      sealer: Sealer,
      log: Logger,
      resources: OpenResources,
      config: Config,
      keys: KeyRing,
      tracing?: Tracing,
    ) => {
      // Short batches are recent events, which others open as well; long ones are a rebuild reading the past.
      const open = (events: readonly StoredEvent[]) => sealer.open(events, { passing: events.length > 500 });
      const projected =
        tracing &&
        ((projection: string, events: readonly Recorded[], began: number) =>
          tracing.done('project', events, began, { 'verbatim.projection': projection }));
      const texts = await textsOf(config, { keys, store, sealer });
      const readSide = resources.add(new ReadSide({ sql, direct, store, open, log, texts, projected }), (side) =>
        side.stop(),
      );
      await readSide.start();
      return readSide;
    },
    inject: [
      ...[SQL, DIRECT_SQL, MeasuredEventStore, Sealer, LOG, OpenResources, CONFIG, KEY_RING],
      { token: TRACING, optional: true },
    ],
  },
  {
    provide: READ_REPLICA,
    useFactory: ({ DATABASE_READ_URL: url }: Config, sql: Sql, log: Logger, resources: OpenResources) =>
      url &&
      new ReadReplica(
        sql,
        resources.add(connect(url), (replica) => replica.end(closing)),
        log,
      ),
    inject: [CONFIG, SQL, PROCESS_LOG, OpenResources],
  },
  {
    provide: ReadModels,
    useFactory: (side: ReadSide, replica?: ReadReplica) => new ReadModels(side, replica),
    inject: [ReadSide, READ_REPLICA],
  },
];

const vault: Provider[] = [
  { provide: VaultSql, useFactory: (sql: Sql) => new VaultSql(sql), inject: [SQL] },
  { provide: NameCipher, useFactory: (keys: KeyRing) => NameCipher.open(keys), inject: [KEY_RING, TABLES] },
  {
    provide: Sessions,
    useFactory: (sql: Sql, keys: KeyRing, clock: Clock) => new Sessions(sql, keys, clock),
    inject: [SQL, KEY_RING, CLOCK],
  },
  {
    provide: AccessTokens,
    useFactory: (sql: Sql, roots: RootKeys, clock: Clock) => AccessTokens.open(sql, roots, clock),
    inject: [SQL, RootKeys, CLOCK, TABLES],
  },
  {
    provide: PersonalTokens,
    useFactory: async (sql: Sql, keys: KeyRing, clock: Clock, resources: OpenResources) =>
      resources.add(await PersonalTokens.open(sql, keys, clock), (tokens) => tokens.stop()),
    inject: [SQL, KEY_RING, CLOCK, OpenResources, TABLES],
  },
  {
    provide: KeyPairs,
    useFactory: (sql: Sql, keys: KeyRing, clock: Clock) => KeyPairs.open(sql, keys, clock),
    inject: [SQL, KEY_RING, CLOCK, TABLES],
  },
  {
    provide: ContactClaims,
    useFactory: (sql: Sql, cipher: NameCipher) => ContactClaims.open(sql, cipher),
    inject: [SQL, NameCipher, TABLES],
  },
  {
    provide: Credentials,
    useFactory: (sql: Sql, time: Time) => new Credentials(sql, time.now),
    inject: [SQL, Time],
  },
  {
    provide: SecondFactors,
    useFactory: (sql: Sql, keys: KeyRing, time: Time) => new SecondFactors(sql, keys, time.now),
    inject: [SQL, KEY_RING, Time],
  },
  {
    provide: Identities,
    useFactory: (sql: Sql, cipher: NameCipher, time: Time) => new Identities(sql, cipher, time.now),
    inject: [SQL, NameCipher, Time],
  },
  { provide: Linking, useFactory: (sql: Sql) => new Linking(sql), inject: [SQL] },
  {
    provide: InvitationCodes,
    useFactory: (vault: VaultSql) => new InvitationCodes(vault),
    inject: [VaultSql],
  },
  {
    provide: WebhookSecrets,
    useFactory: (sql: Sql, keys: KeyRing) => WebhookSecrets.open(sql, keys),
    inject: [SQL, KEY_RING, TABLES],
  },
  {
    provide: WebhookBotLedger,
    useFactory: (sql: Sql, clock: Clock) => WebhookBotLedger.open(sql, clock),
    inject: [SQL, CLOCK, TABLES],
  },
  {
    provide: Attempts,
    useFactory: (sql: Sql, cipher: NameCipher, limits: LimitSettings) => new Attempts(sql, cipher, limits),
    inject: [SQL, NameCipher, LIMITS_IN_FORCE],
  },
  {
    provide: SharedLedger,
    useFactory: (sql: Sql, log: Logger, others: () => number = () => 0) => new SharedLedger(sql, others, log),
    inject: [SQL, LOG, { token: REPLICA_COUNT, optional: true }],
  },
  { provide: LEDGER, useExisting: SharedLedger },
];

const desk: Provider[] = [
  {
    provide: WebhookDeliveries,
    useFactory: (sql: Sql) => WebhookDeliveries.open(sql),
    inject: [SQL, TABLES],
  },
  {
    provide: Preferences,
    useFactory: (sql: Sql, keys: KeyRing) => Preferences.open(sql, keys),
    inject: [SQL, KEY_RING, TABLES],
  },
  { provide: RetentionPasses, useFactory: (sql: Sql) => RetentionPasses.open(sql), inject: [SQL, TABLES] },
  { provide: RoomListing, useFactory: (sql: Sql) => RoomListing.open(sql), inject: [SQL, TABLES] },
  { provide: ObjectIds, useFactory: (sql: Sql) => ObjectIds.open(sql), inject: [SQL, TABLES] },
  {
    provide: LoadHistory,
    useFactory: (sql: Sql, clock: Clock) => LoadHistory.open(sql, clock),
    inject: [SQL, CLOCK, TABLES],
  },
  {
    provide: Idempotency,
    useFactory: (sql: Sql, keys: KeyRing) => new Idempotency(sql, keys),
    inject: [SQL, KEY_RING],
  },
];

const ephemeral: Provider[] = [
  {
    provide: ChatStore,
    useFactory: (sql: Sql, keys: KeyRing) => new PostgresChatStore(sql, keys),
    inject: [SQL, KEY_RING, TABLES],
  },
  {
    provide: ChatNews,
    useFactory: ({ directUrl }: DatabaseAddress, log: Logger, resources: OpenResources) =>
      resources.add(new ChatNews(directUrl, log), (news) => news.close()),
    inject: [DATABASE, LOG, OpenResources],
  },
];

const exports: Provider[] = [
  {
    provide: StoredExports,
    useFactory: (sql: Sql, keys: PostgresKeyRing) => new StoredExports(sql, keys),
    inject: [SQL, KEY_RING, TABLES],
  },
];

const transparency: Provider[] = [
  { provide: LogTrees, useFactory: (sql: Sql) => new LogTrees(sql), inject: [SQL, TABLES] },
  {
    provide: LogKeys,
    useFactory: (sql: Sql, keys: KeyRing) => new LogKeys(sql, keys),
    inject: [SQL, KEY_RING, TABLES],
  },
];

/** For the process as a whole; each array is one provider. */
const CHECKS = Symbol('checks of the storage');
const FIGURES = Symbol('figures of the storage');
const SWEEPS = Symbol('sweeps of the storage');
const MEASUREMENTS = Symbol('measurements of the storage');

const contributions: Provider[] = [
  {
    provide: CHECKS,
    useFactory: (sql: Sql, store: MeasuredEventStore, readModels: ReadModels, roots: RootKeys) => [
      new ReadinessCheck('master key', () => readinessOf(roots.state)),
      new ReadinessCheck('database', async () => (await sql`select 1`).length === 1),
      new ReadinessCheck('event store', async () => (await store.head()) >= -1n),
      new ReadinessCheck('read models', () => readModels.caughtUp),
    ],
    inject: [SQL, MeasuredEventStore, ReadModels, RootKeys],
  },
  {
    provide: FIGURES,
    useFactory: (side: ReadSide, roots: RootKeys, replica?: ReadReplica) => [
      ...masterKeyFigures(roots),
      ...(replica
        ? [
            new Figure(
              'verbatim_read_replica',
              'Whether lists and searches are read from the replica of DATABASE_READ_URL.',
              () => Number(replica.inUse),
            ),
          ]
        : []),
      new Figure(
        'verbatim_projection_lag',
        'How far the read models are behind the log, in positions.',
        async () => (await side.status()).lag,
      ),
      new Figure(
        'verbatim_search_lag',
        'How far search is behind the log, in positions.',
        async () => (await side.status()).search.lag,
      ),
    ],
    inject: [ReadSide, RootKeys, READ_REPLICA],
  },
  {
    provide: SWEEPS,
    useFactory: (
      tokens: AccessTokens,
      credentials: Credentials,
      identities: Identities,
      idempotency: Idempotency,
      attempts: Attempts,
      ledger: SharedLedger,
      loadHistory: LoadHistory,
      trees: LogTrees,
    ) => [
      new Sweep('signing keys', () => tokens.sweep()),
      new Sweep('credentials', () => credentials.sweep()),
      new Sweep('identities', () => identities.sweep()),
      new Sweep('idempotency keys', () => idempotency.sweep()),
      new Sweep('attempts', () => attempts.sweep()),
      new Sweep('limits', () => ledger.sweep()),
      new Sweep('load history', () => loadHistory.sweep()),
      new Sweep('checkpoints of the log', () => trees.sweep()),
    ],
    inject: [AccessTokens, Credentials, Identities, Idempotency, Attempts, SharedLedger, LoadHistory, LogTrees],
  },
  {
    provide: MEASUREMENTS,
    useFactory: (store: MeasuredEventStore, outages: Outages) =>
      new Measurements([...store.metrics, ...outages.metrics]),
    inject: [MeasuredEventStore, Outages],
  },
];

const tables = [...database, ...log, ...vault, ...desk, ...ephemeral, ...exports, ...transparency];
const providers = [...readModels, ...contributions];

/** The log, the vault and the desk, with their tables brought up to date. */
@Global()
@Module({ providers: tables, exports: tables })
export class TablesModule {}

/** Everything that is stored: the log, the vault, the desk and the read models. */
@Global()
@Module({ imports: [TablesModule], providers, exports: providers })
export class StorageModule {}
