import { describe, expect, it } from 'vitest';
import { given } from '../given.testing.js';
import { type PostMessage, room } from './room.js';
import {
  adam,
  alice,
  bob,
  carol,
  closed,
  created,
  edited,
  joined,
  madeA,
  posted,
  reacted,
  redacted,
  tookBack,
} from './room.testing.js';

const past = [created(alice), joined(alice, 'owner'), joined(bob), joined(carol, 'guest')];
const post: PostMessage = {
  type: 'PostMessage',
  actor: bob,
  messageId: 'm1',
  text: 'Hello',
  replyTo: null,
  kind: 'text',
};

describe('posting a message', () => {
  it('records what was said', () => {
    given(room, past)
      .when(post)
      .then([{ type: 'MessagePosted', data: { messageId: 'm1', text: 'Hello', replyTo: null, kind: 'text' } }]);
    given(room, past)
      .when({ ...post, text: 'waves', kind: 'action' })
      .then([{ type: 'MessagePosted', data: { messageId: 'm1', text: 'waves', replyTo: null, kind: 'action' } }]);
  });

  it.each([
    ['empty', '', /text must not be empty/],
    ['too long', 'x'.repeat(8_001), /text must have at most 8000/],
    ['too long in characters outside the basic plane', '😀'.repeat(8_001), /text must have at most 8000/],
    ['with NUL', 'a\u0000', /NUL/],
    ['with half a character', '\udc00', /lone surrogates/],
  ])('is refused when the text is %s', (_, text, detail) => {
    given(room, past)
      .when({ ...post, text })
      .thenRejected('Invalid', detail);
  });

  it.each([['x'.repeat(8_000)], ['😀'.repeat(8_000)], ['.']])(
    'takes any visible text of 1 to 8,000 characters',
    (text) => {
      expect(given(room, past).when({ ...post, text }).decision).toHaveProperty('events.length', 1);
    },
  );

  it('under the id of an earlier one with the same content answers the earlier one', () => {
    given(room, past).when(post).when(post).thenNothing(4n);
    given(room, [...past, posted(bob, 'm1'), posted(alice, 'm2')])
      .when(post)
      .thenNothing(4n);
  });

  it('answers the earlier one also after it was edited, after the room was closed, and to a guest by now', () => {
    given(room, [...past, posted(bob, 'm1'), edited(bob, 'm1', 'Hi')])
      .when(post)
      .thenNothing(4n);
    given(room, [...past, posted(bob, 'm1'), closed(alice)])
      .when(post)
      .thenNothing(4n);
    given(room, [...past, posted(bob, 'm1'), madeA('guest', bob)])
      .when(post)
      .thenNothing(4n);
  });

  it.each([
    ['another text', { text: 'Hello!' }],
    ['another kind', { kind: 'action' }],
    ['a reply', { replyTo: 'm0' }],
    ['another author', { actor: alice }],
  ] as const)('under the id of an earlier one but with %s is refused', (_, other) => {
    given(room, [...past, posted(alice, 'm0'), posted(bob, 'm1')])
      .when({ ...post, ...other })
      .thenRejected('DuplicateId');
  });

  it('with the text that an edit gave the earlier one is refused: it was posted otherwise', () => {
    given(room, [...past, posted(bob, 'm1'), edited(bob, 'm1', 'Hi')])
      .when({ ...post, text: 'Hi' })
      .thenRejected('DuplicateId');
  });

  it('believes the author once the content is gone, and nobody else', () => {
    const gone = [...past, posted(bob, 'm1'), redacted(alice, 'm1', bob)];
    given(room, gone)
      .when({ ...post, text: 'Anything' })
      .thenNothing(4n);
    given(room, gone)
      .when({ ...post, actor: alice })
      .thenRejected('DuplicateId');

    const forgotten = [
      ...past,
      { ...posted(bob, 'm1'), data: { messageId: 'm1', text: null, replyTo: null, kind: 'text' } },
    ];
    given(room, forgotten as typeof past)
      .when({ ...post, text: 'Anything' })
      .thenNothing(4n);
  });

  it('answers one that exists in the room, also if that was redacted', () => {
    const reply = { ...post, messageId: 'm2', replyTo: 'm1' };
    const replied = {
      type: 'MessagePosted',
      data: { messageId: 'm2', text: 'Hello', replyTo: 'm1', kind: 'text' },
    } as const;
    given(room, [...past, posted(alice, 'm1')])
      .when(reply)
      .then([replied]);
    given(room, [...past, posted(alice, 'm1'), redacted(alice, 'm1', alice)])
      .when(reply)
      .then([replied]);
    given(room, past)
      .when(reply)
      .thenRejected('NotFound', /replied to/);
  });

  it('cannot answer itself', () => {
    given(room, past)
      .when({ ...post, replyTo: 'm1' })
      .thenRejected('NotFound');
  });

  it('from an imported file happens once', () => {
    const line = { ...post, imported: { file: 'f1', place: 7 } };
    given(room, past)
      .when(line)
      .then([
        {
          type: 'MessagePosted',
          data: { messageId: 'm1', text: 'Hello', replyTo: null, kind: 'text', imported: { file: 'f1', place: 7 } },
        },
      ]);
    given(room, past).when(line).when(line).thenNothing();
    given(room, past)
      .when(line)
      .when({ ...line, messageId: 'm2', imported: { file: 'f1', place: 6 } })
      .thenNothing();
  });
});

