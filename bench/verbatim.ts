import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Participant } from './load.js';
import { LoadSocket } from './load-socket.js';
import { cpuOfTree, endLater, type NodeProcess, residentMiB, startNode } from './processes.js';
import { type Cpu, type Gathering, grid, type Subject } from './subject.js';

export interface VerbatimOptions {
  /** Processes of the service beside each other on one database, default 1. */
  readonly replicas?: number;
  /** A data folder to go on with; without it there is a new one, which goes with the service. */
  readonly folder?: string;
  readonly nodeArguments?: readonly string[];
  /** Where the log is, default in the database. */
  readonly eventStoreUrl?: string;
  /** Further settings. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** The service as `npm start` runs it, with its own PostgreSQL, which is as durable as in production. */
export class Verbatim implements Subject {
  private readonly tokens: Promise<string>[] = [];

  static async start(options: VerbatimOptions = {}): Promise<Verbatim> {
    const { replicas = 1, folder, nodeArguments = [], eventStoreUrl, environment: settings = {} } = options;
    const data = folder ?? (await newFolder());
    const environment = { ...settings, ...(eventStoreUrl !== undefined && { EVENT_STORE_URL: eventStoreUrl }) };
    const first = await startService(data, environment, nodeArguments);
    const others: Service[] = [];
    const databaseUrl = await databaseUrlOf(data);
    while (others.length + 1 < replicas)
      others.push(await startService(data, { ...environment, DATABASE_URL: databaseUrl }, nodeArguments));
    const postmaster = Number((await readFile(join(data, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
    return new Verbatim(data, databaseUrl, postmaster, [first, ...others], folder === undefined);
  }

  private constructor(
    readonly folder: string,
    readonly databaseUrl: string,
    /** Process id of PostgreSQL. */
    readonly postmaster: number,
    private readonly services: readonly Service[],
    private readonly ownFolder: boolean,
  ) {}

  /** The process that has the database. */
  get first(): Service {
    return this.services[0] as Service;
  }

  async gather(gathering: Gathering): Promise<Participant[][]> {
    const { rooms, people, follow = true, door = () => 0 } = gathering;
    const ids = await this.openRooms(rooms, people);
    return grid(gathering, async (room, person) =>
      this.participant(ids[room] ?? '', await this.token(person), { follow, door: door(room, person) }),
    );
  }

  /** Rooms that these people are members of; answers their ids. */
  private async openRooms(rooms: number, people: number): Promise<string[]> {
    const [owner = '', ...others] = await inTurns(people, 4, (person) => this.token(person));
    return inTurns(rooms, 8, async () => {
      const name = `bench ${Math.random().toString(36).slice(2)}`;
      const { id } = await this.call<{ id: string }>('POST', '/v1/rooms', owner, { name });
      await Promise.all(others.map((token) => this.call('POST', `/v1/rooms/${id}/members`, token, {})));
      return id;
    });
  }

  /** A socket of somebody in a room. */
  async participant(room: string, token: string, { follow = true, door = 0 } = {}): Promise<Participant> {
    const { ticket } = await this.call<{ ticket: string }>('POST', '/v1/auth/ticket', token, undefined, door);
    const url = this.services[door]?.url.replace('http', 'ws');
    const socket = await LoadSocket.open(`${url}/v1/ws?ticket=${ticket}`);
    if (follow) {
      const following = socket.next('"event":"following"');
      socket.send(JSON.stringify({ event: 'follow', data: { room } }));
      await following;
    }
    return {
      socket,
      frame: (ref, messageId, text) =>
        `{"event":"post","ref":${ref},"data":{"room":"${room}","id":"${messageId}","text":${text}}}`,
    };
  }

  /** The access token of the nth person, registered at the first call. Good for ten minutes. */
  token(person: number): Promise<string> {
    const account = { username: `bench${person}`, password: 'correct horse battery' };
    this.tokens[person] ??= this.call<{ accessToken: string }>('POST', '/v1/auth/register', null, account)
      .catch(() => this.call<{ accessToken: string }>('POST', '/v1/auth/login', null, account))
      .then(({ accessToken }) => accessToken);
    return this.tokens[person];
  }

  /** A call of the API that is to succeed; answers its body. */
  async call<T>(method: string, path: string, token: string | null, body?: unknown, door = 0): Promise<T> {
    const answer = await fetch(`${this.services[door]?.url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Read models and search show everything. Of several processes one projects, and knows best how far it has come. */
  async settled(): Promise<void> {
    while (Math.min(...(await Promise.all(this.services.map(lagOf)))) > 0) await sleep(20);
  }

  cpu(): Cpu {
    // The database is below the first process of the service.
    const database = cpuOfTree(this.postmaster);
    return { server: this.services.reduce((sum, { node }) => sum + cpuOfTree(node.pid), -database), database };
  }

  residentMiB(): number {
    return residentMiB(this.first.node.pid);
  }

  async stop(): Promise<void> {
    for (const { node } of [...this.services].reverse()) await node.end();
    if (this.ownFolder) await rm(this.folder, { recursive: true, force: true });
  }
}

// One process -------------------------------------------------------------------------------------------------------

export interface Service {
  readonly url: string;
  readonly node: NodeProcess;
}

const main = new URL('../../apps/api/dist/main.js', import.meta.url);

/** Starts `node apps/api/dist/main.js` on a data folder; resolves when it says that it is ready. */
export async function startService(
  folder: string,
  environment: NodeJS.ProcessEnv = {},
  nodeArguments: readonly string[] = [],
): Promise<Service> {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    PORT: '0',
    VERBATIM_DATA: folder,
    RATE_LIMITS: process.env.RATE_LIMITS || 'off',
    LOG_LEVEL: 'warn',
    ADMIN_PASSWORD: 'administers the bench',
    ...environment,
  };
  const given = process.env.NODE_ARGUMENTS?.split(' ') ?? [];
  const node = startNode(main, env, ['--max-semi-space-size=32', ...given, ...nodeArguments]);
  const url = (await node.prints(/(http:\/\/\S+)\/health\/ready/))[1] ?? '';
  while (!(await fetch(`${url}/health/ready`)).ok) await sleep(5);
  return { url, node };
}

/** A data folder that goes with the benchmark. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-bench-'));
  endLater(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The superuser's url of the database in a data folder that is in use. */
async function databaseUrlOf(folder: string): Promise<string> {
  const port = (await readFile(join(folder, 'verbatim.lock'), 'utf8')).trim().split(' ')[1];
  const password = (await readFile(join(folder, 'postgres', 'verbatim.password'), 'utf8')).trim();
  return `postgres://verbatim:${password}@127.0.0.1:${port}/verbatim`;
}

async function lagOf({ url }: Service): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const lags = [...metrics.matchAll(/^verbatim_(?:projection|search)_lag (\d+)/gm)].map(([, lag]) => Number(lag));
  return Math.max(...lags);
}

/** Does something `count` times, `together` at a time; answers the results in order. */
async function inTurns<T>(count: number, together: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: together }, worker));
  return results;
}
