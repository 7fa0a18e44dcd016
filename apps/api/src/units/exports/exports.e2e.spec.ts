import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildGoProgram } from '../../../../../libs/transparency/src/go-programs.testing.js';
import { outcome } from '../../tests/harness/contract.testing.js';
import { exported, finished, keysOf, ourVerifier, requested } from '../../tests/harness/exports.testing.js';
import { because, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const second = buildGoProgram('verify');
let service: TestService;
let admin: TestPerson;
let auditor: TestPerson;
let ada: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  [auditor, ada, bob] = [await register(service.url), await register(service.url), await register(service.url)];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
});
afterAll(() => service.stop());

describe('the export of a room', () => {
  it('is a bundle that both verifiers accept', async () => {
    const room = await ada.roomWith([bob], { visibility: 'private' });
    await ada.says(room, 'I owe you five euros 💶');
    await bob.says(room, 'ten');
    const bundle = await exported(auditor, { room });
    expect([...bundle.files.keys()]).toEqual([
      ...['manifest.json', 'manifest.json.sig', 'checkpoint', 'events.ndjson', 'messages.csv', 'transcript.html'],
      'messages.mbox',
    ]);
    expect(bundle.texts).toEqual(['I owe you five euros 💶', 'ten']);
    expect(bundle.manifest).toMatchObject({ contiguous: true, fromStart: true, streams: 1, reason: 'Case 7' });
    const keys = await keysOf(service.url);
    expect(await bundle.checkedBy(ourVerifier, keys)).toMatchObject({ code: 0 });
    if (second) expect(await bundle.checkedBy([second], keys)).toMatchObject({ code: 0 });
  }, 60_000);
});
