import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { password, register, signIn, type TestPerson, Visitor } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const DAY = 86_400_000;
/** What keys are counted in. */
const SPAN = 30 * DAY;

let left: TestService;
let right: TestService;
/** What the clocks of both show. */
let now = Math.ceil(Date.now() / SPAN) * SPAN + DAY;

beforeAll(async () => {
  const clock = () => new Date(now);
  left = await startTestService({ clock });
  right = await startTestService({ clock, beside: left });
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});

const keyOf = (token: string) => decodeProtectedHeader(token).kid;
const published = async (service: TestService) => (await new Visitor(service.url).get('/.well-known/jwks.json')).body;
const me = async (person: TestPerson, service: TestService) => outcome(await person.at(service.url).get('/v1/me'));
const again = ({ username }: TestPerson, service: TestService) => signIn(service.url, { username, password });

describe('the keys that sign access tokens', () => {
  it('are public, without their secret half, and check what the service signs', async () => {
    const ada = await register(left.url);
    const keys = await published(right);
    const { payload } = await jwtVerify(ada.accessToken, createLocalJWKSet(keys), { currentDate: new Date(now) });
    expect(payload.sub).toBe(ada.id);
    expect(JSON.stringify(keys)).not.toContain('"d"');
  });

  it('change every 30 days, and the old one is good until its last token has ended', async () => {
    const end = Math.ceil(now / SPAN) * SPAN;
    now = end - 60_000;
    const before = await register(left.url);
    now = end + 1_000;
    const after = await again(before, right);

    expect(keyOf(after.accessToken)).not.toBe(keyOf(before.accessToken));
    for (const service of [left, right])
      for (const person of [before, after]) expect(await me(person, service)).toBe(200);
    expect((await published(left)).keys.map(({ kid }: { kid: string }) => kid)).toEqual(
      expect.arrayContaining([keyOf(before.accessToken), keyOf(after.accessToken)]),
    );

    now = end + 700_000;
    const { keys } = await published(left);
    expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual([keyOf(after.accessToken)]);
    expect(await me(before, left)).toBe('unauthenticated');
  });

  it('are listed a day before they are used', async () => {
    const end = Math.ceil(now / SPAN) * SPAN;
    now = end - DAY / 2;
    const listed = (await published(left)).keys.map(({ kid }: { kid: string }) => kid);
    now = end + 1_000;
    expect(listed).toContain(keyOf((await register(right.url)).accessToken));
  });

  it('are the same for two replicas that need a new one at the same moment', async () => {
    const people = await Promise.all([register(left.url), register(right.url)]);
    for (let round = 0; round < 5; round++) {
      now += SPAN;
      const fresh = await Promise.all(people.map((person, i) => again(person, i ? left : right)));
      expect(new Set(fresh.map(({ accessToken }) => keyOf(accessToken))).size).toBe(1);
      for (const person of fresh) expect([await me(person, left), await me(person, right)]).toEqual([200, 200]);
    }
  });

  it('are not made because somebody names one', async () => {
    const ada = await register(left.url);
    const sql = postgres(left.databaseUrl, { max: 1 });
    const count = async () => (await sql`select id from vault.signing_keys`).length;
    const before = await count();
    const [, claims, signature] = ada.accessToken.split('.');
    for (const kid of ['access-1', '0', '99999', '-1', '', '1e3', "'", 'x'.repeat(300)]) {
      const head = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid })).toString('base64url');
      const answer = await new Visitor(left.url).get('/v1/me', {
        authorization: `Bearer ${head}.${claims}.${signature}`,
      });
      expect(outcome(answer)).toBe('unauthenticated');
    }
    expect(await count()).toBe(before);
    await sql.end();
  });

  it('are kept only wrapped', async () => {
    const sql = postgres(left.databaseUrl, { max: 1 });
    for (const { wrapped } of await sql<{ wrapped: string }[]>`select wrapped from vault.signing_keys`) {
      expect(Buffer.from(wrapped, 'base64url').toString('latin1')).not.toContain('PRIVATE');
    }
    await sql.end();
  });
});
