import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf } from './nickname-account.js';

const contract = /^[a-z0-9_.-]{3,32}$/;

describe('the account of a nickname', () => {
  it('is named as the nickname and reads like it', () => {
    expect(accountOf('Dr_Willis')).toEqual({
      userId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      username: expect.stringMatching(/^dr_willis-[0-9a-f]{12}$/),
      displayName: 'Dr_Willis',
    });
    expect(accountOf('Jürgen[x]').username).toMatch(/^jurgenx-/);
    expect(accountOf('|^|').username).toMatch(/^nick-/);
  });

  it('is the same one every time, and another one for every other nickname', () => {
    const nicks = ['Fensta', 'fensta', 'fensta ', 'fensta_', '[fensta]', 'fensta^', '[FiDo] ', '[FiDo]', '|', '^'];
    for (const field of ['userId', 'username'] as const) {
      expect(new Set(nicks.map((nick) => accountOf(nick)[field])).size).toBe(nicks.length);
    }
    expect(accountOf('fensta')).toEqual(accountOf('fensta'));
  });

  it('keeps to what usernames may be made of, and shortens what is too long to show', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (nick) => {
        expect(accountOf(nick).username).toMatch(contract);
        expect([...accountOf(nick).displayName].length).toBeLessThanOrEqual(80);
      }),
    );
    expect(accountOf('😀'.repeat(80)).displayName).toBe('😀'.repeat(80));
    expect(accountOf('😀'.repeat(81)).displayName).toBe(`${'😀'.repeat(79)}…`);
  });

  it('loses the spaces around it', () => {
    expect(accountOf(' [FiDo]  x ').displayName).toBe('[FiDo] x');
  });

  it('is shown by its username where the rules for names refuse the nickname', () => {
    for (const nick of ['аdmin', 'a\u202eb', 'a\u200bb']) {
      const { username, displayName } = accountOf(nick);
      expect(displayName).toBe(username);
    }
  });
});
