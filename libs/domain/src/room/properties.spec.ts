import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Actor, Decision } from '../decider.js';
import { PersistentMap } from '../persistent-map.js';
import { isRejection } from '../rejection.js';
import { isBanned } from './moderation.js';
import { type PostMessage, type RoomCommand, type RoomEvent, type RoomState, room } from './room.js';
import { Archive, ada, adam, alice, bob, carol, idAt, idWithoutTime, person } from './room.testing.js';

// Histories -----------------------------------------------------------------------------------------------------------

/** A room that lives through commands, one after the other, and an archive in which they look up what is old. */
class History {
  readonly events: RoomEvent[] = [];
  readonly archive = new Archive();
  state: RoomState = room.initialState;
  private chatted = 0;

  static of(steps: readonly Step[], meanwhile: (history: History, command: RoomCommand) => void = () => {}): History {
    const history = new History();
    for (const step of steps) {
      if ('chatter' in step) history.chat(step.chatter);
      else {
        meanwhile(history, step);
        history.live(step);
      }
    }
    return history;
  }

  /** The time of the next event. */
  get now(): string {
    return new Date(NOON + this.events.length * STEP).toISOString();
  }

  decide(command: RoomCommand): Decision<RoomEvent> {
    return room.decide(this.archive.inform(command, this.state), this.state, this.now);
  }

  /** Decides a command and records what comes of it. */
  live(command: RoomCommand): Decision<RoomEvent> {
    const decision = this.decide(command);
    if (!isRejection(decision)) for (const fact of decision.events) this.record(fact, command.actor.id);
    return decision;
  }

  private record(fact: { type: string; data: unknown }, actor: string): void {
    const revision = BigInt(this.events.length);
    const event = { ...fact, revision, at: this.now, actor } as RoomEvent;
    this.state = room.evolve(this.state, event);
    this.archive.record(event);
    this.events.push(event);
  }

  /** Much is said, each message under a fresh id: this is what moves the window. */
  private chat(count: number): void {
    for (let i = 0; i < count; i++) this.live(post(alice, idAt(NOON + 1_000 + this.chatted++), 'Blah'));
  }
}

const NOON = Date.parse('2026-01-31T12:00:00.000Z');
/** Milliseconds between two events. */
const STEP = 1_000;
const post = (actor: Actor, messageId: string, text: string): PostMessage => ({
  type: 'PostMessage',
  actor,
  messageId,
  text,
  replyTo: null,
  kind: 'text',
});

// What people do ------------------------------------------------------------------------------------------------------

type Step = RoomCommand | { readonly chatter: number };

const actor = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(alice, bob, carol) },
  { weight: 1, arbitrary: fc.constantFrom(person('dave'), adam, ada) },
);
const userId = fc.constantFrom('alice', 'bob', 'carol', 'dave', 'adam', 'ada');
/** Ids from clocks that are right, slow and far ahead, ids without time, and one that is no UUID. */
const messageId = fc.constantFrom(
  ...[idAt(NOON), idAt(NOON, 1), idAt(NOON + 1_500, 1), idAt(0), idAt(NOON + 86_400_000), idAt(2 ** 48 - 1)],
  ...[idWithoutTime(1), idWithoutTime(2), 'odd'],
);
const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd });
const text = mostly(fc.constantFrom('Hello', 'Hi'), fc.constantFrom('', 'x'.repeat(8_001)));
const reason = mostly(fc.constantFrom(null, 'Because.'), fc.constant('x'.repeat(501)));
const emoji = mostly(fc.constant('👍'), fc.constantFrom('🎉', 'two words'));
const role = fc.constantFrom('owner', 'moderator', 'member', 'guest');
const visibility = fc.constantFrom('public', 'private', 'hidden');
const history = fc.constantFrom('full', 'joined');
const passwordId = fc.constantFrom(null, 'p1', 'p2');
const name = fc.constantFrom('Lounge', 'Kitchen', ' ');
const topic = fc.constantFrom('', 'Tea');
const claim = fc.constantFrom('c1', 'c2');
const imported = fc.option(fc.record({ file: fc.constantFrom('f1', 'f2'), place: fc.nat(20) }), { nil: undefined });
const is = <const T>(type: T) => fc.constant(type);

