import { type KeyRing, PostgresKeyRing, Sealer, Snapshots, type StoredEvent, serverName } from '@verbatim/event-store';
import { ReadSide } from '@verbatim/projections';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { RoomPasswords } from './application/rooms/room-passwords.js';
import { type Clock, systemClock, Time } from './clock.js';
import type { Config } from './config.js';
import type { Database } from './storage/database/database.js';
import { connect } from './storage/database/pool.js';
import { LoadHistory } from './storage/desk/load-history.js';
import { Preferences } from './storage/desk/preferences.js';
import { migrateDesk } from './storage/desk/schema.js';
import { WebhookDeliveries } from './storage/desk/webhook-deliveries.js';
import { migrateInvitations } from './storage/invitations/schema.js';
import { migrateLimits } from './storage/limits/schema.js';
import { MeasuredEventStore } from './storage/measured-event-store.js';
import { OpenLog } from './storage/open-log.js';
import { Outages } from './storage/outages.js';
import { ReadModels } from './storage/read-models.js';
import { AccessTokens } from './storage/vault/access-tokens.js';
import { NameCipher } from './storage/vault/name-cipher.js';
import { Names } from './storage/vault/names.js';
import { PersonalTokens } from './storage/vault/personal-tokens.js';
import { RoomPasswordHashes } from './storage/vault/room-passwords.js';
import { migrateVault } from './storage/vault/schema.js';
import { masterKey } from './storage/vault/secrets.js';
import { Sessions } from './storage/vault/sessions.js';
import { VaultSql } from './storage/vault/vault-sql.js';
import { WebhookBotLedger } from './storage/vault/webhook-bots.js';
import { WebhookSecrets } from './storage/vault/webhook-secrets.js';
import { Announcements, Invitations, Maintenances, Rooms, Users } from './write-side/entities.js';
import { LogContinuity } from './write-side/log-continuity.js';
import type { Gate } from './write-side/mailbox.js';
import { Maintenance } from './write-side/maintenance.js';
import { StreamNameOwners } from './write-side/name-owners.js';

/** What all doors stand on: the log, the write side, the vault, the read models. Knows nothing of HTTP or sockets. */
export interface Foundation {
  readonly outages: Outages;
  readonly continuity: LogContinuity;
  readonly sql: Sql;
  /** The way around a transaction pooler. */
  readonly direct: Sql;
  readonly store: MeasuredEventStore;
  readonly sealer: Sealer;
  readonly keys: KeyRing;
  readonly openLog: OpenLog;
  readonly rooms: Rooms;
  readonly users: Users;
  readonly invitations: Invitations;
  readonly announcements: Announcements;
  readonly maintenances: Maintenances;
  readonly maintenance: Maintenance;
  readonly names: Names;
  readonly nameCipher: NameCipher;
  readonly passwords: RoomPasswords;
  readonly sessions: Sessions;
  readonly tokens: AccessTokens;
  readonly personalTokens: PersonalTokens;
  readonly webhookSecrets: WebhookSecrets;
  readonly webhookBots: WebhookBotLedger;
  readonly webhookDeliveries: WebhookDeliveries;
  readonly preferences: Preferences;
  readonly loadHistory: LoadHistory;
  readonly vault: VaultSql;
  readonly time: Time;
  readonly readModels: ReadModels;
  stop(): Promise<void>;
}

export interface FoundationOptions {
  readonly config: Config;
  readonly database: Database;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Brings the schemas up to date, opens log and vault, and starts building the read models. */
export async function layFoundation({
  config,
  database,
  log: plainLog,
  clock = systemClock,
}: FoundationOptions): Promise<Foundation> {
  const storeUrl = config.EVENT_STORE_URL ?? database.url;
  const outages = new Outages(plainLog, { database: serverName(database.url), 'event store': serverName(storeUrl) });
  const { log } = outages;
  const master = await masterKey(config.VERBATIM_DATA, config.MASTER_KEY);
  const sql = connect(database.url);
  const keys = await PostgresKeyRing.open(sql, master);
  await migrateVault(sql, keys);
  const nameCipher = await NameCipher.open(keys);
  await migrateDesk(sql);
  await migrateLimits(sql);
  await migrateInvitations(sql);
  const store = await MeasuredEventStore.open({
    url: storeUrl,
    directUrl: config.EVENT_STORE_URL ?? database.directUrl,
    log: outages.storeLog,
  });
  outages.watch('event store', () => store.head());
  outages.watch('database', () => sql`select 1`);
  const sealer = new Sealer(keys);
  const snapshots = await Snapshots.open(sql, keys);
  const direct = database.directUrl === database.url ? sql : connect(database.directUrl);
  // Short batches are what has just happened and others open as well; long ones are a rebuild's way through the past.
  const open = (events: readonly StoredEvent[]) => sealer.open(events, { passing: events.length > 500 });
  const readSide = new ReadSide({ sql, direct, store, open, log });
  await readSide.start();
  const readModels = new ReadModels(readSide);

  const maintenance = new Maintenance(clock);
  const continuity = new LogContinuity(store, storeUrl, log);
  const gate: Gate = { refusal: (command) => continuity.refusal() ?? maintenance.refusal(command) };
  const write = { store, sealer, snapshots, clock, gate, continuity };
  const rooms = new Rooms(write, (lookups) => readModels.lookUp(lookups));
  const users = new Users(write);
  const vault = new VaultSql(sql);
  const personalTokens = await PersonalTokens.open(sql, keys, clock);
  const stop = async () => {
    outages.stop();
    continuity.stop();
    personalTokens.stop();
    await readSide.stop();
    await store.close();
    if (direct !== sql) await direct.end({ timeout: 5 });
    await sql.end({ timeout: 5 });
  };
  return {
    outages,
    continuity,
    sql,
    direct,
    store,
    sealer,
    keys,
    openLog: new OpenLog(store, sealer),
    rooms,
    users,
    invitations: new Invitations(write),
    announcements: new Announcements(write),
    maintenances: new Maintenances(write),
    maintenance,
    names: new Names(sql, new StreamNameOwners(users, rooms), nameCipher),
    nameCipher,
    passwords: new RoomPasswords(new RoomPasswordHashes(vault), rooms),
    sessions: new Sessions(sql, keys, clock),
    tokens: await AccessTokens.open(sql, master, clock),
    personalTokens,
    webhookSecrets: await WebhookSecrets.open(sql, keys),
    webhookBots: await WebhookBotLedger.open(sql, clock),
    webhookDeliveries: await WebhookDeliveries.open(sql),
    preferences: await Preferences.open(sql, keys),
    loadHistory: await LoadHistory.open(sql, clock),
    vault,
    time: new Time(clock),
    readModels,
    stop,
  };
}
