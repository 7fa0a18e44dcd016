import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCredentials, readServerUrl, serverName } from './server-url.js';

describe('the URL of a server', () => {
  it('gives its credentials as they were before they were encoded, whatever is in them', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme' }),
        (username, password) => {
          const userInfo = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
          const url = `postgres://${userInfo}@h1:1,h2:2/db?sslmode=require&options=a@b`;
          expect(readServerUrl(url)).toEqual({
            scheme: 'postgres',
            credentials: { username, password },
            hosts: 'h1:1,h2:2',
            rest: '/db?sslmode=require&options=a@b',
          });
          expect(readServerUrl(encodeCredentials(url))).toEqual(readServerUrl(url));
        },
      ),
    );
  });

  it.each([
    ['p@ss', 'p@ss'],
    ['p%40ss', 'p@ss'],
    ['p%ss', 'p%ss'],
    ['100%', '100%'],
    ['p+w', 'p+w'],
    ['a:b', 'a:b'],
    ['pü', 'pü'],
    ['p%C3%BC', 'pü'],
  ])('takes the password %s for %s', (written, password) => {
    const url = `kurrentdb://ops:${written}@127.0.0.1:2113?tls=false`;
    expect(readServerUrl(url).credentials).toEqual({ username: 'ops', password });
    expect(encodeCredentials(url)).toBe(`kurrentdb://ops:${encodeURIComponent(password)}@127.0.0.1:2113?tls=false`);
  });

  it('may lack a password, or credentials altogether', () => {
    expect(readServerUrl('postgres://ops@h/db').credentials).toEqual({ username: 'ops', password: '' });
    expect(encodeCredentials('postgres://ops@h/db')).toBe('postgres://ops@h/db');
    expect(readServerUrl('postgres://h/db?x=a@b').credentials).toBeNull();
    expect(encodeCredentials('postgres://h/db?x=a@b')).toBe('postgres://h/db?x=a@b');
  });

  it.each([
    ['postgres://ops:secret@db.example.org/verbatim', 'PostgreSQL at db.example.org:5432'],
    ['postgresql://ops:se@cret@[::1]:6000/verbatim', 'PostgreSQL at [::1]:6000'],
    ['postgres://ops@%2Ftmp/verbatim', 'PostgreSQL at /tmp:5432'],
    ['kurrentdb://ops:secret@a,b:2114?tls=false', 'KurrentDB at a:2113, b:2114'],
    ['kurrentdb+discover://cluster.example.org', 'KurrentDB at cluster.example.org:2113'],
  ])('%s is called %s', (url, name) => {
    expect(serverName(url)).toBe(name);
    expect(serverName(url)).not.toMatch(/secret|se@/);
  });
});
