import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../decider.js';
import { given, type Past, recorded } from '../given.testing.js';
import { isRejection } from '../rejection.js';
import { messagesToLookUp, type PostMessage, type RoomCommand, type RoomEvent, room } from './room.js';
import {
  Archive,
  adam,
  alice,
  bob,
  created,
  edited,
  idAt,
  idWithoutTime,
  joined,
  posted,
  reacted,
  redacted,
  tookBack,
} from './room.testing.js';

// Message ids carry the time at which their client made them. Most clocks here show noon or a little later.
const NOON = Date.parse('2026-01-31T12:00:00.000Z');
const LATER = '2026-01-31T18:00:00.000Z';
const first = idAt(NOON, 1);
const withoutTime = idWithoutTime(1);
const fromTheFuture = idAt(NOON + 86_400_000, 1);

const begin = [created(alice), joined(alice, 'owner'), joined(bob)];
const early = [posted(bob, first), posted(bob, withoutTime), posted(alice, 'not a UUID'), reacted(bob, first, '👍')];
/** Enough messages to move the window past what came before. */
const chatter = (count = 1_200, from = 0): Past<RoomEvent>[] =>
  Array.from({ length: count }, (_, i) => posted(alice, idAt(NOON + 1_000 + from + i)));

const post = (messageId: string, more: Partial<PostMessage> = {}): PostMessage => ({
  type: 'PostMessage',
  actor: bob,
  messageId,
  text: 'Hello',
  replyTo: null,
  kind: 'text',
  ...more,
});
const edit = (messageId: string, actor: Actor = bob) =>
  ({ type: 'EditMessage', actor, messageId, text: 'Hi' }) as const;
const redact = (messageId: string, actor: Actor = bob) =>
  ({ type: 'RedactMessage', actor, messageId, reason: null }) as const;
const react = (messageId: string, actor: Actor = bob) =>
  ({ type: 'AddReaction', actor, messageId, emoji: '👍' }) as const;
const takeBack = (messageId: string, actor: Actor = bob) =>
  ({ type: 'RemoveReaction', actor, messageId, emoji: '👍' }) as const;

/** Goes on with a story in which all that is older than the window can be looked up. */
function lookingBack(past: readonly Past<RoomEvent>[]) {
  const archive = Archive.of(recorded(past));
  const { state, when } = given(room, past);
  return { state, archive, when: (command: RoomCommand) => when(archive.inform(command, state)) };
}

const young = [...begin, ...early];
const old = [...young, ...chatter()];

