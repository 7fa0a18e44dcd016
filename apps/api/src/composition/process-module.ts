import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { Logger } from 'pino';
import { type Clock, systemClock, Time } from '../clock.js';
import type { Config } from '../config.js';
import { Contributions } from './contributions.js';
import { OpenResources } from './open-resources.js';
import { Readiness } from './readiness.js';

/** The settings: `Config`. */
export const CONFIG = Symbol('settings');
/** The database address: `DatabaseAddress`. */
export const DATABASE = Symbol('database');
/** The process log, unfiltered: `Logger`. Most parts use `LOG` of the storage module. */
export const PROCESS_LOG = Symbol('log of the process');
/** The time: `Clock`. */
export const CLOCK = Symbol('clock');

/** How to reach the database. */
export interface DatabaseAddress {
  readonly url: string;
  /** Bypasses a transaction pooler. */
  readonly directUrl: string;
}

/** What a process is started with. */
export interface ProcessOptions {
  readonly config: Config;
  readonly database: DatabaseAddress;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly resources: OpenResources;
  /** Additional values for modules that ask for them. */
  readonly values?: readonly Provider[];
}

@Module({})
class ProcessModule {}

/** What this process was started with, and what its modules contribute. */
export function processModule({
  config,
  database,
  log,
  clock = systemClock,
  resources,
  values = [],
}: ProcessOptions): DynamicModule {
  const providers: Provider[] = [
    { provide: CONFIG, useValue: config },
    { provide: DATABASE, useValue: database },
    { provide: PROCESS_LOG, useValue: log },
    { provide: CLOCK, useValue: clock },
    { provide: Time, useValue: new Time(clock) },
    { provide: OpenResources, useValue: resources },
    Contributions,
    { provide: Readiness, useFactory: (all: Contributions) => new Readiness(all), inject: [Contributions] },
    ...values,
  ];
  return { module: ProcessModule, global: true, imports: [DiscoveryModule], providers, exports: providers };
}
