import { describe, expect, it } from 'vitest';
import { type AnnouncementEvent, announcement } from './announcement.js';
import type { Actor } from './decider.js';
import { given, type Past } from './given.testing.js';
import { limits } from './text.js';

const admin: Actor = { id: 'admin', role: 'admin' };
const others: readonly Actor[] = [
  { id: 'alice', role: 'user' },
  { id: 'olga', role: 'auditor' },
];
const announce = (text: string, actor = admin) => ({ type: 'Announce', actor, text }) as const;
const withdraw = (actor = admin) => ({ type: 'WithdrawAnnouncement', actor }) as const;
const announced = (text: string): Past<AnnouncementEvent> => ({ type: 'Announced', data: { text }, actor: admin.id });

describe('an announcement', () => {
  it('replaces the previous one, and says since when it stands', () => {
    given(announcement, [announced('Back at noon')])
      .when(announce('Back at one'))
      .then([{ type: 'Announced', data: { text: 'Back at one' } }]);
    const { state } = given(announcement, [announced('Back at noon'), announced('Back at one')]);
    expect(state.current).toEqual({ text: 'Back at one', since: '2026-01-31T12:00:01.000Z' });
  });

  it('is withdrawn, once', () => {
    given(announcement, [announced('Back at noon')])
      .when(withdraw())
      .then([{ type: 'AnnouncementWithdrawn', data: {} }]);
    given(announcement, [announced('Back at noon')])
      .when(withdraw())
      .when(withdraw())
      .thenNothing();
    expect(given(announcement, [announced('x'), { type: 'AnnouncementWithdrawn', data: {} }]).state.current).toBeNull();
  });

  it('changes nothing when it says the same again', () => {
    given(announcement, [announced('Back at noon')])
      .when(announce('Back at noon'))
      .thenNothing();
  });

  it('is for administrators alone', () => {
    for (const actor of others) {
      given(announcement, []).when(announce('x', actor)).thenRejected('NotAllowed');
      given(announcement, [announced('x')])
        .when(withdraw(actor))
        .thenRejected('NotAllowed');
    }
  });

  it('has some text, and not too much', () => {
    given(announcement, []).when(announce('')).thenRejected('Invalid');
    given(announcement, [])
      .when(announce('x'.repeat(limits.announcement + 1)))
      .thenRejected('Invalid');
  });
});
