import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type BackupPlace, MissingFile, PlaceUnavailable } from './backup-place.js';
import { FolderPlace } from './folder-place.js';
import { openS3 } from './s3-place.js';
import { type S3Server, s3Missing, startS3 } from './s3-server.testing.js';

/** The least that S3 takes, for all parts but the last. */
const PART = 5 * 2 ** 20;

let folder: string;
let s3: S3Server | undefined;
const proxies: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-place-'));
  if (!s3Missing) s3 = await startS3();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const proxy of proxies) proxy.close();
  await s3?.stop();
  await rm(folder, { recursive: true });
});

async function s3Place(prefix: string, changed: Readonly<Record<string, string>> = {}): Promise<BackupPlace> {
  for (const [name, value] of Object.entries({ ...s3?.environment, ...changed })) vi.stubEnv(name, value);
  return openS3(`s3://backups/${prefix}`, { part: PART });
}

/** A way to the server whose connections end after so many bytes in either direction, until it has ended as many as it should. */
async function brokenWay(bytes: number, times: number): Promise<Readonly<Record<string, string>>> {
  let left = times;
  const proxy = createServer((socket) => {
    const onward = connect(s3?.port as number, '127.0.0.1');
    let passed = 0;
    const pass = (to: typeof socket) => (chunk: Buffer) => {
      passed += chunk.length;
      if (passed > bytes && left > 0) {
        left--;
        socket.resetAndDestroy();
        onward.destroy();
      } else to.write(chunk);
    };
    socket.on('data', pass(onward)).on('error', () => undefined);
    onward.on('data', pass(socket)).on('error', () => undefined);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  proxies.push(proxy);
  await once(proxy, 'listening');
  return { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(proxy.address() as { port: number }).port}` };
}

const inChunks = (content: Buffer): AsyncIterable<Uint8Array> =>
  Readable.from(
    (function* () {
      for (let from = 0; from < content.length; from += 100_001) yield content.subarray(from, from + 100_001);
    })(),
  );
const read = (place: BackupPlace, path: string) => buffer(place.read(path));

async function* brokenOff(content: Buffer): AsyncGenerator<Uint8Array> {
  yield* inChunks(content);
  throw new Error('the source broke');
}

describe.each([
  ['a folder', false, async (name: string): Promise<BackupPlace> => new FolderPlace(join(folder, name))],
  ['S3', s3Missing, async (name: string): Promise<BackupPlace> => s3Place(name)],
])('%s', (_what, missing, open) => {
  it.skipIf(missing).each([0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 7])(
    'gives back a file of %i bytes',
    async (size) => {
      const [place, content] = [await open('sizes'), randomBytes(size)];
      await place.write(`log/${size}.gz`, inChunks(content));
      expect((await read(place, `log/${size}.gz`)).equals(content)).toBe(true);
    },
  );

  it.skipIf(missing)('says when there is no such file', async () => {
    await expect(read(await open('empty'), 'manifest.json')).rejects.toThrow(MissingFile);
    expect(await (await open('empty')).folders('vault')).toEqual([]);
  });

  it.skipIf(missing).each([1_000, 2 * PART + 7])(
    'keeps the old content while %i bytes of the new are not complete, and nothing else',
    async (size) => {
      const place = await open('replaced');
      await place.write('manifest.json', inChunks(Buffer.from('old')));
      await expect(place.write('manifest.json', brokenOff(randomBytes(size)))).rejects.toThrow('the source broke');
      expect(`${await read(place, 'manifest.json')}`).toBe('old');
      await place.removeUnfinished();
      expect(`${await read(place, 'manifest.json')}`).toBe('old');
      await place.write('manifest.json', inChunks(Buffer.from('new')));
      expect(`${await read(place, 'manifest.json')}`).toBe('new');
    },
  );

  it.skipIf(missing)('removes one folder with all that is in it, and none beside it', async () => {
    const place = await open('folders');
    for (const path of ['vault/1/keys', 'vault/1/names', 'vault/12/keys', 'desk/1/marks'])
      await place.write(path, inChunks(Buffer.from(path)));
    expect((await place.folders('vault')).sort()).toEqual(['1', '12']);
    await place.removeFolder('vault/1');
    expect(await place.folders('vault')).toEqual(['12']);
    expect(`${await read(place, 'vault/12/keys')}${await read(place, 'desk/1/marks')}`).toBe(
      'vault/12/keysdesk/1/marks',
    );
  });
});

it('a folder keeps no drafts of a writer that was killed', async () => {
  const place = new FolderPlace(join(folder, 'drafts'));
  await expect(place.write('log/1.gz', brokenOff(randomBytes(9)))).rejects.toThrow('the source broke');
  expect(await readdir(join(folder, 'drafts/log'))).toEqual(['1.gz.draft']);
  await place.removeUnfinished();
  expect(await readdir(join(folder, 'drafts/log'))).toEqual([]);
});

describe.skipIf(s3Missing)('S3 over a bad network', () => {
  const content = randomBytes(3 * PART + 7);

  it('gets a file whose connections break in the middle', async () => {
    const place = await s3Place('bad', await brokenWay(2 * 2 ** 20, 3));
    await place.write('log/1.gz', inChunks(content));
    expect((await read(await s3Place('bad'), 'log/1.gz')).equals(content)).toBe(true);
  });

  it('reads on where a connection broke', async () => {
    await (await s3Place('bad')).write('log/2.gz', inChunks(content));
    const place = await s3Place('bad', await brokenWay(4 * 2 ** 20, 3));
    expect((await read(place, 'log/2.gz')).equals(content)).toBe(true);
  });

  it('gives up in the end with one sentence, and keeps what was there', async () => {
    await (await s3Place('bad')).write('manifest.json', inChunks(Buffer.from('old')));
    const place = await s3Place('bad', await brokenWay(2 ** 20, Number.POSITIVE_INFINITY));
    const failed = place.write('manifest.json', inChunks(content));
    await expect(failed).rejects.toThrow(PlaceUnavailable);
    await expect(failed).rejects.toThrow(/^http:\S+ cannot be reached, after 8 attempts \(.+\)\.$/);
    expect(`${await read(await s3Place('bad'), 'manifest.json')}`).toBe('old');
  }, 60_000);
});

it.skipIf(s3Missing)('S3 keeps no parts of an upload that was killed, apart from those of others', async () => {
  const place = await s3Place('killed');
  const client = new S3Client({ endpoint: `${s3?.environment.AWS_ENDPOINT_URL_S3}`, forcePathStyle: true });
  const Bucket = 'backups';
  for (const Key of ['killed/log/1.gz', 'killed-too/log/1.gz'])
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  await place.removeUnfinished();
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  expect(Uploads.map(({ Key }) => Key)).toEqual(['killed-too/log/1.gz']);
  client.destroy();
});

describe.skipIf(s3Missing)('S3 that does not let us in', () => {
  it.each([
    [{ AWS_SECRET_ACCESS_KEY: 'wrong' }, 'refuses the bucket backups to these credentials (SignatureDoesNotMatch)'],
    // What this server says in place of 403 InvalidAccessKeyId.
    [{ AWS_ACCESS_KEY_ID: 'nobody' }, 'answers 404 for the bucket backups (XAdminUserNotFound)'],
  ])('says so in one sentence', async (changed, sentence) => {
    await expect(read(await s3Place('chat', changed), 'manifest.json')).rejects.toThrow(sentence);
  });

  it('names the bucket that does not exist', async () => {
    await s3Place('chat');
    const place = await openS3('s3://nowhere/chat');
    await expect(read(place, 'manifest.json')).rejects.toThrow(/^There is no bucket nowhere at http:/);
  });
});