describe('editing a message', () => {
  const edit = { type: 'EditMessage', actor: bob, messageId: 'm1', text: 'Hi' } as const;
  const one = [...past, posted(bob, 'm1')];

  it('records the new text', () => {
    given(room, one)
      .when(edit)
      .then([{ type: 'MessageEdited', data: { messageId: 'm1', text: 'Hi' } }]);
  });

  it('is possible any number of times', () => {
    given(room, one)
      .when(edit)
      .when({ ...edit, text: 'Hey' })
      .then([{ type: 'MessageEdited', data: { messageId: 'm1', text: 'Hey' } }]);
  });

  it('is for its author only, even if an owner asks', () => {
    given(room, one)
      .when({ ...edit, actor: alice })
      .thenRejected('NotAllowed', /author/);
  });

  it('is refused when there is no such message, or only its remains', () => {
    given(room, past).when(edit).thenRejected('NotFound');
    given(room, [...one, redacted(alice, 'm1', bob)])
      .when(edit)
      .thenRejected('Conflict', /redacted/);
  });

  it('is refused with a text that no message may have', () => {
    given(room, one)
      .when({ ...edit, text: '' })
      .thenRejected('Invalid', /empty/);
    given(room, one)
      .when({ ...edit, text: 'x'.repeat(8_001) })
      .thenRejected('Invalid', /8000/);
  });

  it('moves the place of the current text', () => {
    const { state } = given(room, [...one, posted(alice, 'm2'), edited(bob, 'm1', 'Hi')]);
    expect(state.messages.get('m1')).toMatchObject({ posted: { revision: 4n }, textRevision: 6n });
    expect(state.messages.get('m2')).toMatchObject({ posted: { revision: 5n }, textRevision: 5n });
  });
});

describe('redacting a message', () => {
  const redact = { type: 'RedactMessage', actor: bob, messageId: 'm1', reason: null } as const;
  const one = [...past, posted(bob, 'm1')];

  it('names the author, and the reason if there is one', () => {
    given(room, one)
      .when(redact)
      .then([{ type: 'MessageRedacted', data: { messageId: 'm1', authorId: 'bob', reason: null } }]);
    given(room, one)
      .when({ ...redact, actor: adam, reason: 'Spam.' })
      .then([{ type: 'MessageRedacted', data: { messageId: 'm1', authorId: 'bob', reason: 'Spam.' } }]);
  });

  it('done again changes nothing, whoever does it', () => {
    given(room, one).when(redact).when(redact).thenNothing();
    given(room, one)
      .when(redact)
      .when({ ...redact, actor: alice, reason: 'x'.repeat(501) })
      .thenNothing();
  });

  it('is refused when there is no such message, or with a reason that is too long', () => {
    given(room, past).when(redact).thenRejected('NotFound');
    given(room, one)
      .when({ ...redact, reason: 'x'.repeat(501) })
      .thenRejected('Invalid', /reason/);
  });

  it('leaves its author the right to redact when he may only read by now', () => {
    given(room, [...one, madeA('guest', bob)])
      .when(redact)
      .then([{ type: 'MessageRedacted', data: { messageId: 'm1', authorId: 'bob', reason: null } }]);
  });
});

