import { CommandBus } from '@nestjs/cqrs';
import { isRejection, type Rejection, userStream } from '@verbatim/domain';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doors } from '../../doors/doors.js';
import { door } from '../../host/part.js';
import { newId } from '../../new-id.js';
import { OpenLog } from '../../storage/open-log.js';
import { register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { AdmitGuestCommand, type Guest } from './admit-guest.js';
import { UnusedGuests } from './unused-guests.js';

let service: TestService;
let beside: TestService;
let admin: TestPerson;
const inside: { commands: CommandBus; log: OpenLog; unused: UnusedGuests }[] = [];

const bareDoor = door({
  name: 'bare',
  open(application) {
    inside.push({
      commands: application.get(CommandBus),
      log: application.get(OpenLog),
      unused: application.get(UnusedGuests),
    });
    return {};
  },
});

beforeAll(async () => {
  const environment = { RATE_LIMITS: 'on', LIMIT_GUESTS: '3/3600', LIMIT_REGISTRATION: '100/60' };
  service = await startTestService({ environment, doors: [...doors, bareDoor] });
  beside = await startTestService({ environment, doors: [...doors, bareDoor], beside: service });
  admin = await signIn(service.url, administrator);
});
afterAll(async () => {
  await beside.stop();
  await service.stop();
});

let addresses = 0;
const admit = (name: string, { at = 0, door = 'old', from = `198.18.1.${++addresses}` } = {}) =>
  inside[at]?.commands.execute(
    new AdmitGuestCommand(name, { address: from }, { correlation: newId(), door }),
  ) as Promise<Guest | Rejection>;
const admitted = async (...given: Parameters<typeof admit>): Promise<Guest> => {
  const guest = await admit(...given);
  if (isRejection(guest)) throw new Error(guest.detail);
  return guest;
};
const refusal = async (...given: Parameters<typeof admit>) => {
  const guest = await admit(...given);
  return isRejection(guest) ? guest.rejected : 'admitted';
};

describe('guests', () => {
  it('are the same at both replicas, and others at another door', async () => {
    const [here, there] = await Promise.all([admitted('Grüße 你好'), admitted('Grüße 你好', { at: 1 })]);
    expect(there).toEqual(here);
    expect((await admitted('Grüße 你好', { door: 'other' })).userId).not.toBe(here?.userId);
  });

  it('are in the dashboard as guests, and the event names the door', async () => {
    const { userId, username } = await admitted('Dashing');
    await expect
      .poll(async () => (await admin.get(`/v1/users/${userId}`)).body)
      .toMatchObject({ guest: true, username, displayName: 'Dashing', role: 'user' });
    const [registered] = (await inside[0]?.log.read(userStream(userId), 0n, 1)) ?? [];
    expect(registered).toMatchObject({ type: 'UserRegistered', door: 'old' });
    expect(registered?.sealed).toContain('"door":"old"');
  });

  it('cannot have the name of a registered person, whatever its case', async () => {
    const { username } = await register(service.url);
    expect(await refusal(username)).toBe('NameTaken');
    expect(await refusal(username.toUpperCase(), { at: 1 })).toBe('NameTaken');
  });

  it.each(['', ' ', 'a\u0000b', 'x'.repeat(500), 'раypal'])('cannot be called %j', async (name) => {
    expect(await refusal(name)).toBe('Invalid');
  });

  it('stay out while suspended, and get neither role, password nor token', async () => {
    const { userId } = await admitted('Rude');
    await admin.patch(`/v1/users/${userId}`, { suspended: true, reason: 'a test' });
    await expect.poll(() => refusal('Rude')).toBe('NotAllowed');
    await admin.patch(`/v1/users/${userId}`, { suspended: false });
    await expect.poll(() => refusal('Rude')).toBe('admitted');
    expect((await admin.patch(`/v1/users/${userId}`, { role: 'admin' })).status).toBe(409);
    expect((await admin.post(`/v1/users/${userId}/password-reset`, {})).status).toBe(403);
  });

  it('are limited by address, unless they are known', async () => {
    const from = '198.18.2.1';
    for (const name of ['one', 'two', 'three']) expect(await refusal(`number ${name}`, { from })).toBe('admitted');
    expect(await refusal('number four', { from })).toBe('TooSoon');
    expect(await refusal('number one', { from })).toBe('admitted');
  });

  it('leave the lists when nobody uses them, and come back', async () => {
    const { userId } = await admitted('Fleeting');
    const listed = async () => (await admin.get('/v1/users?q=Fleeting')).body.items.length;
    await expect.poll(listed).toBe(1);
    const sql = postgres(service.databaseUrl, { max: 1 });
    await sql`update desk.guests set used_at = now() - interval '8 days' where user_id = ${userId}`;
    await sql.end();
    await inside[1]?.unused.sweep();
    await expect.poll(listed).toBe(0);
    await expect.poll(() => refusal('Fleeting')).toBe('admitted');
    await expect.poll(listed).toBe(1);
  });
});