describe('what has to be looked up', () => {
  const stateAfter = (past: readonly Past<RoomEvent>[]) => given(room, past).state;
  const [wholeWindow, movedWindow] = [stateAfter(young), stateAfter(old)];

  it('is nothing as long as the window has not moved', () => {
    for (const id of [first, withoutTime, fromTheFuture, 'unheard of']) {
      for (const command of [
        post(id),
        post(idAt(NOON), { replyTo: id }),
        edit(id),
        redact(id),
        react(id),
        takeBack(id),
      ]) {
        expect(messagesToLookUp(command, wholeWindow)).toEqual([]);
      }
    }
  });

  it('is nothing for a message with a fresh id', () => {
    expect(messagesToLookUp(post(idAt(NOON + 60_000)), movedWindow)).toEqual([]);
  });

  it('is a new id that is no younger than one that left the window, or contains no time', () => {
    expect(messagesToLookUp(post(first), movedWindow)).toEqual([first]);
    expect(messagesToLookUp(post(idAt(NOON, 99)), movedWindow)).toEqual([idAt(NOON, 99)]);
    expect(messagesToLookUp(post(withoutTime), movedWindow)).toEqual([withoutTime]);
    expect(messagesToLookUp(post(idWithoutTime(99)), movedWindow)).toEqual([idWithoutTime(99)]);
    expect(messagesToLookUp(post('not a UUID'), movedWindow)).toEqual(['not a UUID']);
  });

  it('is every id up to the furthest future that a client has ever claimed', () => {
    const state = stateAfter([...begin, posted(bob, fromTheFuture), ...chatter()]);
    expect(messagesToLookUp(post(idAt(NOON + 60_000)), state)).toEqual([idAt(NOON + 60_000)]);
    expect(messagesToLookUp(post(fromTheFuture), state)).toEqual([fromTheFuture]);
    expect(messagesToLookUp(post(idAt(NOON + 86_400_001)), state)).toEqual([]);
  });

  it('is nothing for what is still in the window', () => {
    const recent = idAt(NOON + 1_000 + 1_199);
    for (const command of [
      post(recent),
      post(idAt(NOON + 60_000), { replyTo: recent }),
      edit(recent),
      redact(recent),
    ]) {
      expect(messagesToLookUp(command, movedWindow)).toEqual([]);
    }
    expect(messagesToLookUp(react(recent), movedWindow)).toEqual([]);
  });

  it('is the message that a command speaks of, once it has left the window', () => {
    for (const command of [edit(first), redact(first), react(first), takeBack(first)]) {
      expect(messagesToLookUp(command, movedWindow)).toEqual([first]);
    }
    expect(messagesToLookUp(post(idAt(NOON + 60_000), { replyTo: first }), movedWindow)).toEqual([first]);
    expect(messagesToLookUp(post(withoutTime, { replyTo: first }), movedWindow)).toEqual([withoutTime, first]);
  });

  it('is a message of which only later events are in the window', () => {
    const state = stateAfter([...old, edited(bob, first, 'Hi')]);
    for (const command of [post(first), edit(first), redact(first), react(first)]) {
      expect(messagesToLookUp(command, state)).toEqual([first]);
    }
  });

  it('is a reaction that may have left the window of reactions', () => {
    const recent = idAt(NOON + 60_000);
    const reactions = Array.from({ length: 1_200 }, (_, i) => reacted(alice, recent, `e${i}`));
    const state = stateAfter([...young, posted(bob, recent), ...reactions]);
    expect(messagesToLookUp(react(first), state)).toEqual([first]);
    expect(messagesToLookUp(react(recent), state)).toEqual([recent]);
    expect(messagesToLookUp({ ...react(recent, alice), emoji: 'e1199' }, state)).toEqual([]);
  });

  it('is nothing for commands that speak of no message', () => {
    expect(messagesToLookUp({ type: 'JoinRoom', actor: bob }, movedWindow)).toEqual([]);
    expect(messagesToLookUp({ type: 'CloseRoom', actor: alice, reason: null }, movedWindow)).toEqual([]);
  });
});

describe('a message that has left the window', () => {
  const later = lookingBack(old);

  it('is answered again when it is posted again', () => {
    later.when(post(first)).thenNothing(3n);
    later.when(post(withoutTime)).thenNothing(4n);
  });

  it('keeps its id from being used for another content or by another person', () => {
    for (const id of [first, withoutTime]) {
      later.when(post(id, { text: 'Other' })).thenRejected('DuplicateId');
      later.when(post(id, { actor: alice })).thenRejected('DuplicateId');
    }
    const past = [...begin, posted(bob, fromTheFuture), ...chatter()];
    lookingBack(past)
      .when(post(fromTheFuture, { text: 'Other' }))
      .thenRejected('DuplicateId');
  });

  it('can be answered, other than one that never was', () => {
    const id = idAt(NOON + 60_000);
    later
      .when(post(id, { replyTo: first }))
      .then([{ type: 'MessagePosted', data: { messageId: id, text: 'Hello', replyTo: first, kind: 'text' } }]);
    for (const unheardOf of [idAt(NOON, 99), idAt(NOON + 50_000), idWithoutTime(99)]) {
      later.when(post(id, { replyTo: unheardOf })).thenRejected('NotFound');
    }
  });

  it('can be edited by its author, more than once', () => {
    const editing = { type: 'MessageEdited', data: { messageId: first, text: 'Hi' } } as const;
    later.when(edit(first)).then([editing]);
    lookingBack([...old, edited(bob, first, 'Hm')])
      .when(edit(first))
      .then([editing]);
    lookingBack([...old, edited(bob, first, 'Hm'), ...chatter(1_200, 5_000)])
      .when(edit(first))
      .then([editing]);
    later.when(edit(first, alice)).thenRejected('NotAllowed');
    later.when(edit(idAt(NOON, 99))).thenRejected('NotFound');
  });

  it('can be redacted once', () => {
    const redaction = { type: 'MessageRedacted', data: { messageId: first, authorId: 'bob', reason: null } } as const;
    for (const actor of [bob, alice, adam]) later.when(redact(first, actor)).then([redaction]);
    lookingBack([...old, edited(bob, first, 'Hm')])
      .when(redact(first))
      .then([redaction]);
    const gone = [...old, redacted(alice, first, bob)];
    for (const past of [gone, [...gone, ...chatter(1_200, 5_000)]]) {
      const story = lookingBack(past);
      story.when(redact(first)).thenNothing();
      story.when(edit(first)).thenRejected('Conflict', /redacted/);
      story.when(react(first, alice)).thenRejected('Conflict', /redacted/);
      story.when(post(first, { text: 'Other' })).thenNothing(3n);
      story.when(post(first, { actor: alice })).thenRejected('DuplicateId');
    }
    later.when(redact(idAt(NOON, 99))).thenRejected('NotFound');
  });

  it('keeps its reactions', () => {
    later.when(react(first)).thenNothing();
    later.when(takeBack(first, alice)).thenNothing();
    later.when(react(first, alice)).then([{ type: 'ReactionAdded', data: { messageId: first, emoji: '👍' } }]);
    lookingBack([...old, tookBack(bob, first, '👍')])
      .when(react(first))
      .then([{ type: 'ReactionAdded', data: { messageId: first, emoji: '👍' } }]);
    lookingBack([...old, tookBack(bob, first, '👍')])
      .when(takeBack(first))
      .thenNothing();
  });

  it('keeps its reactions when only those have left their window', () => {
    const recent = idAt(NOON + 60_000);
    const many = Array.from({ length: 1_200 }, (_, i) => reacted(alice, recent, `e${i}`));
    const past = [...begin, posted(bob, recent), reacted(bob, recent, '👍'), ...many];
    lookingBack(past).when(react(recent)).thenNothing();
    lookingBack(past)
      .when(takeBack(recent))
      .then([{ type: 'ReactionRemoved', data: { messageId: recent, emoji: '👍' } }]);
    lookingBack(past).when(takeBack(recent, alice)).thenNothing();
  });
});