describe('reacting to a message', () => {
  const react = { type: 'AddReaction', actor: bob, messageId: 'm1', emoji: '👍' } as const;
  const takeBack = { ...react, type: 'RemoveReaction' } as const;
  const one = [...past, posted(alice, 'm1')];

  it('is recorded once, until it is taken back', () => {
    given(room, one)
      .when(react)
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji: '👍' } }]);
    given(room, one).when(react).when(react).thenNothing();
    given(room, one)
      .when(react)
      .when(takeBack)
      .then([{ type: 'ReactionRemoved', data: { messageId: 'm1', emoji: '👍' } }]);
    given(room, one).when(react).when(takeBack).when(takeBack).thenNothing();
    given(room, [...one, reacted(bob, 'm1', '👍'), tookBack(bob, 'm1', '👍')])
      .when(react)
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji: '👍' } }]);
  });

  it('is everyone’s own: each person, each message and each emoji counts by itself', () => {
    const reactedOnce = [...one, posted(alice, 'm2'), reacted(bob, 'm1', '👍')];
    for (const other of [{ actor: alice }, { messageId: 'm2' }, { emoji: '🎉' }]) {
      expect(given(room, reactedOnce).when({ ...react, ...other }).decision).toHaveProperty('events.length', 1);
      given(room, reactedOnce)
        .when({ ...takeBack, ...other })
        .thenNothing();
    }
  });

  it('is refused when there is no such message', () => {
    given(room, past).when(react).thenRejected('NotFound');
    given(room, past).when(takeBack).thenRejected('NotFound');
  });

  it('to a redacted message can only be taken back', () => {
    const gone = [...one, reacted(bob, 'm1', '👍'), redacted(alice, 'm1', alice)];
    given(room, gone)
      .when({ ...react, emoji: '🎉' })
      .thenRejected('Conflict', /redacted/);
    given(room, gone).when(react).thenNothing();
    given(room, gone)
      .when(takeBack)
      .then([{ type: 'ReactionRemoved', data: { messageId: 'm1', emoji: '👍' } }]);
  });

  it.each(['', 'well done', '👍\n', '👍👍', '+1', '1', '\u202e', 'x'.repeat(17), '\ud83d', '\u0000'])(
    'is refused with anything but one emoji: %j',
    (emoji) => {
      given(room, one)
        .when({ ...react, emoji })
        .thenRejected('Invalid', /one emoji/);
    },
  );

  it.each(['👍', '👩‍👩‍👧‍👦', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '❤️', '1️⃣', '👍🏽'])('takes %s', (emoji) => {
    given(room, one)
      .when({ ...react, emoji })
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji } }]);
  });

  it('with the same emoji in another presentation is the same', () => {
    given(room, one)
      .when({ ...react, emoji: '❤' })
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji: '❤️' } }]);
    given(room, one)
      .when(react)
      .when({ ...react, emoji: '👍\ufe0f' })
      .thenNothing();
    given(room, [...one, reacted(bob, 'm1', '❤')])
      .when({ ...react, emoji: '❤️' })
      .thenNothing();
    given(room, [...one, reacted(bob, 'm1', '❤')])
      .when({ ...takeBack, emoji: '❤\ufe0e' })
      .then([{ type: 'ReactionRemoved', data: { messageId: 'm1', emoji: '❤️' } }]);
  });

  it('as an earlier release allowed it can be taken back, and not be added again', () => {
    const before = [...one, reacted(bob, 'm1', ':+1:')];
    given(room, before)
      .when({ ...takeBack, emoji: ':+1:' })
      .then([{ type: 'ReactionRemoved', data: { messageId: 'm1', emoji: ':+1:' } }]);
    given(room, before)
      .when({ ...react, actor: alice, emoji: ':+1:' })
      .thenRejected('Invalid');
    given(room, one)
      .when({ ...takeBack, emoji: 'never there' })
      .thenNothing();
  });

  it('is limited to 20 different emoji, whoever adds them', () => {
    const twenty = [...'🐀🐁🐂🐃🐄🐅🐆🐇🐈🐉🐊🐋🐌🐍🐎🐏🐐🐑🐒🐓'];
    const full = [...one, posted(alice, 'm2'), ...twenty.map((emoji, i) => reacted(i % 2 ? alice : bob, 'm1', emoji))];
    for (const actor of [alice, bob]) {
      given(room, full)
        .when({ ...react, actor })
        .thenRejected('Conflict', /20 different reactions/);
    }
    // Those that are there, other messages, and taking back stay possible.
    given(room, full)
      .when({ ...react, emoji: '🐁' })
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji: '🐁' } }]);
    expect(given(room, full).when({ ...react, messageId: 'm2' }).decision).toHaveProperty('events.length', 1);
    given(room, full)
      .when({ ...takeBack, emoji: '🐀' })
      .when(react)
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji: '👍' } }]);
    // Taking back what another person added as well makes no room.
    given(room, [...full, reacted(alice, 'm1', '🐀')])
      .when({ ...takeBack, emoji: '🐀' })
      .when(react)
      .thenRejected('Conflict');
  });

  it('of which an earlier release allowed more takes only those that are there', () => {
    const many = Array.from({ length: 500 }, (_, i) => reacted(alice, 'm1', `e${i}`));
    given(room, [...one, ...many, reacted(alice, 'm1', '🎉')])
      .when(react)
      .thenRejected('Conflict');
    given(room, [...one, ...many, reacted(alice, 'm1', '🎉')])
      .when({ ...react, emoji: '🎉' })
      .then([{ type: 'ReactionAdded', data: { messageId: 'm1', emoji: '🎉' } }]);
  });
});
