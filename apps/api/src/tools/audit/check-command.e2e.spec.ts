import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { startCommand } from '../log/cli-process.testing.js';

let service: TestService;
let folder: string;
let admin: TestPerson;
let ada: TestPerson;
let keys: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evidence-'));
  service = await startTestService({ environment: { AUDIT_LOG_ORIGIN: 'chat.example/log' } });
  [admin, ada] = [await signIn(service.url), await register(service.url)];
  keys = (await (await fetch(`${service.url}/audit/log/keys`)).text()).trim().split('\n');
});
afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Checks this evidence with these keys only. */
async function check(evidence: string | object, trusted = keys) {
  const file = join(folder, 'evidence');
  await writeFile(file, typeof evidence === 'string' ? evidence : JSON.stringify(evidence));
  return startCommand(['audit', 'check', file, ...trusted.flatMap((key) => ['--key', key])]).ended;
}

describe('the proof of a message', () => {
  it('is valid, and shows what was written, in any script', async () => {
    const room = await ada.room();
    const { id } = await ada.says(room, 'שלום, fünf \u202eEuro\u202c');
    const proof = (await ada.get(`/v1/rooms/${room}/messages/${id}/proof`)).body;
    const { code, printed } = await check(proof);
    expect(printed).toContain(`entry ${proof.ordinal} of the log chat.example/log`);
    expect(printed).toContain('text: "שלום, fünf \\u{202e}Euro\\u{202c}"');
    expect(printed).toContain(`actor: "${ada.id}"`);
    expect(code).toBe(0);
  });

  it('is invalid with anything in it changed, or with other keys', async () => {
    const room = await ada.room();
    const [first, second] = [await ada.says(room, 'one'), await ada.says(room, 'two')];
    const [one, two] = await Promise.all(
      [first, second].map(async ({ id }) => (await ada.get(`/v1/rooms/${room}/messages/${id}/proof`)).body),
    );
    for (const forged of [
      { ...one, envelope: two.envelope },
      { ...one, key: two.key },
      { ...one, revision: one.revision + 1 },
      { ...one, ordinal: two.ordinal },
      { ...one, proof: one.proof.replace(/index \d+/, `index ${two.ordinal}`) },
      { ...one, proof: one.proof.slice(0, -20) },
      { ...one, envelope: '' },
      { ...one, key: 7 },
      { ...one, key: Buffer.alloc(32).toString('base64') },
    ]) {
      const { code, printed } = await check(forged);
      expect([code, printed]).toEqual([1, expect.stringMatching(/^It does not hold: /)]);
    }
    const certificates = keys.filter((key) => key.includes('/certificates'));
    expect((await check(one, certificates)).code).toBe(1);
  });

  it('of a redacted message is valid, without its text', async () => {
    const room = await ada.room();
    const { id } = await ada.says(room, 'never mind');
    await ada.delete(`/v1/rooms/${room}/messages/${id}`);
    const { code, printed } = await check((await ada.get(`/v1/rooms/${room}/messages/${id}/proof`)).body);
    expect(printed).toContain('text: not in this proof');
    expect(code).toBe(0);
  });
});

describe('the certificate of an erasure', () => {
  it('is valid, but not with a word changed or when signed by the other key', async () => {
    const room = await ada.room();
    const { id: message } = await ada.says(room, 'gone');
    const { body } = await admin.post('/v1/erasures', { room, message, ground: 'objection', reason: 'Letter 5' });
    const { certificate } = await eventually(
      async () => (await admin.get(`/v1/erasures/${body.id}`)).body,
      ({ status }) => status === 'done',
    );
    const { code, printed } = await check(certificate);
    expect(printed).toContain('ground: "objection"');
    expect(code).toBe(0);
    expect((await check(certificate.replace('objection', 'unlawful'))).code).toBe(1);
    expect(
      (
        await check(
          certificate,
          keys.filter((key) => !key.includes('/certificates')),
        )
      ).code,
    ).toBe(1);
  });
});

describe('what cannot be checked', () => {
  it('is an error, not a finding', async () => {
    expect((await startCommand(['audit', 'check', join(folder, 'none'), '--key', keys[0] ?? '']).ended).code).toBe(3);
    expect((await startCommand(['audit', 'check', join(folder, 'evidence')]).ended).code).toBe(2);
    expect((await startCommand(['audit', 'check', '--key', keys[0] ?? '']).ended).code).toBe(2);
    expect((await startCommand(['audit', 'check', 'x', '--key', 'nonsense']).ended).code).toBe(2);
    expect((await check('not signed')).code).toBe(1);
  });
});