const creation: fc.Arbitrary<RoomCommand> = fc.oneof(
  fc.record({ type: is('CreateRoom'), actor, name: is('Lounge'), topic, visibility, history, passwordId }),
  fc.record({ type: is('CreateRoom'), actor: fc.constant(alice), name, topic, visibility, history, passwordId }),
  fc.record({ type: is('CreateDirectRoom'), actor, peerId: userId }),
);
const talk: fc.Arbitrary<RoomCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: is('PostMessage'),
      actor,
      messageId,
      text,
      replyTo: mostly(fc.constant(null), messageId),
      kind: fc.constantFrom('text', 'action'),
      imported,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: is('EditMessage'), actor, messageId, text }) },
  fc.record({ type: is('RedactMessage'), actor, messageId, reason }),
  fc.record({ type: is('AddReaction'), actor, messageId, emoji }),
  fc.record({ type: is('RemoveReaction'), actor, messageId, emoji }),
);
const membership: fc.Arbitrary<RoomCommand> = fc.oneof(
  fc.record({
    type: is('JoinRoom'),
    actor,
    provenPasswordId: fc.constantFrom('p1', 'p2', undefined),
    invited: fc.constantFrom('member', 'guest', undefined, undefined),
    imported,
  }),
  fc.record({ type: is('AddMember'), actor, userId, role }),
  fc.record(
    { type: is('RemoveMember'), actor, userId, reason, imported, successor: userId },
    { requiredKeys: ['type', 'actor', 'userId', 'reason'] },
  ),
  fc.record({ type: is('ChangeMemberRole'), actor, userId, role }),
);
const webhookId = fc.constantFrom('w1', 'w2');
const webhooks: fc.Arbitrary<RoomCommand> = fc.oneof(
  fc.record({
    ...{ type: is('AddWebhook'), actor, webhookId, host: is('example.org'), urlId: is('v1'), secretId: is('v2') },
    events: is(['MessagePosted']),
  }),
  fc.record(
    { type: is('ChangeWebhook'), actor, webhookId, urlId: fc.constantFrom('v1', 'v3'), active: fc.boolean() },
    { requiredKeys: ['type', 'actor', 'webhookId'] },
  ),
  fc.record({ type: is('StopWebhook'), actor, webhookId, cause: fc.constantFrom('failing', 'owner_gone') }),
  fc.record({ type: is('RemoveWebhook'), actor, webhookId }),
  fc.record({ type: is('AddIncomingWebhook'), actor, webhookId, botId: userId, name: is('Build') }),
  fc.record({ type: is('RemoveIncomingWebhook'), actor, webhookId }),
);
const administration: fc.Arbitrary<RoomCommand> = fc.oneof(
  fc.record(
    { type: is('ChangeRoom'), actor, name, topic, visibility, history, passwordId, claim },
    { requiredKeys: ['type', 'actor'] },
  ),
  fc.record({ type: is('AbandonRoomName'), actor, claim }),
  fc.record({ type: is('AbandonRoom'), actor }),
  webhooks,
  creation,
);
/** Some that have passed, some that pass within the story, some that do not. */
const time = fc.integer({ min: 0, max: 2_000 }).map((n) => new Date(NOON + n * STEP).toISOString());
const reportId = fc.constantFrom('r1', 'r2', 'r3', 'r4');
const moderating: fc.Arbitrary<RoomCommand> = fc.oneof(
  fc.record({ type: is('BanMember'), actor, userId, reason, until: fc.option(time) }),
  fc.record({ type: is('UnbanMember'), actor, userId }),
  fc.record({ type: is('MuteMember'), actor, userId, reason, until: time }),
  fc.record({ type: is('UnmuteMember'), actor, userId }),
  fc.record({ type: is('TransferOwnership'), actor, userId }),
  fc.record({ type: is('ChangeRoom'), actor, slowModeSeconds: fc.constantFrom(0, 1, 60, 3_600, 3_601) }),
  fc.record({ type: is('ReportMessage'), actor, messageId, reportId, reason: fc.constantFrom('Rude.', '') }),
  fc.record({
    type: is('SettleReport'),
    actor,
    reportId,
    outcome: fc.constantFrom('acted', 'dismissed'),
    note: reason,
  }),
  fc.record({
    type: is('InspectRoom'),
    actor,
    what: fc.constantFrom('messages', 'live'),
    reason: fc.constantFrom('A', ''),
  }),
);
const closing: fc.Arbitrary<RoomCommand> = fc.record({ type: is('CloseRoom'), actor, reason });
const chatter = fc.record({ chatter: fc.integer({ min: 1, max: 700 }) });

