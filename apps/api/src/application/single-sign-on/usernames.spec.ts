import { expect, it } from 'vitest';
import { usernamesFor } from './foreign-names.js';

const userId = '019a0000-0000-7000-8000-0123456789ab';

it('nobody gets a username that is kept for the bots of webhooks', () => {
  for (const names of [['hook-anna', 'Anna'], ['HOOK-anna', 'anna'], ['hook-'], ['Hook-0123456789ab'], ['']])
    for (const username of usernamesFor(names, userId)) expect(username).not.toMatch(/^hook-/);
  expect(usernamesFor(['hook-anna', 'Anna'], userId)[0]).toBe('anna');
  expect(usernamesFor(['hooker'], userId)[0]).toBe('hooker');
});
