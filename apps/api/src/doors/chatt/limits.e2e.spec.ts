import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { RawClient } from './raw-client.testing.js';

let service: TestService;
let eve: TestPerson;
let port: number;

beforeAll(async () => {
  port = await freePort();
  const environment = { MQTT_PORT: `${port}`, RATE_LIMITS: 'on', LIMIT_POSTS: '5/3600', LIMIT_GUESTS: '4/3600' };
  service = await startTestService({ environment });
  eve = await register(service.url);
});
afterAll(() => service.stop());

it('texts beyond the limit are neither stored nor acknowledged, even after the client has disconnected', async () => {
  const id = await eve.room({ name: 'limited', visibility: 'public' });
  const client = await RawClient.connect(port, 'Hasty');
  for (let i = 1; i <= 20; i++) client.publish('limited', `text ${i}`, i);
  client.send({ cmd: 'pingreq' });
  await client.gets('pingresp');
  client.drop();
  // A new connection is accepted once the previous one has no pending work.
  (await RawClient.connect(port, 'Hasty')).drop();
  const texts = async () =>
    (await eve.all(`/v1/rooms/${id}/messages?order=oldest`)).map(({ text }: { text: string }) => text);
  await expect.poll(texts, { timeout: 10_000 }).toEqual([1, 2, 3, 4, 5].map((i) => `text ${i}`));
  const acknowledged = client.packets.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));
  expect(acknowledged.filter((id) => Number(id) > 5)).toEqual([]);
});

it('guests at one address create a limited number of rooms under any name', async () => {
  for (const name of ['One', 'Other']) {
    const client = await RawClient.connect(port, name);
    for (let i = 1; i <= 3; i++) client.publish(`${name} ${i}`, 'hello', i);
    await client.gets('puback', 3);
    client.drop();
  }
  const names = async () => (await eve.all('/v1/rooms')).map(({ name }: { name: string }) => name).sort();
  await expect.poll(names).toEqual(['One 1', 'One 2', 'One 3', 'Other 1', 'limited']);
});
