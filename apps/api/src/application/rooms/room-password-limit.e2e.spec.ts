import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { register } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITS: 'on', LIMIT_ROOM_PASSWORDS: '2/60' } });
});
afterAll(() => service.stop());

it('guesses at the passwords of rooms count together, through whichever door they come', async () => {
  const [ada, bob] = [await register(service.url), await register(service.url)];
  const room = await ada.room({ password: 'sesame' });
  const socket = await bob.connect();
  const overRest = async () => outcome(await bob.post(`/v1/rooms/${room}/members`, { password: 'wrong' }));
  expect(await overRest()).toBe('forbidden');
  expect(await socket.refused('join', { room, password: 'wrong' })).toBe('forbidden');
  expect(await overRest()).toBe('rate_limited');
  expect(await socket.refused('join', { room, password: 'sesame' })).toBe('rate_limited');
  expect(await socket.refused('join', { room })).toBe('forbidden');
  socket.close();
});
