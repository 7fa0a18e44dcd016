import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogReader } from '../../tests/harness/log-reader.testing.js';
import { eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { FakeWitness } from './fake-witness.testing.js';

const origin = 'chat.example/log';
let witnesses: Record<'good' | 'other' | 'slow' | 'dead' | 'nonsense' | 'impostor' | 'broken', FakeWitness>;
let service: TestService;
let log: LogReader;
let ada: TestPerson;
let room: string;

beforeAll(async () => {
  const start = (name: string, behaviour: FakeWitness['behaviour'] = 'good') =>
    FakeWitness.start(`${name}.witness.example`, behaviour);
  witnesses = {
    ...{ good: await start('good'), other: await start('other'), slow: await start('slow', 'slow') },
    ...{ dead: await start('dead'), nonsense: await start('nonsense', 'nonsense') },
    ...{ impostor: await start('impostor', 'impostor'), broken: await start('broken', 'broken') },
  };
  const settings = Object.values(witnesses).map(({ setting }) => setting);
  witnesses.dead.stop();
  service = await startTestService({
    environment: {
      ...{ AUDIT_LOG: 'public', AUDIT_LOG_ORIGIN: origin, AUDIT_QUORUM: '2' },
      AUDIT_WITNESSES: `${settings.slice(0, 3).join(', ')}\n${settings.slice(3).join('\n')}`,
    },
  });
  log = new LogReader(service.url);
  ada = await register(service.url);
  room = await ada.room();
});
afterAll(async () => {
  await service.stop();
  for (const witness of Object.values(witnesses)) witness.stop();
});

const policy = () => ({ origin, quorum: 2, witnessKeys: Object.values(witnesses).map(({ key }) => key) });
const newest = () => log.checkpoint(policy()).catch(() => null);
const figure = async (name: string): Promise<number> => {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};

describe('witnesses, most of which misbehave', () => {
  it('do not delay posting', async () => {
    const begun = performance.now();
    for (let i = 0; i < 50; i++) await ada.says(room, `message ${i}`);
    expect((performance.now() - begun) / 50).toBeLessThan(500);
  });

  it('cosign one size as soon as there is a quorum, regardless of the others', async () => {
    const { revision } = await ada.says(room, 'to be cosigned');
    const checkpoint = await eventually(newest, (found) => (found?.size ?? 0) > revision);
    const names = checkpoint?.cosignatures.map(({ key }) => key.name) ?? [];
    expect(names.length).toBeGreaterThanOrEqual(2);
    for (const name of names) expect(name).toMatch(/^(good|other|slow)\./);
  });

  it('get their turn even when they are slow', async () => {
    await eventually(
      async () => witnesses.slow.cosigned.length,
      (count) => count > 0,
    );
  });

  it('are counted', async () => {
    await eventually(
      () => figure('verbatim_log_witness_problems'),
      (count) => count === 4,
    );
    expect(await figure('verbatim_log_cosignature_age_seconds')).toBeLessThan(60);
    expect(await figure('verbatim_log_size')).toBeGreaterThan(50);
    const { auditLog } = (await (await signIn(service.url)).get('/v1/overview')).body;
    expect(auditLog).toMatchObject({ origin, quorum: 2, published: expect.any(Number) });
    const cosigning = auditLog.witnesses.filter(({ cosignedAt }: { cosignedAt: string | null }) => cosignedAt !== null);
    expect(cosigning.map(({ name }: { name: string }) => name)).toEqual(
      ['good', 'other', 'slow'].map((name) => `${name}.witness.example`),
    );
  });
});

describe('a quorum that is lost', () => {
  it('leaves the last checkpoint with a quorum published, until there is one again', async () => {
    await eventually(newest, (found) => found !== null);
    witnesses.good.behaviour = witnesses.slow.behaviour = 'broken';
    await eventually(
      () => figure('verbatim_log_witness_problems'),
      (count) => count >= 5,
    );
    const shown = await newest();
    const { revision } = await ada.says(room, 'no one cosigns this');
    await eventually(
      () => figure('verbatim_log_below_quorum_seconds'),
      (seconds) => seconds > 1,
    );
    expect((await newest())?.size).toBe(shown?.size);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    witnesses.good.behaviour = 'good';
    await expect
      .poll(async () => (await newest())?.size, { timeout: 30_000 })
      .toBeGreaterThan(Math.max(revision, shown?.size ?? 0));
  }, 60_000);
});

describe('a witness', () => {
  it('that has missed or forgotten checkpoints is brought up to date from where it is', async () => {
    witnesses.other.seen.set(origin, { size: 0, root: Buffer.alloc(0) });
    const before = witnesses.other.answers.length;
    const { revision } = await ada.says(room, 'one more');
    await eventually(
      async () => witnesses.other.seen.get(origin)?.size ?? 0,
      (size) => size > revision,
    );
    expect(witnesses.other.answers.slice(before)).toContain(409);
  });

  it('cosigns again while the log is idle, so that the age of a cosignature is meaningful', async () => {
    await eventually(newest, (found) => found !== null);
    const { cosigned } = witnesses.good;
    await expect.poll(() => cosigned.at(-1) === cosigned.at(-2), { timeout: 30_000 }).toBe(true);
  }, 60_000);
});