describe('the limit of different reactions', () => {
  const twenty = [...'🐀🐁🐂🐃🐄🐅🐆🐇🐈🐉🐊🐋🐌🐍🐎🐏🐐🐑🐒🐓'];
  const rats = twenty.map((emoji, i) => reacted(i === 0 ? bob : alice, first, emoji));
  const recent = idAt(NOON + 60_000);
  const elsewhere = Array.from({ length: 1_200 }, (_, i) => reacted(alice, recent, `e${i}`));
  const full = [...begin, posted(bob, first), posted(bob, recent), ...rats, ...elsewhere];

  it('holds for messages whose reactions have left the window', () => {
    const later = lookingBack(full);
    later.when(react(first)).thenRejected('Conflict', /20 different/);
    later
      .when({ ...react(first), emoji: '🐁' })
      .then([{ type: 'ReactionAdded', data: { messageId: first, emoji: '🐁' } }]);
    later
      .when({ ...takeBack(first), emoji: '🐀' })
      .then([{ type: 'ReactionRemoved', data: { messageId: first, emoji: '🐀' } }]);
  });

  it('knows at once that the actor has removed one, and what others have added', () => {
    const archive = Archive.of(recorded(full));
    const command = archive.inform(react(first), given(room, full).state);
    given(room, [...full, tookBack(bob, first, '🐀')])
      .when(command)
      .then([{ type: 'ReactionAdded', data: { messageId: first, emoji: '👍' } }]);
    given(room, [...full, tookBack(bob, first, '🐀'), reacted(alice, first, '🐀')])
      .when(command)
      .thenRejected('Conflict');
    given(room, [...full, tookBack(bob, first, '🐀'), reacted(alice, first, '🎉')])
      .when(command)
      .thenRejected('Conflict');
    given(room, [...full, tookBack(bob, first, '🐀'), reacted(alice, first, '👍')])
      .when(command)
      .then([{ type: 'ReactionAdded', data: { messageId: first, emoji: '👍' } }]);
  });

  it('asks the read models only about messages that are older than what the window remembers of reactions', () => {
    const fresh = idAt(NOON + 70_000);
    const { state } = given(room, [...full, posted(bob, fresh), reacted(alice, fresh, '🎉')]);
    expect(messagesToLookUp(react(fresh), state)).toEqual([]);
    expect(messagesToLookUp(takeBack(fresh), state)).toEqual([]);
    expect(messagesToLookUp(react(first), state)).toEqual([first]);
  });

  it('is not exceeded by any order of adding and removing, however late the read models are', () => {
    const emoji = fc.constantFrom(...twenty, '👍', '🎉', '🍲');
    const step = fc.record({ actor: fc.constantFrom(alice, bob), emoji, remove: fc.nat(3), elsewhere: fc.nat(200) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(5), (steps, lag) => {
        let { state } = given(room, full);
        const archive = Archive.of(recorded(full));
        const late: RoomEvent[] = [];
        const record = (
          type: 'ReactionAdded' | 'ReactionRemoved',
          by: Actor,
          data: { messageId: string; emoji: string },
        ) => {
          const event = { type, data, actor: by.id, revision: state.revision + 1n, at: LATER } as RoomEvent;
          state = room.evolve(state, event);
          late.push(event);
          if (late.length > lag) archive.record(late.shift() as RoomEvent);
        };
        for (const [i, { actor, emoji, remove, elsewhere }] of steps.entries()) {
          const type = remove === 0 ? 'RemoveReaction' : 'AddReaction';
          const decision = room.decide(archive.inform({ type, actor, messageId: first, emoji }, state), state, LATER);
          if (isRejection(decision)) expect(['Conflict', 'Unavailable']).toContain(decision.rejected);
          else
            for (const { type } of decision.events) record(type as 'ReactionAdded', actor, { messageId: first, emoji });
          for (let n = 0; n < elsewhere; n++)
            record('ReactionAdded', alice, { messageId: recent, emoji: `f${i}-${n}` });
        }
        for (const event of late) archive.record(event);
        expect(archive.reactionsTo(first, alice).length).toBeLessThanOrEqual(20);
      }),
      { numRuns: process.env.LONG ? 200 : 50 },
    );
  });
});

