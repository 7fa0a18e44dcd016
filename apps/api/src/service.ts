import type { Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAINTENANCE } from '@verbatim/domain';
import type { Logger } from 'pino';
import { FirstAdministratorSetup } from './application/accounts/first-administrator-setup.js';
import { Eraser } from './application/erasure/eraser.js';
import type { Clock } from './clock.js';
import { Contributions } from './composition/contributions.js';
import { NestLog } from './composition/nest-log.js';
import { OpenResources } from './composition/open-resources.js';
import { Readiness } from './composition/readiness.js';
import type { Config } from './config.js';
import { doors } from './doors/doors.js';
import { Feed } from './feed/feed.js';
import { Host } from './host/host.js';
import { closeAll, type Door, drainAll, type Opened, type Unit } from './host/part.js';
import { serviceModule } from './service-module.js';
import type { Database } from './storage/database/database.js';
import { explainStart } from './storage/database/unusable-server.js';
import { Sessions } from './storage/vault/sessions.js';
import { openTracing } from './telemetry/open-tracing.js';
import { TRACING } from './telemetry/tracing.js';
import { units } from './units/units.js';
import { Announcements, Erasures, Invitations, Maintenances, Rooms, Users } from './write-side/entities.js';
import { LogContinuity } from './write-side/log-continuity.js';
import { Maintenance } from './write-side/maintenance.js';

/** A running service. */
export interface Service {
  /** Its address: `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Doors with their own listeners: `['chatable', 'http://127.0.0.1:8080']`. */
  readonly furtherDoors: readonly (readonly [title: string, address: string])[];
  /** Resolves with a sentence when the service cannot continue and has to be restarted. */
  readonly lost: Promise<string>;
  /** Shuts down cleanly: warns clients, finishes accepted work, releases everything. Every call returns the same promise. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly database: Database;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Called with the generated password of the first administrator, once per database. */
  readonly announcePassword: (username: string, password: string) => void;
  /** Default: all. */
  readonly doors?: readonly Door[];
  readonly units?: readonly Unit[];
  /** Additional values for modules that ask for them. */
  readonly values?: readonly Provider[];
}

/** Milliseconds that appends have to finish during a shutdown. */
const FINISH_MS = 10_000;

/** Starts everything in order: storage and application, the feed, the doors. May reject with UnusableServer. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const resources = new OpenResources();
  try {
    return await start(options, resources);
  } catch (error) {
    await resources.close().catch((err: unknown) => options.log.warn({ err }, 'closing after a failed start failed'));
    throw await explainStart(error, options.config, options.database);
  }
}

async function start(options: ServiceOptions, resources: OpenResources): Promise<Service> {
  const parts: Door[] = [...(options.units ?? units), ...(options.doors ?? doors)];
  const tracing = await openTracing(options.config, options.log);
  if (tracing) resources.add(tracing, () => tracing.close());
  const host = resources.add(new Host(options.config, tracing), (host) => host.close());
  const values = [...(options.values ?? []), { provide: TRACING, useValue: tracing }];
  const app = await openApplication({ ...options, values, resources }, host, parts);
  const contributions = app.get(Contributions);
  const opened = resources.add<Opened[]>([], (rest) => drainAll(rest).then(() => closeAll(rest)));
  for (const part of parts) opened.push(await part.open(app, host, pick(options.config, part.settings)));
  for (const one of opened) contributions.add(one);
  await startFeed(app, contributions);
  await app.get(FirstAdministratorSetup).create(options.announcePassword);
  await host.open();
  for (const one of opened) await one.start?.();

  const stop = async () => {
    app.get(Readiness).drain();
    await Promise.all([host.drainPause(), drainAll(opened)]);
    const mailboxes = [Rooms, Users, Invitations, Announcements, Maintenances, Erasures].map((type) => app.get(type));
    await Promise.all(mailboxes.map((kind) => kind.finish(FINISH_MS)));
    await closeAll(opened);
    await app.get(Feed).stop();
    await Promise.all([host.close(), app.close()]);
    await resources.close();
  };
  let stopping: Promise<void> | null = null;
  return {
    url: host.main.url,
    furtherDoors: opened.flatMap(({ announced = [] }) =>
      announced.map(({ title, address }) => [title, address()] as const),
    ),
    lost: app.get(LogContinuity).broken,
    stop: () => (stopping ??= stop()),
  };
}

/** Nest's own routes live in one scope of the main listener, so that the scopes of other doors are independent of them. */
function openApplication(options: ServiceOptions & { resources: OpenResources }, host: Host, parts: readonly Door[]) {
  return host.main.scope(async (scope) => {
    const app = await NestFactory.create<NestFastifyApplication>(
      serviceModule(options, host, parts),
      new FastifyAdapter(scope),
      { logger: new NestLog(options.log), bodyParser: false, abortOnError: false },
    );
    await app.get(FirstAdministratorSetup).check();
    for (const part of parts) await part.configure?.(app, scope, host);
    return app.init();
  });
}

async function startFeed(app: NestFastifyApplication, contributions: Contributions): Promise<void> {
  const feed = app.get(Feed);
  for (const { name, handle, rescue } of contributions.sinks()) feed.add(name, handle, rescue);
  await app.get(LogContinuity).start();
  await feed.start();
  // From here on the feed delivers everything other replicas do; load what they did before.
  await app.get(Sessions).load();
  await app.get(Eraser).load();
  app.get(Maintenance).adopt((await app.get(Maintenances).newest(MAINTENANCE)).state);
}

const pick = (config: Config, shape: object = {}) =>
  Object.fromEntries(Object.entries(config).filter(([name]) => name in shape));
