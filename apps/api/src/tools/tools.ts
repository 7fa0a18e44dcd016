import { NestFactory } from '@nestjs/core';
import { RootKeys, Sealer } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { Caretaker } from '../application/ephemeral-chats/caretaker.js';
import { RoomPasswords } from '../application/rooms/room-passwords.js';
import { type Clock, Time } from '../clock.js';
import { MIGRATIONS, type Migration } from '../composition/migration.js';
import { NestLog } from '../composition/nest-log.js';
import { OpenResources } from '../composition/open-resources.js';
import type { Config } from '../config.js';
import type { Database } from '../storage/database/database.js';
import { explainStart } from '../storage/database/unusable-server.js';
import { ObjectIds } from '../storage/desk/object-ids.js';
import { RoomListing } from '../storage/desk/room-listing.js';
import { ChatStore } from '../storage/ephemeral/chat-store.js';
import { MeasuredEventStore } from '../storage/measured-event-store.js';
import { OpenLog } from '../storage/open-log.js';
import { ReadModels } from '../storage/read-models.js';
import { SQL } from '../storage/tokens.js';
import { LogKeys } from '../storage/transparency/log-keys.js';
import { LogTrees } from '../storage/transparency/log-trees.js';
import { ContactClaims } from '../storage/vault/contact-claims.js';
import { Names } from '../storage/vault/names.js';
import { Sessions } from '../storage/vault/sessions.js';
import { VaultSql } from '../storage/vault/vault-sql.js';
import { WebhookBotLedger } from '../storage/vault/webhook-bots.js';
import { AuditLogs, Maintenances, Rooms, Users } from '../write-side/entities.js';
import { toolsModule } from './tools-module.js';

/** The parts of the service that commands work with. */
export interface Tools {
  readonly sql: Sql;
  readonly roots: RootKeys;
  readonly store: MeasuredEventStore;
  readonly sealer: Sealer;
  readonly openLog: OpenLog;
  readonly rooms: Rooms;
  readonly users: Users;
  readonly maintenances: Maintenances;
  readonly names: Names;
  readonly passwords: RoomPasswords;
  readonly sessions: Sessions;
  readonly vault: VaultSql;
  readonly webhookBots: WebhookBotLedger;
  readonly objectIds: ObjectIds;
  readonly roomListing: RoomListing;
  readonly contacts: ContactClaims;
  readonly time: Time;
  readonly readModels: ReadModels;
  readonly auditLogs: AuditLogs;
  readonly trees: LogTrees;
  readonly logKeys: LogKeys;
  readonly chats: ChatStore;
  readonly caretaker: Caretaker;
  close(): Promise<void>;
}

/** What commands are started with. */
export interface ToolsOptions {
  readonly config: Config;
  readonly database: Database;
  /** For warnings and errors. */
  readonly log: Logger;
  readonly clock?: Clock;
  /** The tables of doors and units, without which a database is not complete. */
  readonly migrations?: readonly Migration[];
}

/** Brings the schemas up to date, and opens log, vault and read models. Rejects with UnusableServer, among others. */
export async function openTools({ migrations = [], ...options }: ToolsOptions): Promise<Tools> {
  const resources = new OpenResources();
  try {
    const context = await NestFactory.createApplicationContext(
      toolsModule({ ...options, resources, values: [{ provide: MIGRATIONS, useValue: migrations }] }),
      {
        logger: new NestLog(options.log),
        abortOnError: false,
      },
    );
    return {
      sql: context.get(SQL),
      roots: context.get(RootKeys),
      store: context.get(MeasuredEventStore),
      sealer: context.get(Sealer),
      openLog: context.get(OpenLog),
      rooms: context.get(Rooms),
      users: context.get(Users),
      maintenances: context.get(Maintenances),
      names: context.get(Names),
      passwords: context.get(RoomPasswords),
      sessions: context.get(Sessions),
      vault: context.get(VaultSql),
      webhookBots: context.get(WebhookBotLedger),
      objectIds: context.get(ObjectIds),
      roomListing: context.get(RoomListing),
      contacts: context.get(ContactClaims),
      time: context.get(Time),
      readModels: context.get(ReadModels),
      auditLogs: context.get(AuditLogs),
      trees: context.get(LogTrees),
      logKeys: context.get(LogKeys),
      chats: context.get(ChatStore),
      caretaker: context.get(Caretaker),
      async close() {
        await context.close();
        await resources.close();
      },
    };
  } catch (error) {
    await resources.close();
    throw await explainStart(error, options.config, options.database);
  }
}
