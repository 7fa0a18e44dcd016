import { createHash } from 'node:crypto';
import { openEventStore } from '@verbatim/event-store';
import { verifyLogProof } from '@verbatim/transparency';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { LogReader, sound } from '../../tests/harness/log-reader.testing.js';
import { register } from '../../tests/harness/test-client.testing.js';
import type { TestService } from '../../tests/harness/test-service.testing.js';
import { verifyCommand } from '../../tools/log/verify-command.js';
import { RestorableDatabase } from './restored-log.testing.js';

const origin = 'chat.example/log';
let standIn: StandIn;
let database: RestorableDatabase;
let service: TestService;

beforeAll(async () => {
  standIn = await StandIn.start();
  database = await RestorableDatabase.create();
  service = await database.start({ AUDIT_LOG: 'public', AUDIT_LOG_ORIGIN: origin, EVENT_STORE_URL: standIn.url });
});
afterAll(async () => {
  await service.stop();
  await database.remove();
  standIn.stop();
});

it('a log in KurrentDB is covered in the order of its subscription, proved and verified', async () => {
  const log = new LogReader(service.url);
  const ada = await register(service.url);
  const room = await ada.room();
  const said = await ada.says(room, 'in another store');
  const { body } = await ada.get(`/v1/rooms/${room}/messages/${said.id}/proof`);
  const entry = createHash('sha256').update(Buffer.from(body.envelope, 'base64')).digest();
  expect(sound(verifyLogProof(body.proof, entry, { origin, logKeys: await log.keys() })).index).toBe(body.ordinal);

  const store = await openEventStore({ url: standIn.url });
  const hashes = (await store.readAll(0n, 100)).map(({ hash }) => hash);
  await store.close();
  await expect
    .poll(async () => (await log.checkpoint({ origin })).size, { timeout: 15_000 })
    .toBeGreaterThanOrEqual(hashes.length);
  expect((await log.entries(hashes.length)).slice(0, hashes.length)).toEqual(hashes);
  expect(await database.command(verifyCommand, [], { EVENT_STORE_URL: standIn.url })).toBe(0);
}, 60_000);
