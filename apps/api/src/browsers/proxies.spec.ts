import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Proxies, readTrustedProxies, type TrustedProxies } from './proxies.js';

const request = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

describe('TRUST_PROXY', () => {
  it.each<[string, TrustedProxies | undefined]>([
    ['', null],
    ['off', null],
    ['0', null],
    ['2', 2],
    ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
    ['127.0.0.1', ['127.0.0.1']],
    ['on', undefined],
    ['100', undefined],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/8,', undefined],
    ['proxy.example.org', undefined],
  ])('%j is read as %j', (setting, trusted) => {
    expect(readTrustedProxies(setting)).toEqual(trusted);
  });
});

describe('the address of a client', () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.7, 203.0.113.9, 10.0.0.2' };
  it.each<[TrustedProxies, string, Record<string, string>, string]>([
    [null, '10.0.0.1', forwarded, '10.0.0.1'],
    [null, '::ffff:192.0.2.1', {}, '192.0.2.1'],
    [1, '10.0.0.1', forwarded, '10.0.0.2'],
    [2, '10.0.0.1', forwarded, '203.0.113.9'],
    [9, '10.0.0.1', forwarded, '198.51.100.7'],
    [['10.0.0.0/8'], '::ffff:10.0.0.1', forwarded, '203.0.113.9'],
    [['10.0.0.0/8'], '192.0.2.1', forwarded, '192.0.2.1'],
    [['::1'], '::1', { 'x-forwarded-for': '2001:db8::5' }, '2001:db8::5'],
    [1, '10.0.0.1', {}, '10.0.0.1'],
    [1, '10.0.0.1', { 'x-forwarded-for': 'unknown' }, '10.0.0.1'],
  ])('trusting %j, from %s, with %j is %s', (trusted, remote, headers, expected) => {
    expect(new Proxies(trusted).addressOf(request(remote, headers))).toBe(expected);
  });
});

it('https and the host are believed of a trusted proxy only', () => {
  const headers = { host: 'inside:3000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'Chat.example.org' };
  const [near, far] = [request('10.0.0.1', headers), request('192.0.2.1', headers)];
  const proxies = new Proxies(['10.0.0.0/8']);
  expect([proxies.secure(near), proxies.hostOf(near)]).toEqual([true, 'chat.example.org']);
  expect([proxies.secure(far), proxies.hostOf(far)]).toEqual([false, 'inside:3000']);
});
