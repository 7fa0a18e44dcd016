import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StandInProcess } from '../../../../../libs/event-store/src/kurrentdb/stand-in-process.testing.js';
import { administrator } from '../harness/test-service.testing.js';
import { DatabaseProcess } from './database-process.testing.js';
import { Guardian } from './guardian.testing.js';
import { compileReplica, ReplicaProcess } from './replica-process.testing.js';
import { type Side, sides } from './schedule.testing.js';
import { SmallDisk } from './small-disk.testing.js';
import { Wire } from './wire.testing.js';

/** Bytes of the disk of the database: a run of a quarter of an hour, its read models twice, and some room. */
const DISK = 1_200 << 20;

/** One replica with the wires that lead to it and from it to the database. */
export interface Replica {
  readonly process: ReplicaProcess;
  readonly toDatabase: Wire;
  readonly fromClients: Wire;
  readonly fromChatable: Wire;
  readonly fromMqtt: Wire;
  /** Where clients reach it, whatever becomes of the process. */
  readonly url: string;
  /** The same for the door of chatable. */
  readonly chatableUrl: string;
}

/** Two replicas on one database, as real processes, all within reach of faults. */
export interface Site {
  readonly database: DatabaseProcess;
  readonly replicas: Readonly<Record<Side, Replica>>;
  /** Stands in for KurrentDB where that is the event store; null where it is the database. */
  readonly standIn: StandInProcess | null;
  /** Null where a disk cannot be mounted, with the reason. */
  readonly disk: SmallDisk | null;
  readonly noDisk: string;
  /** What replicas and command line need to know; the database by its true address, once it is up. */
  readonly environment: () => Record<string, string>;
  /** Resolves when both replicas are ready to serve. */
  ready(): Promise<void>;
  /** Ends every process and removes every trace. */
  close(): Promise<void>;
}

export async function openSite(store: 'postgres' | 'kurrentdb' = 'postgres'): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-faults-'));
  const guardian = new Guardian(folder);
  const closing: (() => Promise<unknown>)[] = [() => guardian.dismiss()];
  const close = async () => {
    const failures: unknown[] = [];
    for (const end of closing.splice(0).reverse()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  try {
    const mounted = await SmallDisk.mount(join(folder, 'disk'), DISK);
    const disk = mounted instanceof SmallDisk ? mounted : null;
    if (disk) closing.push(() => disk.unmount());
    const database = await DatabaseProcess.start(join(folder, 'database'), guardian, disk?.folder);
    closing.push(() => database.stop());
    const standIn = store === 'kurrentdb' ? await StandInProcess.start() : null;
    if (standIn) {
      guardian.guard(standIn.pid);
      closing.push(() => standIn.stop());
    }
    const keys = join(folder, 'keys');
    await mkdir(keys);
    const environment = (url = database.url) => ({
      DATABASE_URL: url,
      ...(standIn && { EVENT_STORE_URL: standIn.url }),
      VERBATIM_DATA: keys,
      ADMIN_PASSWORD: administrator.password,
      CHATABLE_PORT: '0',
      MQTT_PORT: '0',
    });
    const program = await compileReplica(folder);
    const replicas = {} as Record<Side, Replica>;
    for (const side of sides) {
      const toDatabase = await Wire.lay(() => database.port);
      const url = new URL(database.url);
      url.port = String(toDatabase.port);
      const process = new ReplicaProcess(side, program, environment(url.href), guardian);
      const fromClients = await Wire.lay(() => process.port);
      const fromChatable = await Wire.lay(() => process.portOf('chatable'));
      const fromMqtt = await Wire.lay(() => process.portOf('MQTT'));
      closing.push(
        () => toDatabase.remove(),
        () => fromClients.remove(),
        () => fromChatable.remove(),
        () => fromMqtt.remove(),
        () => process.end(),
      );
      const at = ({ port }: Wire) => `http://127.0.0.1:${port}`;
      const wires = { toDatabase, fromClients, fromChatable, fromMqtt };
      replicas[side] = { process, ...wires, url: at(fromClients), chatableUrl: at(fromChatable) };
      process.start();
      // One after the other, because the first of them makes the schemas.
      await ready(replicas[side]);
    }
    return {
      ...{ database, replicas, disk, standIn, close },
      noDisk: 'refused' in mounted ? mounted.refused : '',
      environment,
      ready: async () => void (await Promise.all(sides.map((side) => ready(replicas[side])))),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Milliseconds that a replica may take to be ready once nothing is broken any more. */
const PATIENCE_MS = 60_000;

async function ready({ url, process }: Replica): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the replica at ${url} is not ready; it printed ${process.output.slice(-5_000)}`);
}
