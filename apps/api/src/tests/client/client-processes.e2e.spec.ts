import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@verbatim/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../harness/service-process.testing.js';
import { freshName, password } from '../harness/test-client.testing.js';

/** The client against processes that are stopped and killed. */
let folder: string;
let databaseUrl: string;
let processes: ServiceProcess[];
const another = () => startProcess({ DATABASE_URL: databaseUrl, VERBATIM_DATA: folder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-client-'));
  databaseUrl = await createDatabase();
  processes = [await another()];
  processes.push(await another());
});
afterAll(async () => {
  for (const process of processes) await process.end('SIGKILL');
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true, force: true });
});

const [first, second] = [() => processes[0]!, () => processes[1]!];

/** Somebody who follows a room of their own over the first process, and writes down what comes. */
async function atTheFirst() {
  const client = new Client({ servers: [first().url, second().url] });
  await client.register({ username: freshName(), password });
  const { id: room } = await client.call('createRoom', { body: { name: freshName() } });
  const heard: number[] = [];
  const following = client.follow(room, {
    after: -1,
    onEvents: (events) => void heard.push(...events.map(({ revision }) => revision)),
  });
  await following.ready();
  return { client, room, heard };
}

/** Posts `many` messages, has `disturb` done in the midst of it, and expects that all came once and in order. */
async function postsThrough(many: number, disturb: () => void) {
  const { client, room, heard } = await atTheFirst();
  for (let i = 0; i < many; i++) {
    const posting = client.post(room, `message ${i}`);
    if (i === many / 2) disturb();
    expect((await posting).revision).toBe(i + 2);
  }
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(many + 2);
  expect(heard).toEqual(Array.from({ length: many + 2 }, (_, i) => i));
  client.close();
}

describe('a server that', () => {
  it('is stopped without its connections being closed is noticed, and another one takes over', async () => {
    const began = Date.now();
    await postsThrough(20, () => void first().child.kill('SIGSTOP'));
    expect(Date.now() - began).toBeLessThan(20_000);
    first().child.kill('SIGCONT');
  }, 60_000);

  it('is killed is replaced by another one at once', async () => {
    await postsThrough(100, () => void first().child.kill('SIGKILL'));
  }, 60_000);
});

describe('the example', () => {
  it('runs', async () => {
    const example = fileURLToPath(
      new URL('../../../../../libs/protocol/client/examples/two-people.mjs', import.meta.url),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [example, second().url]);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('0 ada RoomCreated ');
    expect(
      lines.filter((line) => line.includes(' ada MessagePosted ')).map((line) => line.split('Posted ')[1]),
    ).toEqual(['Good morning', 'It works', 'Good night']);
    expect(lines.at(-1)).toMatch(/bob MessagePosted Sleep well$/);
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(lines.map((_, revision) => revision));
  });
});