describe('while the read models lag, a command', () => {
  const events = recorded<RoomEvent>(old);
  const { state } = given(room, old);
  const commands: RoomCommand[] = [
    post(first),
    post(withoutTime),
    post(idAt(NOON + 60_000), { replyTo: first }),
    edit(first),
    redact(first),
    react(first),
    takeBack(first),
  ];
  const expectUnavailable = (inform: (command: RoomCommand) => RoomCommand) => {
    for (const command of commands) {
      expect(room.decide(inform(command), state, LATER), command.type).toMatchObject({ rejected: 'Unavailable' });
    }
  };

  it('that looked nothing up has to be repeated', () => {
    expectUnavailable((command) => command);
  });

  it('whose look-up does not reach up to the window has to be repeated', () => {
    const lagging = Archive.of(events.slice(0, Number(state.messages.since)));
    expectUnavailable((command) => lagging.inform(command, state));
    const reaching = Archive.of(events.slice(0, Number(state.messages.since) + 1));
    expect(room.decide(reaching.inform(edit(first), state), state, LATER)).toHaveProperty('events.length', 1);
  });

  it('whose look-up reaches up to the window learns the rest from there', () => {
    const archive = Archive.of(events);
    const gone = given(room, [...old, redacted(alice, first, bob)]);
    gone.when(archive.inform(edit(first), gone.state)).thenRejected('Conflict', /redacted/);
    gone.when(archive.inform(redact(first), gone.state)).thenNothing();

    const recent = idAt(NOON + 60_000);
    const many = Array.from({ length: 1_200 }, (_, i) => reacted(alice, first, `e${i}`));
    const busy = Archive.of(recorded([...young, ...many]));
    const posting = given(room, [...young, ...many, posted(alice, recent)]);
    posting
      .when(busy.inform(react(recent), posting.state))
      .then([{ type: 'ReactionAdded', data: { messageId: recent, emoji: '👍' } }]);
  });

  it('that looked up other messages has to be repeated', () => {
    const older = Archive.of(events).lookUp([idAt(NOON, 99)], bob);
    expectUnavailable((command) => ({ ...command, older }) as RoomCommand);
  });

  it('whose message left the window after the look-up has to be repeated', () => {
    // The commands of a batch are looked up for at once and decided one after the other; here the window moves between.
    const command = post(first, { text: 'Other', replyTo: withoutTime });
    const older = Archive.of(events).lookUp([withoutTime], bob);
    given(room, young).when(command).thenRejected('DuplicateId');
    given(room, old)
      .when({ ...command, older })
      .thenRejected('Unavailable');
  });
});
