import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from './harness/database.testing.js';
import { earlierVersion } from './harness/earlier-version.testing.js';
import { type ServiceProcess, startProcess } from './harness/service-process.testing.js';
import { password, register, signIn, type TestPerson } from './harness/test-client.testing.js';

/** The version before this one that replicas may still run: raise it with each release. */
const EARLIER = '4fc002e';

const earlier = process.env.LONG === '1' ? await earlierVersion(EARLIER) : null;
if (!earlier) console.log(`Skipped: two versions on one database. The commit ${EARLIER} is not in this checkout.`);

let folder: string;
let databaseUrl: string;
const running: ServiceProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-versions-'));
  databaseUrl = await createDatabase();
});
afterEach(async () => {
  for (const replica of running.splice(0)) await replica.end('SIGTERM');
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true, force: true });
});

async function replica(version: 'old' | 'new'): Promise<ServiceProcess> {
  const settings = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder };
  const started = await startProcess(settings, version === 'old' ? `${earlier}` : undefined);
  running.push(started);
  return started;
}

/** Signing in, reading, posting and following at one replica; the texts of the room afterwards. */
async function liveAt(
  { url }: ServiceProcess,
  { username }: TestPerson,
  room: string,
  text: string,
): Promise<string[]> {
  const person = await signIn(url, { username, password });
  const socket = await person.connect();
  await socket.ask('follow', { room });
  await person.says(room, text);
  await expect.poll(() => JSON.stringify(socket.frames), { timeout: 10_000 }).toContain(text);
  socket.close();
  return (await person.all(`/v1/rooms/${room}/messages`)).map((message) => `${message.text}`).reverse();
}

describe.skipIf(!earlier)('on one database', () => {
  it('the new version beside the old one serves the same people, and the old one goes on', async () => {
    const old = await replica('old');
    const ada = await register(old.url);
    const room = await ada.room({ name: 'engine room', visibility: 'public' });
    await ada.says(room, 'from before');
    const now = await replica('new');
    expect(await liveAt(now, ada, room, 'at the new one')).toEqual(['from before', 'at the new one']);
    expect(await liveAt(old, ada, room, 'at the old one')).toEqual(['from before', 'at the new one', 'at the old one']);
    const bob = await register(now.url);
    expect((await bob.post(`/v1/rooms/${room}/members`, {})).status).toBeLessThan(300);
    expect(await liveAt(old, bob, room, 'from bob')).toContain('from bob');
    expect(await old.end('SIGTERM')).toBe(0);
    expect(await liveAt(now, bob, room, 'the new one alone')).toHaveLength(5);
  }, 300_000);

  it('the old version comes back beside the new one, and serves alone', async () => {
    const now = await replica('new');
    const ada = await register(now.url);
    const room = await ada.room({ name: 'engine room' });
    await ada.says(room, 'from before');
    const old = await replica('old');
    expect(await liveAt(old, ada, room, 'at the old one')).toEqual(['from before', 'at the old one']);
    expect(await liveAt(now, ada, room, 'at the new one')).toEqual(['from before', 'at the old one', 'at the new one']);
    expect(await now.end('SIGTERM')).toBe(0);
    const eve = await register(old.url);
    expect((await eve.get('/v1/me')).body.username).toBe(eve.username);
    expect(await liveAt(old, ada, room, 'the old one alone')).toHaveLength(4);
  }, 300_000);
});
