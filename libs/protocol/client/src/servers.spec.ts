import { expect, it } from 'vitest';
import { Servers } from './servers.js';

it('asks the next server when the present one is given up, and the first again after the last', () => {
  const servers = new Servers(['http://one:1/', 'http://two:2']);
  expect(servers.current).toBe('http://one:1');
  servers.giveUp('http://one:1');
  servers.giveUp('http://one:1');
  expect(servers.current).toBe('http://two:2');
  servers.giveUp('http://two:2');
  expect(servers.current).toBe('http://one:1');
});

it('needs an address', () => {
  expect(() => new Servers([])).toThrow('at least one server');
  expect(() => new Servers(['not an address'])).toThrow();
});
