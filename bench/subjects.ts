import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { Participant } from './load.js';
import { cpuOfTree, residentMiB } from './processes.js';

/** Something that can be put under load. */
export interface Subject {
  readonly name: string;
  /** Brings together `rooms` rooms of `people` each. */
  gather(rooms: number, people: number): Promise<Participant[][]>;
  /** Resolves when all work that the load has caused is done. */
  settled(): Promise<void>;
  /** Microseconds of CPU so far: the server, and its database where it has one. */
  cpu(): { server: number; database: number };
  residentMiB(): number;
  stop(): Promise<void>;
}

export const cores = cpus().length;

export async function startRelay(): Promise<Subject> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('relay.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(await firstLine(child));
  return {
    name: 'bare relay',
    gather: async (rooms, people) => {
      const name = Math.random().toString(36).slice(2);
      return grid(rooms, people, async (room) => {
        const socket = await opened(
          new WebSocket(`ws://127.0.0.1:${port}/${name}-${room}`, { perMessageDeflate: false }),
        );
        return { socket, post: (text) => socket.send(JSON.stringify({ event: 'post', data: { text } })) };
      });
    },
    settled: async () => undefined,
    cpu: () => ({ server: cpuOfTree(child.pid ?? 0), database: 0 }),
    residentMiB: () => residentMiB(child.pid ?? 0),
    stop: () => ended(child, 'SIGTERM'),
  };
}

/** The service as `npm start` runs it, with its own PostgreSQL, which is as durable as in production. */
export async function startVerbatim(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-bench-'));
  const main = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));
  const env = {
    ...process.env,
    PORT: '0',
    VERBATIM_DATA: folder,
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'warn',
    ADMIN_PASSWORD: 'administrator',
  };
  const child = spawn(process.execPath, [...(process.env.NODE_ARGUMENTS?.split(' ') ?? []), main], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await address(child);
  const postmaster = Number((await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const people: string[] = [];

  const call = async (
    path: string,
    token: string | null,
    body?: unknown,
    method = 'POST',
  ): Promise<Record<string, never>> => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, never>;
  };
  const person = async (index: number): Promise<string> => {
    const name = `bench${index}`;
    people[index] ??= (await call('/v1/auth/register', null, { username: name, password: 'correct horse' }))
      .accessToken as unknown as string;
    return people[index];
  };

  return {
    name: 'Verbatim',
    gather: async (rooms, count) => {
      for (let i = 0; i < count; i++) await person(i);
      const owner = await person(0);
      const ids: string[] = [];
      for (let i = 0; i < rooms; i++) {
        const room = await call('/v1/rooms', owner, { name: `bench ${Math.random().toString(36).slice(2)}` });
        ids.push(room.id as unknown as string);
        await Promise.all(people.slice(1, count).map((token) => call(`/v1/rooms/${room.id}/members`, token, {})));
      }
      return grid(rooms, count, async (room, index) => {
        const { ticket } = await call('/v1/auth/ticket', people[index] ?? '');
        const socket = await opened(
          new WebSocket(`${url.replace('http', 'ws')}/v1/ws?ticket=${ticket}`, { perMessageDeflate: false }),
        );
        const id = ids[room];
        const following = new Promise<void>((resolve) => {
          socket.on('message', (data: Buffer) => data.includes('"following"') && resolve());
        });
        socket.send(JSON.stringify({ event: 'follow', data: { room: id } }));
        await following;
        return {
          socket,
          post: (text) => socket.send(JSON.stringify({ event: 'post', ref: 1, data: { room: id, text } })),
        };
      });
    },
    settled: async () => {
      for (let lag = 1; lag > 0; ) {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        lag = Math.max(
          ...['verbatim_projection_lag', 'verbatim_search_lag'].map((name) =>
            Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0),
          ),
        );
        if (lag > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    cpu: () => {
      // The database is a child of the service.
      const database = cpuOfTree(postmaster);
      return { server: cpuOfTree(child.pid ?? 0) - database, database };
    },
    residentMiB: () => residentMiB(child.pid ?? 0),
    stop: async () => {
      await ended(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function grid(
  rooms: number,
  people: number,
  make: (room: number, index: number) => Promise<Participant>,
): Promise<Participant[][]> {
  const all: Participant[][] = [];
  for (let room = 0; room < rooms; room++)
    all.push(await Promise.all(Array.from({ length: people }, (_, index) => make(room, index))));
  return all;
}

const opened = (socket: WebSocket): Promise<WebSocket> =>
  new Promise((resolve, reject) => socket.once('open', () => resolve(socket)).once('error', reject));

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => child.stdout?.once('data', (data) => resolve(String(data).trim())));

const address = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (data) => {
      text += data;
      const found = /(http:\/\/\S+)\/admin\//.exec(text);
      if (found?.[1]) resolve(found[1]);
    });
    child.once('exit', () => reject(new Error(`the service has ended: ${text}`)));
  });

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill(signal);
  });
