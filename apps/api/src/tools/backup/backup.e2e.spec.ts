import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStore } from '@verbatim/event-store';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { pino } from 'pino';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { tablesOfParts } from '../../commands.js';
import { readConfig } from '../../config.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import type { Surroundings } from '../command.js';
import { startCommand } from '../log/cli-process.testing.js';
import { backupCommand } from './backup-command.js';
import { FolderPlace } from './folder-place.js';
import { makeBackup } from './make-backup.js';
import { type Restored, restoreBackup } from './restore-backup.js';
import { restoreCommand } from './restore-command.js';
import { verifyBackup } from './verify-backup.js';

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');
const master = { MASTER_KEY };
const nothing = () => undefined;

let service: TestService;
let ada: TestPerson;
let room: string;
let folder: string;
let identity: string;
let recipients: string[];
const databases: string[] = [];

beforeAll(async () => {
  service = await startTestService({ environment: master });
  ada = await register(service.url);
  room = await ada.room({ name: 'สวัสดี 你好 🚂' });
  await ada.says(room, 'tab\t, newline\n, backslash \\N, \\. and שלום');
  identity = await generateIdentity();
  recipients = [await identityToRecipient(identity)];
  folder = await mkdtemp(join(tmpdir(), 'verbatim-backup-'));
});
afterEach(async () => {
  for (const url of databases.splice(0)) await dropDatabase(url);
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

async function emptyDatabase(): Promise<string> {
  const url = await createDatabase();
  databases.push(url);
  return url;
}

/** Backs the service up; with `cut` it is cut off behind that many events. */
async function backUp(
  to: string,
  { cut = Number.POSITIVE_INFINITY, url = service.databaseUrl, log = '', head = null as bigint | null } = {},
) {
  const store = await openEventStore({ url: log || url });
  const onProgress = ({ events }: { events: number }) => {
    if (events >= cut) throw new Error('cut off');
  };
  try {
    return await makeBackup(new FolderPlace(to), {
      ...{ database: url, recipients, onProgress },
      store: head === null ? store : Object.create(store, { head: { value: async () => head } }),
      logInDatabase: log === '',
      segment: { events: 200, characters: 1_000_000 },
    });
  } finally {
    await store.close();
  }
}

const restore = async (
  from: string,
  to: string,
  { at = null as bigint | Date | null, log = '', key = MASTER_KEY } = {},
): Promise<Restored> =>
  restoreBackup(new FolderPlace(from), {
    config: readConfig({ MASTER_KEY: key }),
    log: pino({ level: 'error' }),
    ...{ further: await tablesOfParts(), database: to, identities: [identity], at, onProgress: nothing },
    openStore: () => openEventStore({ url: log || to }),
  });

async function eventsIn(url: string): Promise<object[]> {
  const sql = postgres(url, { max: 1 });
  try {
    return [
      ...(await sql`select position::int, stream, revision::int, id, type, hash, sealed from log.events order by position`),
    ];
  } finally {
    await sql.end();
  }
}

/** Waits until everything in a log is signed; answers the position of its last event. */
async function allSigned(database: string, log: string): Promise<bigint> {
  const [sql, store] = [postgres(database, { max: 1 }), await openEventStore({ url: log })];
  try {
    const position = await store.head();
    await expect
      .poll(async () => BigInt((await sql`select position::text from desk.log_trees`)[0]?.position ?? -1), {
        timeout: 20_000,
      })
      .toBeGreaterThanOrEqual(position);
    return position;
  } finally {
    await Promise.all([sql.end(), store.close()]);
  }
}

const files = async (part: string) =>
  (await readdir(join(folder, part), { recursive: true }))
    .filter((name) => name.endsWith('.age'))
    .map((name) => `${part}/${name}`);

describe('a backup', () => {
  it('is consistent at one position while people write, and a restored service knows everybody and everything up to it', async () => {
    let writing = true;
    const talk = (async () => {
      let count = 0;
      for (; writing; count++) await ada.says(room, `during the backup ${count}`);
      return count;
    })();
    await expect
      .poll(async () => (await eventsIn(service.databaseUrl)).length, { timeout: 20_000 })
      .toBeGreaterThan(30);
    const { position, added } = await backUp(folder).finally(() => {
      writing = false;
    });
    expect(await talk).toBeGreaterThan(20);
    expect(added).toBe(Number(position) + 1);
    const { check } = await verifyBackup(new FolderPlace(folder), [identity], nothing);
    expect([check.events, check.broken]).toEqual([added, []]);

    const target = await emptyDatabase();
    const restored = await restore(folder, target);
    expect([restored.reached?.position, restored.check.broken]).toEqual([position, []]);
    const original = await eventsIn(service.databaseUrl);
    expect(await eventsIn(target)).toEqual(original.slice(0, added));

    const again = await startTestService({ databaseUrl: target, environment: master });
    try {
      const there = await signIn(again.url, { username: ada.username, password });
      expect((await there.get(`/v1/rooms/${room}`)).body.name).toBe('สวัสดี 你好 🚂');
      const texts = (await there.all(`/v1/rooms/${room}/messages`)).map(({ text }) => text);
      expect(texts).toContain('tab\t, newline\n, backslash \\N, \\. and שלום');
      expect(texts.filter((text) => text?.startsWith('during'))).not.toEqual([]);
      await there.says(room, 'said there');
      await register(again.url);
      expect((await fetch(`${again.url}/health/ready`)).status).toBe(200);
    } finally {
      await again.stop();
    }
  }, 60_000);

  it('grows by what is new, and keeps no older state of the vault', async () => {
    const before = await files('log');
    const [vault] = await readdir(join(folder, 'vault'));
    await ada.says(room, 'after the first backup');
    const { added } = await backUp(folder);
    expect(added).toBeGreaterThan(0);
    expect((await files('log')).slice(0, before.length)).toEqual(before);
    const states = await readdir(join(folder, 'vault'));
    expect([states.length, states.includes(`${vault}`)]).toEqual([1, false]);
    expect((await backUp(folder)).added).toBe(0);
  });

  it('contains neither the master key nor any text in the open', async () => {
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const content = await readFile(join(file.parentPath, file.name));
      for (const secret of [MASTER_KEY, Buffer.from(MASTER_KEY, 'base64'), 'during the backup', ada.username])
        expect(content.includes(secret)).toBe(false);
    }
  });

  it('goes on after it was cut off in the middle', async () => {
    for (let i = 0; i < 520; i += 40)
      await Promise.all(Array.from({ length: 40 }, (_, k) => ada.says(room, `much to say ${i + k}`)));
    const cut = await mkdtemp(join(tmpdir(), 'verbatim-backup-'));
    await expect(backUp(cut, { cut: 500 })).rejects.toThrow('cut off');
    await expect(verifyBackup(new FolderPlace(cut), [identity], nothing)).rejects.toThrow('was not completed');
    const { added, position } = await backUp(cut);
    expect(added).toBeLessThan(Number(position));
    expect((await verifyBackup(new FolderPlace(cut), [identity], nothing)).check).toMatchObject({
      events: Number(position) + 1,
      broken: [],
    });
    await rm(cut, { recursive: true });
  }, 60_000);

  it('refuses a folder that holds the backup of another log', async () => {
    const other = await startTestService({ environment: master });
    try {
      await expect(backUp(folder, { url: other.databaseUrl })).rejects.toThrow('a backup of another log');
    } finally {
      await other.stop();
    }
  });
});

describe('a restore', () => {
  beforeAll(() => backUp(folder));

  it('ends at a position or a time, behind which nothing is known', async () => {
    const target = await emptyDatabase();
    const { reached } = await restore(folder, target, { at: 20n });
    expect(reached?.position).toBe(20n);
    expect(await eventsIn(target)).toEqual((await eventsIn(service.databaseUrl)).slice(0, 21));

    const early = await restore(folder, await emptyDatabase(), { at: new Date(`${reached?.at}`) });
    expect(Number(early.reached?.position)).toBeGreaterThanOrEqual(20);
    expect(early.reached?.at).toBe(reached?.at);
    await expect(restore(folder, await emptyDatabase(), { at: 10n ** 9n })).rejects.toThrow(
      'The backup ends at position',
    );
  }, 60_000);

  it.each(['log', 'vault', 'desk'])(
    'of a backup with one flipped bit in %s is refused, and the file is named',
    async (part) => {
      const damaged = await mkdtemp(join(tmpdir(), 'verbatim-backup-'));
      await cp(folder, damaged, { recursive: true });
      const file = (await files(part)).at(-1) as string;
      const content = await readFile(join(damaged, file));
      const middle = Math.floor(content.length / 2);
      content.writeUInt8(content.readUInt8(middle) ^ 1, middle);
      await writeFile(join(damaged, file), content);
      const target = await emptyDatabase();
      for (const attempt of [
        () => verifyBackup(new FolderPlace(damaged), [identity], nothing),
        () => restore(damaged, target),
      ])
        await expect(attempt()).rejects.toThrow(`${file} is broken: its content does not have its digest.`);
      const sql = postgres(target, { max: 1 });
      expect(await sql`select from pg_namespace where nspname in ('log', 'vault', 'desk')`).toHaveLength(0);
      await sql.end();
      await rm(damaged, { recursive: true });
    },
  );

  it('needs the identity and the master key that fit', async () => {
    const other = await generateIdentity();
    await expect(verifyBackup(new FolderPlace(folder), [other], nothing)).rejects.toThrow(
      'encrypted for another identity',
    );
    await expect(verifyBackup(new FolderPlace(folder), [], nothing)).rejects.toThrow('name the --identity');
    const key = Buffer.alloc(32, 8).toString('base64');
    await expect(restore(folder, await emptyDatabase(), { key })).rejects.toThrow('The master key is not the one');
  });

  it('refuses a database that is not empty', async () => {
    await expect(restore(folder, service.databaseUrl)).rejects.toThrow('The target is not empty');
  });
});

describe('a restore to an earlier position', () => {
  it('lost what was signed, so the service is not ready until a new tree has begun', async () => {
    const target = await emptyDatabase();
    await restore(folder, target, { at: 20n });
    const again = await startTestService({ databaseUrl: target, environment: master });
    const readiness = async () => (await fetch(`${again.url}/health/ready`)).text();
    try {
      await expect.poll(readiness, { timeout: 15_000 }).toContain('begin a new tree');
      const begun = startCommand(['audit', 'new-log', '--reason', 'put back'], { DATABASE_URL: target, ...master });
      expect((await begun.ended).code).toBe(0);
      await expect.poll(readiness, { timeout: 20_000 }).not.toContain('begin a new tree');
      expect((await fetch(`${again.url}/health/ready`)).status).toBe(200);
    } finally {
      await again.stop();
    }
  }, 60_000);
});

describe('with the log in KurrentDB', () => {
  it('log, vault and desk are restored into another KurrentDB and another PostgreSQL', async () => {
    const [standIn, another] = [await StandIn.start(), await StandIn.start()];
    const [kept, target] = [await mkdtemp(join(tmpdir(), 'verbatim-backup-')), await emptyDatabase()];
    const source = await startTestService({ environment: { ...master, EVENT_STORE_URL: standIn.url } });
    try {
      const bob = await register(source.url);
      const place = await bob.room();
      await bob.says(place, 'in KurrentDB');
      const signed = await allSigned(source.databaseUrl, standIn.url);
      // The end of the log was looked up before all this was said.
      const { added, position } = await backUp(kept, { url: source.databaseUrl, log: standIn.url, head: 0n });
      expect(position).toBeGreaterThanOrEqual(signed);
      const { check } = await restore(kept, target, { log: another.url });
      expect([check.events, check.broken]).toEqual([added, []]);
      const again = await startTestService({
        databaseUrl: target,
        environment: { ...master, EVENT_STORE_URL: another.url },
      });
      const there = await signIn(again.url, { username: bob.username, password });
      expect((await there.all(`/v1/rooms/${place}/messages`)).map(({ text }) => text)).toEqual(['in KurrentDB']);
      // Its positions are others, at which the log is signed further.
      const ready = async () => (await fetch(`${again.url}/health/ready`)).status;
      await expect.poll(ready, { timeout: 20_000 }).toBe(200);
      await again.stop();
    } finally {
      await source.stop();
      for (const one of [standIn, another]) one.stop();
      await rm(kept, { recursive: true });
    }
  }, 60_000);
});

describe('the commands', () => {
  const settings = () => ({ DATABASE_URL: service.databaseUrl, ...master });

  it('go on after a kill, and say what they have done', async () => {
    const kept = await mkdtemp(join(tmpdir(), 'verbatim-backup-'));
    const key = join(kept, 'backup.key');
    await writeFile(key, `# created: today\n${identity}\n`);
    const backup = ['backup', join(kept, 'backup'), '--recipient', `${recipients[0]}`];
    const lock = postgres(service.databaseUrl, { max: 1 });
    await lock.begin(async (tx) => {
      await tx`lock table vault.credentials in access exclusive mode`;
      const { child, ended } = startCommand(backup, settings());
      await expect
        .poll(() => readdir(join(kept, 'backup'), { recursive: true }).catch(() => []), { timeout: 20_000 })
        .toContainEqual(expect.stringContaining('desk/'));
      child.kill('SIGKILL');
      await ended;
    });
    await lock.end();
    const made = await startCommand(backup, settings()).ended;
    expect([made.code, made.printed]).toEqual([0, expect.stringContaining('The backup is complete up to position')]);
    const verified = await startCommand(['backup', 'verify', join(kept, 'backup'), '--identity', key]).ended;
    expect([verified.code, verified.printed]).toEqual([0, expect.stringContaining('No stream is broken.')]);

    const target = await emptyDatabase();
    const back = { DATABASE_URL: target, ...master };
    const restored = await startCommand(['restore', join(kept, 'backup'), '--identity', key], back).ended;
    expect([restored.code, restored.printed]).toEqual([
      0,
      expect.stringMatching(/The log reaches position \d+, recorded at/),
    ]);
    await rm(kept, { recursive: true });
  }, 90_000);

  it.each([
    [backupCommand, ['folder'], 'Name a --recipient'],
    [backupCommand, ['folder', '--recipient', 'age1nobody'], 'age1nobody is no recipient of age'],
    [backupCommand, ['gs://bucket/chat', '--plain'], 'A backup is in a folder, or in s3://'],
    [backupCommand, ['s3://Bucket/chat', '--plain'], 's3://Bucket/chat is no place in S3'],
    [backupCommand, ['s3://bucket/../chat', '--plain'], 's3://bucket/../chat is no place in S3'],
    [restoreCommand(async () => []), ['/nowhere', '--at', 'yesterday'], '--at must be a position, or a time'],
  ])('called wrongly say what is wrong', async ({ run }, args, sentence) => {
    await expect(run(args, {} as Surroundings)).rejects.toThrow(sentence);
  });
});
