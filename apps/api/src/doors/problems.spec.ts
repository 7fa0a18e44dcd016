import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { unlimitedConnections } from '../host/http-connections.testing.js';
import { HttpListener } from '../host/http-listener.js';
import { Problems } from './problems.js';

it('what went wrong is logged with its traceId, and without what the address holds', async () => {
  let logged = '';
  const write = (chunk: Buffer, _: string, done: () => void) => {
    logged += chunk;
    done();
  };
  const problems = new Problems(pino({ level: 'trace' }, new Writable({ write })));
  const listener = new HttpListener(0, unlimitedConnections());
  listener.faults = problems;
  const server = listener.fastify;
  server.post('/v1/hooks/:token', () => {
    throw new Error('the disk is full');
  });
  const answer = await server.inject({ method: 'POST', url: '/v1/hooks/vbh_secret?ticket=another' });
  expect(answer.statusCode).toBe(500);
  expect(logged).toContain('the disk is full');
  expect(logged).toContain(answer.json().traceId);
  expect(logged).toContain('/v1/hooks/:token');
  expect(logged).not.toMatch(/vbh_secret|another/);
  expect(answer.body).not.toMatch(/vbh_secret|another|disk/);
  await server.close();
});

it('a client that hangs up in the middle of its body is not taken for an outage of a server', () => {
  const problems = new Problems(pino({ level: 'silent' }));
  const reset = { code: 'ECONNRESET' };
  const ofClient = Object.assign(new Error('aborted'), reset, { statusCode: 400 });
  expect(problems.refusal(ofClient, {}).code).toBe('invalid_request');
  expect(problems.refusal(Object.assign(new Error('read ECONNRESET'), reset), {}).code).toBe('unavailable');
});
