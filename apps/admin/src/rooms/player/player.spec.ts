import type { StoredEvent } from '@verbatim/protocol';
import { describe, expect, it } from 'vitest';
import { density } from './density';
import { MOST_SHOWN, type Scene, sceneAfter } from './scene';

const at = (second: number) => new Date(Date.parse('2026-01-31T12:00:00.000Z') + second * 1_000).toISOString();

const empty = {
  revision: 0,
  at: at(0),
  room: { id: 'r', name: 'Küche', topic: '', status: 'open', memberCount: 0, hasPassword: false },
  members: [],
  messages: [],
} as unknown as Scene;

let revision = 0;
const event = (type: string, data: object): StoredEvent =>
  ({
    type,
    data,
    revision: ++revision,
    at: at(revision),
    actor: { id: 'ada', username: 'ada' },
  }) as unknown as StoredEvent;
const playing = (...events: StoredEvent[]) => events.reduce(sceneAfter, empty);
const joined = (userId: string) => event('MemberJoined', { userId, role: 'member' });
const posted = (messageId: string, text = messageId) =>
  event('MessagePosted', { messageId, text, replyTo: null, kind: 'text' });

describe('a scene', () => {
  it('shows who is in the room, and who could see a message', () => {
    const scene = playing(
      joined('ada'),
      joined('bob'),
      posted('m1'),
      event('MemberLeft', { userId: 'bob' }),
      posted('m2'),
    );
    expect(scene.members.map(({ userId }) => userId)).toEqual(['ada']);
    expect(scene.messages.map(({ visibleTo }) => visibleTo)).toEqual([['ada', 'bob'], ['ada']]);
    expect(scene.room.memberCount).toBe(1);
  });

  it('shows messages as they read then', () => {
    const before = playing(posted('m1', 'first'));
    const edited = sceneAfter(before, event('MessageEdited', { messageId: 'm1', text: 'second' }));
    const redacted = sceneAfter(edited, event('MessageRedacted', { messageId: 'm1', authorId: 'ada' }));
    expect([before, edited, redacted].map(({ messages }) => messages[0]?.text)).toEqual(['first', 'second', null]);
  });

  it('shows the settings of then, and the last messages only', () => {
    const scene = playing(
      event('RoomChanged', { name: 'Bad', passwordId: 'p' }),
      event('ChatClosed', { reason: null }),
    );
    expect(scene.room).toMatchObject({ name: 'Bad', hasPassword: true, status: 'closed' });
    const many = Array.from({ length: MOST_SHOWN + 3 }, (_, i) => posted(`m${i}`));
    expect(playing(...many).messages.map(({ id }) => id)).toEqual(
      many.slice(3).map(({ data }) => (data as { messageId: string }).messageId),
    );
  });
});

describe('the density of a timeline', () => {
  it('is where events are close together', () => {
    const points = [0, 1, 2, 10].map((second, i) => ({ revision: i * 10, at: at(second) }));
    const spans = density(points, 5);
    expect(spans[0]).toBeCloseTo(20);
    expect(spans.reduce((sum, one) => sum + one)).toBeCloseTo(30);
    for (const span of spans.slice(1)) expect(span).toBeLessThan(3);
  });

  it('loses no event when all have the same time', () => {
    const points = [0, 5, 9].map((revision) => ({ revision, at: at(0) }));
    expect(density(points, 3).reduce((sum, one) => sum + one)).toBe(9);
    expect(density([], 3)).toEqual([0, 0, 0]);
  });
});
