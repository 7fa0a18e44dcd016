import postgres from 'postgres';
import { describe, expect, it, vi } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { downloaded, finished, requested } from '../../tests/harness/exports.testing.js';
import { eventually, register, signIn } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { units } from '../units.js';

vi.setConfig({ testTimeout: 120_000 });

async function withService(
  options: Parameters<typeof startTestService>[0],
  work: (service: TestService) => Promise<void>,
): Promise<void> {
  const service = await startTestService(options);
  try {
    await work(service);
  } finally {
    await service.stop();
  }
}

/** As if so much time had passed by the clock of the database. */
async function later(service: TestService, days: number): Promise<void> {
  const sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
  await sql`update cache.exports set expires_at = expires_at - make_interval(days => ${days})`;
  await sql.end();
}

describe('exports', () => {
  it('that one person has not finished are three, where nobody makes them', () =>
    withService({ units: units.filter(({ name }) => name !== 'exports') }, async (service) => {
      const [owner, other] = [await register(service.url), await register(service.url)];
      const room = await owner.roomWith([[other, 'owner']]);
      const ask = async (by = owner) => outcome(await by.post('/v1/exports', { room, reason: 'Case 7' }));
      expect([await ask(), await ask(), await ask(), await ask()]).toEqual([202, 202, 202, 'conflict']);
      expect(await ask(other)).toBe(202);
      expect(await owner.all('/v1/exports', 2)).toMatchObject([
        { status: 'queued' },
        { status: 'queued' },
        { status: 'queued' },
      ]);
      const trail = await (await signIn(service.url)).all('/v1/audit');
      expect(trail.filter(({ action }) => action === 'ExportRequested')).toEqual([]);
    }));

  it('asked for twice with one key are one', () =>
    withService({}, async (service) => {
      const owner = await register(service.url);
      const room = await owner.room();
      const ask = () => owner.post('/v1/exports', { room, reason: 'Case 7' }, { 'idempotency-key': 'k' });
      expect((await ask()).body).toEqual((await ask()).body);
      expect(await owner.all('/v1/exports')).toHaveLength(1);
    }));

  it('that would take more space than there is fail, and leave nothing behind', () =>
    withService({ environment: { EXPORT_MAX_BYTES: '1000000' } }, async (service) => {
      const owner = await register(service.url);
      const room = await owner.room();
      for (let i = 0; i < 90; i++) await owner.says(room, `${i} ${'☕'.repeat(7_000)}`);
      const small = await owner.room();
      const id = await requested(owner, { room });
      // Up to the bound is not beyond it: what was stored before the last look counts.
      const first = await finished(owner, id);
      const next = await finished(owner, await requested(owner, { room: small }));
      expect([first.status, next.status]).toContain('failed');
      expect([first, next].find(({ status }) => status === 'failed').problem).toContain('EXPORT_MAX_BYTES');
    }));

  it('expire, and are gone', () =>
    withService({ environment: { EXPORT_KEEP_DAYS: '2' } }, async (service) => {
      const owner = await register(service.url);
      const id = await requested(owner, { room: await owner.room() });
      const { expiresAt, finishedAt } = await finished(owner, id);
      expect(Date.parse(expiresAt) - Date.parse(finishedAt)).toBe(2 * 86_400_000);
      await later(service, 1);
      await service.restart();
      const again = owner.at(service.url);
      await downloaded(again, id);
      await later(service, 1);
      await service.restart();
      const still = owner.at(service.url);
      await eventually(
        async () => outcome(await still.get(`/v1/exports/${id}`)),
        (found) => found === 'not_found',
      );
    }));
});
