import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { askService } from './service';

const about = { name: 'Verbatim', version: '0.1.0', protocol: 1 };
const running: Array<() => Promise<void>> = [];

describe('asking the service how it is doing', () => {
  afterEach(async () => {
    for (const stop of running.splice(0)) await stop();
  });

  it('tells that it is ready, with its figures', async () => {
    const origin = await given({ '/health/ready': [200, {}], '/v1/about': [200, about] });
    expect(await askService(origin)).toEqual({ state: 'ready', about });
  });

  it('tells that it is not ready, with the figures it already gives', async () => {
    const origin = await given({ '/health/ready': [503, {}], '/v1/about': [200, about] });
    expect(await askService(origin)).toEqual({ state: 'not ready', about });
  });

  it('does without figures that have another shape', async () => {
    const origin = await given({ '/health/ready': [200, {}], '/v1/about': [200, { name: 'Verbatim' }] });
    expect(await askService(origin)).toEqual({ state: 'ready', about: null });
  });

  it('tells that it is out of reach once it has stopped', async () => {
    const origin = await given({ '/health/ready': [200, {}], '/v1/about': [200, about] });
    await running.pop()?.();
    expect(await askService(origin)).toEqual({ state: 'out of reach', about: null });
  });
});

/** Starts a service that gives these answers, as `[status, body]` by path, and returns its origin. */
async function given(answers: Record<string, [number, unknown]>): Promise<string> {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, {}];
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push(() => new Promise((resolve) => server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
