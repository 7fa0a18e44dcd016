import { describe, expect, it } from 'vitest';
import { passwordProblem } from './password.js';

describe('a password that somebody chooses', () => {
  it('is not the username, whatever its capital letters', () => {
    expect(passwordProblem('Ada.Lovelace', 'ada.lovelace')).toMatch(/username/);
    expect(passwordProblem('ada.lovelace, countess', 'ada.lovelace')).toBeNull();
  });

  it.each(['1234567890', 'PASSWORD123', 'qwertyuiop', 'ContraseN\u0303a'])(
    'is not %s, which is tried first',
    (password) => {
      expect(passwordProblem(password, 'ada')).toMatch(/tried first/);
    },
  );

  it.each(['correct horse', 'hello hello hello', '12345678901234', ''])('may be %j', (password) => {
    expect(passwordProblem(password, 'ada')).toBeNull();
  });
});
