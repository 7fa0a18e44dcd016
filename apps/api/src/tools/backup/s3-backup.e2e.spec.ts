import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { startCommand } from '../log/cli-process.testing.js';
import { type S3Server, s3Missing, startS3 } from './s3-server.testing.js';

const master = { MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
const PLACE = 's3://backups/chats/one';

describe.skipIf(s3Missing)('a backup in S3', () => {
  let s3: S3Server;
  let service: TestService;
  let ada: TestPerson;
  let room: string;
  let folder: string;
  let recipient: string;
  let key: string;

  beforeAll(async () => {
    s3 = await startS3();
    service = await startTestService({ environment: master });
    ada = await register(service.url);
    room = await ada.room({ name: 'สวัสดี 🚂' });
    folder = await mkdtemp(join(tmpdir(), 'verbatim-backup-'));
    const identity = await generateIdentity();
    recipient = await identityToRecipient(identity);
    key = join(folder, 'backup.key');
    await writeFile(key, `${identity}\n`);
  });
  afterAll(async () => {
    await service.stop();
    await s3.stop();
    await rm(folder, { recursive: true });
  });

  const backUp = (changed: Readonly<Record<string, string>> = {}) =>
    startCommand(['backup', PLACE, '--recipient', recipient], {
      ...{ DATABASE_URL: service.databaseUrl, ...master, ...s3.environment },
      ...changed,
    });
  const verify = () => startCommand(['backup', 'verify', PLACE, '--identity', key], s3.environment).ended;
  const restoreInto = (database: string) =>
    startCommand(['restore', PLACE, '--identity', key], { DATABASE_URL: database, ...master, ...s3.environment }).ended;
  const objects = async (part: string) =>
    (await readdir(join(s3.files, 'chats/one', part), { recursive: true }).catch(() => []))
      .filter((name) => name.endsWith('.age'))
      .map((name) => `${part}/${name}`)
      .sort();
  const manifest = async () => JSON.parse(await readFile(join(s3.files, 'chats/one/manifest.json'), 'utf8'));

  it('is consistent while people write, and a restored service knows everything up to it', async () => {
    let writing = true;
    const talk = (async () => {
      let count = 0;
      for (; writing; count++) await ada.says(room, `during the backup ${count}`);
      return count;
    })();
    const made = await backUp().ended.finally(() => {
      writing = false;
    });
    expect(await talk).toBeGreaterThan(10);
    expect([made.complained, made.code]).toEqual(['', 0]);
    expect(await verify()).toMatchObject({ code: 0, printed: expect.stringContaining('No stream is broken.') });

    const target = await createDatabase();
    expect(await restoreInto(target)).toMatchObject({ code: 0, printed: expect.stringContaining('The log reaches') });
    const again = await startTestService({ databaseUrl: target, environment: master });
    try {
      const there = await signIn(again.url, { username: ada.username, password });
      expect((await there.get(`/v1/rooms/${room}`)).body.name).toBe('สวัสดี 🚂');
      const texts = (await there.all(`/v1/rooms/${room}/messages`)).map(({ text }) => text);
      expect(texts.some((text) => text?.startsWith('during'))).toBe(true);
    } finally {
      await again.stop();
      await dropDatabase(target);
    }
  }, 120_000);

  it('grows by what is new, keeps no older state of the vault, and goes on after a kill', async () => {
    const [before, first] = [await objects('log'), await manifest()];
    await ada.says(room, 'after the first backup');
    const lock = postgres(service.databaseUrl, { max: 1 });
    await lock.begin(async (tx) => {
      await tx`lock table vault.credentials in access exclusive mode`;
      const { child, ended } = backUp();
      await expect
        .poll(async () => (await readdir(join(s3.files, 'chats/one/desk'))).length, { timeout: 30_000 })
        .toBe(2);
      child.kill('SIGKILL');
      await ended;
    });
    await lock.end();
    expect(await manifest()).toEqual(first);
    expect(await verify()).toMatchObject({ code: 0 });

    expect(await backUp().ended).toMatchObject({ code: 0, complained: '' });
    const log = await objects('log');
    expect(log.slice(0, before.length)).toEqual(before);
    expect(log.length).toBe(before.length + 1);
    const named = (await manifest()).point.tables.map(({ file }: { file: string }) => file);
    expect([...(await objects('desk')), ...(await objects('vault'))]).toEqual(named.sort());
    expect(await verify()).toMatchObject({ code: 0 });
  }, 120_000);

  it.each(['log', 'vault', 'desk'])(
    'names an object of %s that is missing or has one flipped bit',
    async (part) => {
      const name = (await objects(part)).at(-1) as string;
      const file = join(s3.files, 'chats/one', name);
      const content = await readFile(file);
      const damaged = Buffer.from(content);
      const middle = Math.floor(content.length / 2);
      damaged.writeUInt8(content.readUInt8(middle) ^ 1, middle);
      await writeFile(file, damaged);
      const flipped = { code: 1, complained: `${name} is broken: its content does not have its digest.\n` };
      expect(await verify()).toMatchObject(flipped);
      await writeFile(file, content);
      await rename(file, join(folder, 'away'));
      expect(await verify()).toMatchObject({ code: 1, complained: `${name} is broken: it is missing.\n` });
      await writeFile(file, content);
      expect(await verify()).toMatchObject({ code: 0 });
    },
    120_000,
  );

  it('says in one sentence when S3 does not let us in, or is away', async () => {
    const refused = await backUp({ AWS_SECRET_ACCESS_KEY: 'wrong' }).ended;
    expect([refused.code, refused.complained]).toEqual([
      1,
      `${s3.environment.AWS_ENDPOINT_URL_S3} refuses the bucket backups to these credentials (SignatureDoesNotMatch): ` +
        'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do.\n',
    ]);
    const away = await backUp({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }).ended;
    expect([away.code, away.complained]).toEqual([
      1,
      'http://127.0.0.1:9 cannot be reached, after 8 attempts (ECONNREFUSED).\n',
    ]);
    const nobody = await backUp({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', HOME: folder }).ended;
    expect([nobody.code, nobody.complained]).toEqual([
      1,
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to credentials for the bucket backups.\n',
    ]);
  }, 120_000);
});
