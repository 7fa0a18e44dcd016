import { Agent, request } from 'node:http';
import { expect, it } from 'vitest';
import { register } from '../testing/test-client.testing.js';
import { startTestService } from '../testing/test-service.testing.js';
it('lat', async () => {
  const service = await startTestService();
  const ada = await register(service.url);
  const room = await ada.room();
  for (let i = 0; i < 60; i++) await ada.says(room, `x ${i}`);
  const agent = new Agent({ keepAlive: true });
  const get = () => new Promise<void>((resolve) => {
    request(`${service.url}/v1/rooms/${room}/messages?limit=50`, { agent, headers: { authorization: `Bearer ${ada.accessToken}` } }, (r) => { r.resume(); r.on('end', resolve); }).end();
  });
  for (let i = 0; i < 300; i++) await get();
  for (let k = 0; k < 4; k++) {
    const times: number[] = [];
    const cpu = process.cpuUsage();
    for (let i = 0; i < 500; i++) { const t = performance.now(); await get(); times.push(performance.now() - t); }
    const used = process.cpuUsage(cpu);
    times.sort((a, b) => a - b);
    console.log('p50', times[250]!.toFixed(2), 'p90', times[450]!.toFixed(2), 'cpu us/req', ((used.user + used.system) / 500).toFixed(0));
  }
  agent.destroy();
  await service.stop();
  expect(1).toBe(1);
}, 120_000);
