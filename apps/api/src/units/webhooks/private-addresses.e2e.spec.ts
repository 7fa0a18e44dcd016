import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { eventually, register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

/** A service as operators run it: webhooks may not be sent to private addresses. */
describe('private addresses', () => {
  let service: TestService;
  let ada: TestPerson;
  let inside: Server;
  let port: number;
  let connections = 0;
  /** The addresses of `inside.example`; each lookup returns the next, like an attacker's name server. */
  const turns = [
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '168.63.129.16',
    '0.0.0.0',
    'fd00::1',
  ];
  let asked = 0;

  beforeAll(async () => {
    inside = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    port = (inside.address() as AddressInfo).port;
    service = await startTestService({
      resolve: async () => {
        const address = turns[asked++ % turns.length] as string;
        return [{ address, family: address.includes(':') ? 6 : 4 }];
      },
    });
    ada = await register(service.url);
  });
  afterAll(async () => {
    await service.stop();
    await new Promise((resolve) => inside.close(resolve));
  });

  it.each([
    ...['http://example.org/', 'https://127.0.0.1/', 'https://127.1/', 'https://2130706433/', 'https://0x7f.0.0.1/'],
    ...[
      'https://0177.0.0.1/',
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:7f00:1]/',
      'https://0/',
    ],
    ...[
      'https://10.0.0.1/',
      'https://172.16.0.1/',
      'https://192.168.0.1/',
      'https://169.254.169.254/',
      'https://100.64.0.1/',
    ],
    ...[
      'https://[fd00::1]/',
      'https://[fe80::1]/',
      'https://[64:ff9b::7f00:1]/',
      'https://224.0.0.1/',
      'https://１２７.0.0.1/',
    ],
    ...['https://168.63.129.16/', 'https://2822734096/', 'https://0xa83f8110/', 'https://[::ffff:168.63.129.16]/'],
    ...['https://[2002:a83f:8110::1]/', 'https://[2a00:1450:4001:800:0:5efe:10.0.0.1]/', 'https://199.36.153.8./'],
    'https://user:password@127.0.0.1/',
  ])('%s is refused as it is written', async (url) => {
    const room = await ada.room();
    const answer = await ada.post(`/v1/rooms/${room}/webhooks`, { url });
    expect(outcome(answer)).toBe('invalid_request');
    expect(answer.body.errors).toMatchObject([{ path: 'body.url' }]);
    const good = await ada.post(`/v1/rooms/${room}/webhooks`, { url: 'https://inside.example/', active: false });
    expect(outcome(await ada.patch(`/v1/rooms/${room}/webhooks/${good.body.id}`, { url }))).toBe('invalid_request');
  });

  it('are not connected to by name either, whatever it resolves to', async () => {
    const room = await ada.room();
    const webhooks: string[] = [];
    for (let i = 0; i < turns.length; i++) {
      const { body } = await ada.post(`/v1/rooms/${room}/webhooks`, { url: `https://inside.example:${port}/` });
      webhooks.push(body.id);
    }
    asked = 0;
    await ada.says(room, 'hello');
    for (const id of webhooks) {
      const ask = () => ada.get(`/v1/rooms/${room}/webhooks/${id}`);
      const { body } = await eventually(ask, (one) => one.body.deliveries.lastError !== null);
      expect(body.deliveries.lastStatus).toBe(null);
      // The message, and perhaps a webhook added just before it.
      expect(body.deliveries.behind).toBeGreaterThanOrEqual(1);
      expect(body.deliveries.lastError).toMatch(/not a public one/);
    }
    // Each was looked up, and the result is what would have been connected to.
    expect(asked).toBeGreaterThanOrEqual(turns.length);
    expect(connections).toBe(0);
  });
});
