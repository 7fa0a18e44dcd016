import { Writable } from 'node:stream';
import { MasterKeyUnavailable } from '@verbatim/event-store';
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

it('a client that hangs up in the middle of its body is not mistaken for an outage of a server', () => {
  const problems = new Problems(pino({ level: 'silent' }));
  const reset = { code: 'ECONNRESET' };
  const ofClient = Object.assign(new Error('aborted'), reset, { statusCode: 400 });
  expect(problems.refusal(ofClient, {}).code).toBe('invalid_request');
  expect(problems.refusal(Object.assign(new Error('read ECONNRESET'), reset), {}).code).toBe('unavailable');
});

it('without its keys the service is unavailable for a while, and says no more to clients', async () => {
  const listener = new HttpListener(0, unlimitedConnections());
  listener.faults = new Problems(pino({ level: 'silent' }));
  const server = listener.fastify;
  server.get('/v1/rooms', () => {
    throw new MasterKeyUnavailable('The key server at https://bao.example.org', 'it is sealed', 'unseal it');
  });
  const answer = await server.inject('/v1/rooms');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({ code: 'unavailable' });
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(answer.body).not.toMatch(/bao|seal/);
  await server.close();
});
