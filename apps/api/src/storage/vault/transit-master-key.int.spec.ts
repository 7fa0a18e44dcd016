import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MasterKeyUnavailable } from '@verbatim/event-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Openbao, obtainOpenbao } from './openbao.testing.js';
import { readTransitUrl, TransitMasterKey, type TransitSettings } from './transit-master-key.js';

const program = obtainOpenbao();
const key = randomBytes(32);
let bao: Openbao;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-transit-'));
  if (program) bao = await Openbao.start(program);
}, 120_000);
afterAll(async () => {
  await bao?.stop();
  await rm(folder, { recursive: true, force: true });
});

const masterKey = (settings: TransitSettings, name = 'verbatim', patienceMs = 3_000) =>
  new TransitMasterKey(readTransitUrl(bao.place(name)), settings, patienceMs);

/** The error of a master key that cannot be used: what it says, and what it advises. */
async function troubleOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(MasterKeyUnavailable);
  const { message, advice } = error as MasterKeyUnavailable;
  return `${message} ${advice}`;
}

describe.runIf(program)('a master key in OpenBao', () => {
  it('wraps a key, and unwraps it with the same label only', async () => {
    const master = masterKey({ KMS_TOKEN: await bao.tokenFor('verbatim') });
    const wrapped = await master.wrap(key, 'root key 1');
    expect(wrapped).not.toContain(key.toString('base64'));
    expect(await master.unwrap(wrapped, 'root key 1')).toEqual(key);
    expect(await master.unwrap(wrapped, 'root key 2')).toBeNull();
    expect(await master.unwrap(wrapped.slice(0, -8), 'root key 1')).toBeNull();
    expect(await master.unwrap('vault:v1:aaaa', 'root key 1')).toBeNull();
  });

  it('still opens what earlier key versions wrapped', async () => {
    const master = masterKey({ KMS_TOKEN: bao.token });
    const old = await master.wrap(key, 'label');
    await bao.call('POST', 'transit/keys/verbatim/rotate', {});
    const fresh = await master.wrap(key, 'label');
    expect([old, fresh].map((wrapped) => master.versionOf(wrapped))).toEqual(['1', '2']);
    expect(await master.unwrap(old, 'label')).toEqual(key);
  });

  it('reads its token from the file each time, because agents renew it', async () => {
    const file = join(folder, 'token');
    await writeFile(file, 'expired\n');
    const master = masterKey({ KMS_TOKEN_FILE: file });
    expect(await troubleOf(master.wrap(key, 'label'))).toMatch(/denied access.*update on transit\/encrypt\/verbatim/);
    await writeFile(file, `${await bao.tokenFor('verbatim')}\n`);
    expect(await master.wrap(key, 'label')).toMatch(/^vault:v/);
    expect(await troubleOf(masterKey({ KMS_TOKEN_FILE: join(folder, 'none') }).wrap(key, 'label'))).toMatch(
      /none cannot be read \(ENOENT\).*KMS_TOKEN_FILE/,
    );
    expect(await troubleOf(masterKey({}).wrap(key, 'label'))).toMatch(/no token.*KMS_TOKEN_FILE or KMS_TOKEN/);
  });

  it('is distinguished by its namespace', async () => {
    await bao.call('POST', 'sys/namespaces/team', {});
    await bao.call('POST', 'sys/mounts/transit', { type: 'transit' }, 'team');
    await bao.call('POST', 'transit/keys/verbatim', {}, 'team');
    const [outside, inside] = [
      masterKey({ KMS_TOKEN: bao.token }),
      masterKey({ KMS_TOKEN: bao.token, KMS_NAMESPACE: 'team' }),
    ];
    expect(inside.name).not.toBe(outside.name);
    const wrapped = await inside.wrap(key, 'label');
    expect(await inside.unwrap(wrapped, 'label')).toEqual(key);
    expect(await outside.unwrap(wrapped, 'label')).toBeNull();
    const nowhere = masterKey({ KMS_TOKEN: bao.token, KMS_NAMESPACE: 'nowhere' });
    expect(await troubleOf(nowhere.wrap(key, 'label'))).toMatch(/namespace not found.*KMS_NAMESPACE/);
  });

  it('names the server and what to do when the key is missing', async () => {
    const master = masterKey({ KMS_TOKEN: bao.token }, 'absent');
    const trouble = await troubleOf(master.unwrap('vault:v1:aaaa', 'label'));
    expect(trouble).toContain(`The key server at http://127.0.0.1:${bao.port} cannot be used`);
    expect(trouble).toMatch(/no such key.*create the key absent/);
    const elsewhere = new TransitMasterKey(
      { server: bao.server, mount: 'none', key: 'verbatim' },
      { KMS_TOKEN: bao.token },
    );
    expect(await troubleOf(elsewhere.wrap(key, 'label'))).toMatch(/enable the transit engine at none/);
  });

  it('times out on a hanging server, and recovers when it responds again', async () => {
    const master = masterKey({ KMS_TOKEN: bao.token }, 'verbatim', 300);
    bao.hang();
    const begun = Date.now();
    expect(await troubleOf(master.wrap(key, 'label'))).toMatch(/did not answer in time/);
    expect(Date.now() - begun).toBeLessThan(20_000);
    bao.resume();
    await expect.poll(() => master.wrap(key, 'label').catch(() => null), { timeout: 20_000 }).toMatch(/^vault:v/);
  });

  it('reports a sealed server', async () => {
    const sealed = await Openbao.start(program as string);
    await sealed.call('PUT', 'sys/seal', {});
    const master = new TransitMasterKey(readTransitUrl(sealed.place()), { KMS_TOKEN: sealed.token });
    expect(await troubleOf(master.wrap(key, 'label'))).toMatch(/is sealed or has no leader.*unseal it/);
    await sealed.stop();
    expect(await troubleOf(master.wrap(key, 'label'))).toMatch(/cannot be reached \(ECONNREFUSED\)/);
  });
});

describe('anything else that responds instead of a key server', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  async function answering(status: number, body: string): Promise<TransitMasterKey> {
    const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    return new TransitMasterKey({ server: `http://127.0.0.1:${port}`, mount: 'transit', key: 'k' }, { KMS_TOKEN: 't' });
  }

  it.each([
    ['a page', 200, '<html>'],
    ['nothing', 200, ''],
    ['no ciphertext', 200, '{"data":{}}'],
    ['null', 200, 'null'],
    ['a redirection', 302, ''],
    ['an endless answer', 200, 'x'.repeat(1_000_000)],
    ['an error of its own', 500, '{"errors":["internal error"]}'],
  ])('%s is an error that names the server', async (_, status, body) => {
    const master = await answering(status, body);
    expect(await troubleOf(master.wrap(key, 'label'))).toContain('The key server at http://127.0.0.1:');
  });

  it('no TLS where TLS is expected is an error that names the server', async () => {
    const plain = await answering(200, '{}');
    const server = plain.description.replace(/.*http:/, 'https:');
    const master = new TransitMasterKey({ server, mount: 'transit', key: 'k' }, { KMS_TOKEN: 't' });
    expect(await troubleOf(master.wrap(key, 'label'))).toContain('cannot be used');
  });
});
