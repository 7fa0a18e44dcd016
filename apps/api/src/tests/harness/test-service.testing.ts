import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import { type Config, readConfig } from '../../config.js';
import { doors as allDoors } from '../../doors/doors.js';
import type { Door, Unit } from '../../host/part.js';
import { processLog } from '../../process-log.js';
import { type Service, startService } from '../../service.js';
import type { Database } from '../../storage/database/database.js';
import { units as allUnits } from '../../units/units.js';
import type { Resolve } from '../../units/webhooks/address.js';
import { RESOLVE } from '../../units/webhooks/webhooks-unit.js';
import { createDatabase, dropDatabase } from './database.testing.js';

/** The whole service on a database of its own, reached through its doors only. */
export interface TestService {
  readonly url: string;
  /** For looking at what was stored; the service itself is never touched this way. */
  readonly databaseUrl: string;
  /** Resolves with the reason when the service cannot continue. */
  readonly lost: Promise<string>;
  /** Ends the service in good order and starts it again on the same data; `meanwhile` runs while it is away. */
  restart(meanwhile?: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

export interface TestServiceOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Resolves the addresses of webhook receivers. */
  readonly resolve?: Resolve;
  /** By default all. */
  readonly doors?: readonly Door[];
  readonly units?: readonly Unit[];
  /** By default one that writes errors to standard output. */
  readonly log?: Logger;
  /** The database to be used instead of a fresh one; it is not dropped. */
  readonly databaseUrl?: string;
  /** Another service to share database and keys with, as a second replica. */
  readonly beside?: TestService;
}

export const administrator = { username: 'admin', password: 'administers the tests' } as const;

const folders = new WeakMap<TestService, string>();

/** Starts a service in this process, on a fresh database of the server that TEST_DATABASE_URL names. */
export async function startTestService({
  environment = {},
  clock,
  resolve,
  log,
  doors = allDoors,
  units = allUnits,
  databaseUrl: given,
  beside,
}: TestServiceOptions = {}): Promise<TestService> {
  const databaseUrl = beside?.databaseUrl ?? given ?? (await createDatabase());
  const folder = (beside && folders.get(beside)) ?? (await mkdtemp(join(tmpdir(), 'verbatim-test-')));
  const database: Database = {
    url: databaseUrl,
    directUrl: databaseUrl,
    lost: new Promise(() => undefined),
    stop: async () => undefined,
  };
  const config: Config = readConfig(
    {
      PORT: '0',
      VERBATIM_DATA: folder,
      ADMIN_PASSWORD: administrator.password,
      RATE_LIMITS: 'off',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'error',
      ...environment,
    },
    [...units, ...doors],
  );
  const start = () =>
    startService({
      config,
      database,
      log: log ?? processLog(config.LOG_LEVEL),
      clock,
      doors,
      units,
      values: resolve ? [{ provide: RESOLVE, useValue: resolve }] : [],
      announcePassword: () => undefined,
    });
  let service: Service = await start();
  const test: TestService = {
    get url() {
      return service.url;
    },
    databaseUrl,
    get lost() {
      return service.lost;
    },
    async restart(meanwhile) {
      await service.stop();
      await meanwhile?.();
      service = await start();
    },
    async stop() {
      await service.stop();
      if (beside) return;
      if (!given) await dropDatabase(databaseUrl);
      await rm(folder, { recursive: true, force: true });
    },
  };
  folders.set(test, folder);
  return test;
}
