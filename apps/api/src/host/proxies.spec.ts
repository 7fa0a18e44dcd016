import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Origins } from './origins.js';
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
    ['0.0.0.0/0', undefined],
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
    [1, '10.0.0.1', { 'x-forwarded-for': '198.51.100.7:50123' }, '198.51.100.7'],
    [1, '10.0.0.1', { 'x-forwarded-for': '[2001:db8::7]:50123' }, '2001:db8::7'],
    [2, '10.0.0.1', { forwarded: 'for=198.51.100.7;proto=https, for="[2001:db8::2]:4711"' }, '198.51.100.7'],
    [1, '10.0.0.1', { forwarded: 'for=198.51.100.7, for=_hidden' }, '10.0.0.1'],
    [1, '10.0.0.1', { forwarded: 'this is not one' }, '10.0.0.1'],
    [null, '10.0.0.1', { forwarded: 'for=198.51.100.7' }, '10.0.0.1'],
    // A proxy that writes one kind of header passes on the other kind, which the client may have forged.
    [1, '10.0.0.1', { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=198.51.100.7' }, '203.0.113.9'],
  ])('trusting %j, from %s, with %j is %s', (trusted, remote, headers, expected) => {
    expect(new Proxies(trusted).addressOf(request(remote, headers))).toBe(expected);
  });
});

describe('https and the host that a client asked for', () => {
  const lists = { 'x-forwarded-for': '198.51.100.7, 10.0.0.2', 'x-forwarded-proto': 'https, http' };
  const hosts = { 'x-forwarded-host': 'Chat.example.org, inside.example.org' };
  it.each<[string, TrustedProxies, string, Record<string, string>, [boolean, string]]>([
    ['a trusted proxy', ['10.0.0.0/8'], '10.0.0.1', { ...lists, ...hosts }, [true, 'chat.example.org']],
    ['an untrusted one', ['10.0.0.0/8'], '192.0.2.1', { ...lists, ...hosts }, [false, 'inside:3000']],
    ['the only proxy that counts', 1, '10.0.0.1', { ...lists, ...hosts }, [false, 'inside.example.org']],
    ['two proxies', 2, '10.0.0.1', { ...lists, ...hosts }, [true, 'chat.example.org']],
    ['two proxies, one of which wrote it', 2, '10.0.0.1', { 'x-forwarded-proto': 'wss' }, [true, 'inside:3000']],
    ['a client, before its proxy', 1, '10.0.0.1', { 'x-forwarded-proto': 'https, ws' }, [false, 'inside:3000']],
    [
      'Forwarded',
      1,
      '10.0.0.1',
      { forwarded: 'for=1.2.3.4;host="talk.example.org:8443";proto=HTTPS' },
      [true, 'talk.example.org:8443'],
    ],
    [
      'Forwarded by two',
      2,
      '10.0.0.1',
      { forwarded: 'proto=https;host=a.example, proto=http;host=b' },
      [true, 'a.example'],
    ],
    [
      'Forwarded beside others',
      1,
      '10.0.0.1',
      { 'x-forwarded-for': '1.2.3.4', forwarded: 'proto=https' },
      [false, 'inside:3000'],
    ],
  ])('are taken from what %s wrote', (_, trusted, remote, headers, expected) => {
    const proxies = new Proxies(trusted);
    const passedOn = request(remote, { host: 'inside:3000', ...headers });
    expect([proxies.secure(passedOn), proxies.hostOf(passedOn)]).toEqual(expected);
  });
});

describe("the service's own origin", () => {
  const admitted = (origin: string, trusted: TrustedProxies, headers: Record<string, string>) =>
    new Origins([], new Proxies(trusted)).admits(request('10.0.0.1', { origin, ...headers }));

  it.each<[string, TrustedProxies, Record<string, string>]>([
    ['https://talk.example.org', null, { host: 'talk.example.org:443' }],
    ['http://talk.example.org', null, { host: 'Talk.Example.org:80' }],
    ['http://talk.example.org:8080', null, { host: 'talk.example.org:8080' }],
    [
      'https://talk.example.org',
      1,
      { host: 'in:3000', 'x-forwarded-host': 'talk.example.org:443', 'x-forwarded-proto': 'wss' },
    ],
    [
      'https://talk.example.org',
      2,
      { host: 'in', 'x-forwarded-host': 'talk.example.org, in', 'x-forwarded-proto': 'https, http' },
    ],
    ['http://[2001:db8::1]:3000', null, { host: '[2001:DB8:0::1]:3000' }],
    ['https://xn--gesprch-9wa.example', 1, { host: 'gespräch.example', forwarded: 'proto=https;for=192.0.2.7' }],
  ])('is %s, trusting %j, for %j', (origin, trusted, headers) => {
    expect(admitted(origin, trusted, headers)).toBe(true);
  });

  it.each<[string, TrustedProxies, Record<string, string>]>([
    ['https://talk.example.org', null, { host: 'talk.example.org:80' }],
    ['http://talk.example.org', 1, { host: 'talk.example.org', 'x-forwarded-proto': 'https' }],
    ['https://talk.example.org:8443', null, { host: 'talk.example.org' }],
    ['https://evil.example', 1, { host: 'talk.example.org', 'x-forwarded-host': 'evil.example, talk.example.org' }],
    ['https://evil.example', null, { host: 'talk.example.org', forwarded: 'host=evil.example;proto=https' }],
    ['https://evil.example', null, { host: 'talk.example.org@evil.example' }],
    ['https://talk.example.org', null, { host: 'talk.example.org/evil' }],
    ['null', null, { host: '' }],
    ['null', null, { host: 'a b' }],
  ])('is not %s, trusting %j, for %j', (origin, trusted, headers) => {
    expect(admitted(origin, trusted, headers)).toBe(false);
  });
});