const anything: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: talk },
  { weight: 10, arbitrary: membership },
  { weight: 10, arbitrary: moderating },
  { weight: 4, arbitrary: administration },
  { weight: 3, arbitrary: chatter },
  { weight: 1, arbitrary: closing },
);
/** Most rooms begin with three people in them, some in any other way. */
const beginning: fc.Arbitrary<RoomCommand[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ type: is('CreateRoom'), actor: is(alice), name: is('Lounge'), topic, visibility, history, passwordId })
      .map((create): RoomCommand[] => [
        create,
        { type: 'AddMember', actor: alice, userId: 'bob', role: 'member' },
        { type: 'AddMember', actor: alice, userId: 'carol', role: 'moderator' },
      ]),
  },
  { weight: 1, arbitrary: creation.map((create) => [create]) },
);
/** What goes on in one room; much of it is refused. */
const steps = (step: fc.Arbitrary<Step> = anything): fc.Arbitrary<Step[]> =>
  fc.tuple(beginning, fc.array(step, { maxLength: 120, size: 'max' })).map(([first, rest]) => [...first, ...rest]);

const holdsFor = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, check), { numRuns: process.env.LONG ? 30 : 15 });

// What always holds ---------------------------------------------------------------------------------------------------

describe('whatever people do in a room', () => {
  it('every command gets an answer, and every event can be folded', () => {
    holdsFor(steps(), (steps) => {
      const { state, events } = History.of(steps);
      expect(state.revision).toBe(BigInt(events.length) - 1n);
    });
  });

  it('a command with its look-up is never refused because something is not known yet', () => {
    holdsFor(steps(), (steps) => {
      History.of(steps, (room, command) => expect(room.decide(command)).not.toHaveProperty('rejected', 'Unavailable'));
    });
  });

  it('an id names one message only, whatever its clock says', () => {
    holdsFor(steps(), (steps) => {
      const ids = History.of(steps).events.flatMap((event) =>
        event.type === 'MessagePosted' ? event.data.messageId : [],
      );
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  it('posting again what was posted changes nothing and answers the first result', () => {
    holdsFor(steps(), (steps) => {
      History.of(steps, (history, command) => {
        const decision = history.live(command);
        if (command.type !== 'PostMessage' || isRejection(decision) || decision.events.length === 0) return;
        const again = history.live({ ...command, imported: undefined });
        expect(again).toEqual({ events: [], earlier: history.state.revision });
      });
    });
  });

  it('nothing but an edit happens twice in a row', () => {
    holdsFor(steps(), (steps) => {
      History.of(steps, (history, command) => {
        history.live(command);
        const again = history.decide(command);
        if (command.type !== 'EditMessage') expect(isRejection(again) ? [] : again.events).toEqual([]);
      });
    });
  });

  it('nobody who is banned is in the room', () => {
    holdsFor(steps(), (steps) => {
      History.of(steps, ({ state, now }) => {
        for (const [id] of state.members.entries()) expect(isBanned(id, state, now)).toBe(false);
      });
    });
  });

  it('a room that is open and has had an owner has one', () => {
    holdsFor(steps(), (steps) => {
      History.of(steps, ({ state }) => {
        const owners = [...state.members.entries()].filter(([, { role }]) => role === 'owner').length;
        expect(state.owners).toBe(owners);
        if (state.status === 'open' && state.visibility !== 'direct') expect(owners).toBeGreaterThan(0);
      });
    });
  });

  it('nothing is caused by an auditor but the record of reading', () => {
    holdsFor(steps(), (steps) => {
      const types = History.of(steps).events.flatMap(({ actor, type }) => (actor === 'ada' ? [type] : []));
      expect(['RoomInspected']).toEqual(expect.arrayContaining([...new Set(types)]));
    });
  });

  it('after it was closed there is only leaving, removal, redaction, reports, what is read from outside and what becomes of webhooks', () => {
    const closingEarly = fc
      .tuple(steps(), steps(fc.oneof({ weight: 9, arbitrary: anything }, { weight: 1, arbitrary: closing })))
      .map(([before, later]): Step[] => [...before, { type: 'CloseRoom', actor: adam, reason: null }, ...later]);
    holdsFor(closingEarly, (steps) => {
      const types = History.of(steps).events.map((event) => event.type);
      const closed = types.indexOf('ChatClosed');
      const later = closed < 0 ? [] : types.slice(closed + 1);
      const allowed = [
        'MemberLeft',
        'MemberRemoved',
        'MessageRedacted',
        'MessageReported',
        'ReportSettled',
        'RoomInspected',
        // What was said before may still have to be sent, elsewhere or not at all.
        'WebhookChanged',
        'WebhookRemoved',
        'IncomingWebhookRemoved',
      ];
      expect(allowed).toEqual(expect.arrayContaining([...new Set(later)]));
    });
  });

  it('earlier states stay what they were', () => {
    holdsFor(steps(), (steps) => {
      const decisions: (() => void)[] = [];
      History.of(steps, ({ archive, state, now }, command) => {
        const informed = archive.inform(command, state);
        const decision = room.decide(informed, state, now);
        const text = decisions.length % 10 === 0 ? textOf(state) : null;
        decisions.push(() => {
          expect(room.decide(informed, state, now)).toEqual(decision);
          if (text !== null) expect(textOf(state)).toBe(text);
        });
      });
      for (const decideAgain of decisions) decideAgain();
    });
  });
});

describe('a look-up that is out of date', () => {
  it('leads to the same answer as a fresh one, or to none yet', () => {
    holdsFor(fc.tuple(steps(), fc.nat(5)), ([steps, delay]) => {
      const looked: RoomCommand[] = [];
      History.of(steps, (history, command) => {
        looked.push(history.archive.inform(command, history.state));
        if (looked.length <= delay) return;
        const old = looked.shift() as RoomCommand;
        const decision = room.decide(old, history.state, history.now);
        if (!isRejection(decision) || decision.rejected !== 'Unavailable')
          expect(decision).toEqual(history.decide(old));
      });
    });
  });
});

describe('the state of a room', () => {
  it('does not grow with what is said in it', () => {
    const history = new History();
    history.live({
      type: 'CreateRoom',
      actor: alice,
      name: 'Lounge',
      topic: '',
      visibility: 'public',
      history: 'full',
      passwordId: null,
    });
    history.live({ type: 'JoinRoom', actor: bob });
    const messages = process.env.LONG ? 50_000 : 10_000;
    for (let i = 0; i < messages; i++) {
      const id = idAt(NOON + i);
      history.live(post(bob, id, `Message ${i}`));
      if (i % 5 === 0) history.live({ type: 'AddReaction', actor: alice, messageId: id, emoji: '👍' });
      if (i % 7 === 0) history.live({ type: 'EditMessage', actor: bob, messageId: id, text: 'Better' });
      if (i % 11 === 0) history.live({ type: 'RedactMessage', actor: alice, messageId: id, reason: null });
      if (i % 2_000 === 1_999) {
        expect(history.state.messages.size).toBeLessThanOrEqual(1_024);
        expect(history.state.reactions.size).toBeLessThanOrEqual(1_024);
        expect(textOf(history.state).length).toBeLessThan(400_000);
      }
    }
    expect(history.events.length).toBeGreaterThan(messages * 1.4);
  });
});

/** A state as text, complete. */
const textOf = (state: RoomState): string =>
  JSON.stringify(state, (_, value) => {
    if (typeof value === 'bigint') return `${value}`;
    return value instanceof PersistentMap ? [...value.entries()] : value;
  });
