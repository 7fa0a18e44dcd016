import { describe, expect, it } from 'vitest';
import {
  type ChatChange,
  closeIfAbandoned,
  closeIfOld,
  closeIfSilent,
  type EphemeralChat,
  endChat,
  ephemeralChatLimits,
  joinChat,
  leaveChat,
  openChat,
  otherSide,
  sayInChat,
} from './ephemeral-chat.js';
import { isRejection, type Rejection } from './rejection.js';

const opened = 1_000_000;
const draft: EphemeralChat = {
  status: 'draft',
  openedAt: opened,
  readyAt: null,
  closedAt: null,
  seenAt: { creator: opened },
};
const ready: EphemeralChat = {
  ...draft,
  status: 'ready',
  readyAt: opened + 500_000,
  seenAt: { creator: opened + 600_000, joiner: opened + 610_000 },
};
const closed: EphemeralChat = { ...ready, status: 'closed', closedAt: opened + 700_000 };

const told = (change: ChatChange | Rejection | null) =>
  change && !isRejection(change) ? change.notes.map(({ to, note }) => `${to}: ${note}`) : change;
const refused = (change: ChatChange | Rejection | null) =>
  change && isRejection(change) ? change.rejected : 'not refused';

describe('a chat of two people', () => {
  it('begins as a draft, whose creator is welcomed', () => {
    expect([openChat.status, told(openChat)]).toEqual(['draft', ['creator: welcome']]);
  });

  it('lets in one person, once, and not when it has ended', () => {
    const joined = joinChat(draft);
    expect(joined).toMatchObject({ status: 'ready', because: 'joined' });
    expect(told(joined)).toEqual(['creator: other-joined', 'joiner: you-joined']);
    for (const chat of [ready, closed, { ...draft, status: 'closed' as const }])
      expect(refused(joinChat(chat))).toBe('NotFound');
  });

  it('brings texts to the other side', () => {
    expect(sayInChat(ready, 'joiner', ['one', 'two'], 0)).toMatchObject({
      status: 'ready',
      because: null,
      texts: [
        { to: 'creator', text: 'one' },
        { to: 'creator', text: 'two' },
      ],
    });
    expect(otherSide('creator')).toBe('joiner');
  });

  it.each([
    ['nobody else is there', draft, ['hello'], 0, 'Invalid'],
    ['it has ended', closed, ['hello'], 0, 'Unauthenticated'],
    ['there is no text', ready, [], 0, 'Invalid'],
    ['one of the texts is empty', ready, ['hello', ''], 0, 'Invalid'],
    ['one is longer than 144 code points', ready, ['x'.repeat(145)], 0, 'Invalid'],
    ['one is not Unicode', ready, ['\ud800'], 0, 'Invalid'],
    ['there are too many', ready, Array(ephemeralChatLimits.textsAtOnce + 1).fill('x'), 0, 'Invalid'],
    ['too much is waiting', ready, ['hello'], ephemeralChatLimits.waiting, 'TooSoon'],
  ] as const)('takes no text when %s', (_, chat, texts, waiting, reason) => {
    expect(refused(sayInChat(chat, 'creator', texts, waiting))).toBe(reason);
  });

  it.each(['x'.repeat(144), '😀'.repeat(144), 'e\u0301'.repeat(72), '  '])('takes %s', (text) => {
    expect(refused(sayInChat(ready, 'creator', [text], ephemeralChatLimits.waiting - 1))).toBe('not refused');
  });

  it('ends for both when one leaves, and only once', () => {
    expect(told(leaveChat(ready, 'joiner'))).toEqual(['creator: other-closed', 'joiner: you-closed']);
    expect(told(leaveChat(draft, 'creator'))).toEqual(['creator: you-closed']);
    expect(leaveChat(closed, 'creator')).toBeNull();
  });

  it('ends when the other has been silent for too long, counted from when both were there', () => {
    const silence = ephemeralChatLimits.silenceMs;
    const heard = ready.seenAt.joiner as number;
    expect(closeIfSilent(ready, 'creator', heard + silence, 0)).toBeNull();
    const ended = closeIfSilent(ready, 'creator', heard + silence + 1, 0);
    expect(ended).toMatchObject({ status: 'closed', because: 'silent', eraseFirst: false });
    expect(told(ended)).toEqual(['creator: other-closed', 'joiner: you-closed']);
    const longAgo = { ...ready, seenAt: { creator: opened, joiner: opened + 500_000 } };
    expect(closeIfSilent(longAgo, 'joiner', opened + 500_000 + silence, 0)).toBeNull();
    for (const chat of [draft, closed]) expect(closeIfSilent(chat, 'creator', opened * 10, 0)).toBeNull();
  });

  it('does not take an outage of the service for the silence of a person', () => {
    const back = opened + 5_000_000;
    expect(closeIfSilent(ready, 'creator', back + ephemeralChatLimits.silenceMs, back)).toBeNull();
    expect(closeIfSilent(ready, 'creator', back + ephemeralChatLimits.silenceMs + 1, back)).not.toBeNull();
  });

  it('ends for all when both have been silent for too long while the service could hear them', () => {
    const silence = ephemeralChatLimits.silenceMs;
    const heard = ready.seenAt.joiner as number;
    expect(closeIfAbandoned(ready, heard + silence, 0)).toBeNull();
    const ended = closeIfAbandoned(ready, heard + silence + 1, 0);
    expect(ended).toMatchObject({ status: 'closed', because: 'silent', eraseFirst: false });
    expect(told(ended)).toEqual(['creator: closed-automatically', 'joiner: closed-automatically']);
    expect(closeIfAbandoned(ready, heard + silence + 1, heard + 1)).toBeNull();
    for (const chat of [draft, closed]) expect(closeIfAbandoned(chat, opened * 10, 0)).toBeNull();
  });

  it('ends after a day for all, and what was not delivered is erased', () => {
    const day = opened + ephemeralChatLimits.ageMs;
    expect(closeIfOld(ready, day - 1)).toBeNull();
    for (const chat of [ready, draft])
      expect(closeIfOld(chat, day)).toMatchObject({ status: 'closed', because: 'aged', eraseFirst: true });
    expect(told(closeIfOld(ready, day))).toEqual(['creator: closed-automatically', 'joiner: closed-automatically']);
    expect(closeIfOld(closed, day)).toBeNull();
  });

  it('can be ended by those who run the service', () => {
    expect(endChat(ready)).toMatchObject({ status: 'closed', because: 'ended', eraseFirst: true });
    expect(endChat(closed)).toBeNull();
  });
});
