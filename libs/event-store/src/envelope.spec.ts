import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { type EventType, fieldRules, SEALED_ID } from '@verbatim/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import {
  type Draft,
  eventKey,
  keyNameOf,
  openEvent,
  openText,
  ownKeyName,
  type Place,
  peek,
  recordedFrom,
  sealEvent,
  sealText,
} from './envelope.js';
import type { StoredEvent } from './event-store.js';
import { upcasters } from './upcast.js';

const key = randomBytes(32);
const place: Place = { stream: 'room-r1', revision: 4n, prev: 'ab'.repeat(32) };
const message: Draft = {
  id: '01907a3c-0000-7000-8000-000000000001',
  type: 'MessagePosted',
  schema: 1,
  at: '2026-01-31T12:00:00.000Z',
  actor: 'alice',
  correlation: 'c1',
  data: { messageId: 'm1', text: 'Hello', replyTo: null, kind: 'text' },
};

const types = Object.keys(fieldRules) as EventType[];
const personalFields = (type: EventType): string[] =>
  Object.entries(fieldRules[type]).flatMap(([field, rule]) => (rule.sealedFor ? [field] : []));
/** What of these fields stands in the stored text, and is all that is left without the key. */
const standIns = (type: EventType): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fieldRules[type]).flatMap(([field, { standIn }]) =>
      standIn === undefined ? [] : [[field, standIn]],
    ),
  );
const sealable = types.filter((type) => personalFields(type).length > 0);

/** What a store gives back of an event that was sealed. */
const stored = (draft: Draft, where: Place = place, with_: Buffer | null = key): StoredEvent => ({
  ...sealEvent(draft, where, with_),
  stream: where.stream,
  revision: where.revision,
  position: 99n,
});

/** Text with all that JSON escapes, and with characters of every length. */
const anyText = fc.string({ unit: fc.constantFrom(...'aZ \u0000\n"\\/\u007fü€\u2028😀') });

/** Any event of any type: its personal fields may be null, and others may hold anything that JSON can represent. */
const anyDraft: fc.Arbitrary<Draft> = fc.constantFrom(...types).chain((type) => {
  const text = fc.option(anyText);
  const personal = fc.record(Object.fromEntries(personalFields(type).map((field) => [field, text])));
  const others = fc.dictionary(
    fc.string().filter((name) => name !== 'sealed' && name !== '__proto__' && !(name in fieldRules[type])),
    fc.jsonValue(),
  );
  return fc.record({
    id: fc.uuid(),
    type: fc.constant(type),
    schema: fc.constant(1),
    at: fc.constant('2026-01-31T12:00:00.000Z'),
    actor: fc.option(fc.string()),
    correlation: fc.string(),
    clockBackMs: fc.constantFrom(86_400_000, undefined),
    occurredAt: fc.constantFrom('2010-05-04T03:02:01.000Z', undefined),
    data: fc.tuple(personal, others).map(([a, b]): object => JSON.parse(JSON.stringify({ ...a, ...b }))),
  });
});
const anyPlace: fc.Arbitrary<Place> = fc.record({
  stream: fc.string().map((id) => `room-${id}`),
  revision: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
  prev: fc.option(fc.constant('cd'.repeat(32))),
});

describe('the stored text of an event', () => {
  it('is exactly this', () => {
    const left: Draft = {
      ...message,
      type: 'MemberLeft',
      data: { userId: 'alice' },
      occurredAt: '2010-05-04T03:02:01.000Z',
    };
    const event = sealEvent(left, place, null);
    expect(event.sealed).toBe(
      '{"actor":"alice","at":"2026-01-31T12:00:00.000Z","correlation":"c1","data":{"userId":"alice"},' +
        '"id":"01907a3c-0000-7000-8000-000000000001","occurredAt":"2010-05-04T03:02:01.000Z",' +
        `"prev":"${'ab'.repeat(32)}","revision":4,"schema":1,"stream":"room-r1","type":"MemberLeft"}`,
    );
    expect(event).toMatchObject({ id: left.id, type: 'MemberLeft' });
  });

  it('is canonical JSON, and its hash is SHA-256 of its bytes', () => {
    fc.assert(
      fc.property(anyDraft, anyPlace, (draft, where) => {
        const { sealed, hash } = sealEvent(draft, where, key);
        expect(sealed).toBe(canonicalJson(JSON.parse(sealed)));
        expect(hash).toBe(createHash('sha256').update(sealed, 'utf8').digest('hex'));
      }),
    );
  });

  it('contains the place in the stream and the hash of the event before, so that both are part of the hash', () => {
    const texts = [place, { ...place, revision: 5n }, { ...place, prev: null }, { ...place, stream: 'room-r2' }];
    expect(new Set(texts.map((where) => sealEvent({ ...message, type: 'MemberLeft' }, where, null).hash)).size).toBe(4);
    expect(peek(sealEvent(message, place, key).sealed)).toMatchObject({
      stream: 'room-r1',
      revision: 4,
      prev: place.prev,
    });
  });
});

describe('the personal fields of an event', () => {
  it.each(sealable)('of type %s are not to be read in the stored text', (type) => {
    const secrets = personalFields(type).map((field) => [field, `hidden ${field}`]);
    const data = { ...Object.fromEntries(secrets), userId: 'in the open' };
    const { sealed } = sealEvent({ ...message, type, data }, place, key);
    expect(sealed).not.toContain('hidden');
    const { sealed: box, ...open } = peek(sealed).data;
    expect(open).toEqual({ ...standIns(type), userId: 'in the open' });
    for (const [, secret] of secrets) {
      expect(Buffer.from(box as string, 'base64url').includes(secret as string)).toBe(false);
    }
  });

  it.each(types.filter((type) => !sealable.includes(type)))('do not exist in %s, which needs no key', (type) => {
    expect(keyNameOf('room-r1', { ...message, type })).toBeNull();
    expect(peek(sealEvent({ ...message, type, data: { userId: 'u1' } }, place, null).sealed).data).toEqual({
      userId: 'u1',
    });
  });

  it.each(sealable)('are never stored open: %s without its key is not stored at all', (type) => {
    expect(() => sealEvent({ ...message, type }, place, null)).toThrow(/no key/);
  });

  it('are not sealed where there are none', () => {
    const { sealed } = sealEvent(
      { ...message, type: 'MessageRedacted', data: { messageId: 'm1', reason: null } },
      place,
      key,
    );
    expect(peek(sealed).data).toEqual({ messageId: 'm1', reason: null });
  });

  it('are sealed with a new nonce every time', () => {
    expect(sealEvent(message, place, key).sealed).not.toBe(sealEvent(message, place, key).sealed);
  });

  it('open with a key derived for the one event, so that it can be kept or forgotten alone', () => {
    const box = peek(sealEvent(message, place, key).sealed).data.sealed as string;
    const own = createHmac('sha256', key).update(message.id).digest();
    expect(openText(box, own, `room-r1|${message.id}|MessagePosted`)).toBe('{"text":"Hello"}');
  });
});

describe('opening an event', () => {
  it('gives back what was sealed, with its places', () => {
    fc.assert(
      fc.property(anyDraft, anyPlace, (draft, where) => {
        const event = stored(draft, where);
        const given = Object.entries(draft).filter(([, value]) => value !== undefined);
        const expected = { ...Object.fromEntries(given), prev: where.prev };
        const { stream, revision, position, hash, sealed } = event;
        expect(openEvent(event, key)).toStrictEqual({ ...expected, stream, revision, position, hash, sealed });
      }),
    );
  });

  it('is what the one who sealed it knows without opening', () => {
    const event = stored(message);
    expect(recordedFrom(message, place.prev, event)).toEqual(openEvent(event, key));
  });

  it.each(sealable)('of type %s without the key gives null for what is personal, and everything else', (type) => {
    const data = Object.fromEntries(personalFields(type).map((field) => [field, 'secret']));
    const event = stored({ ...message, type, data: { ...data, userId: 'u1' } });
    const erased = Object.fromEntries(personalFields(type).map((field) => [field, null]));
    expect(openEvent(event, null).data).toEqual({ ...erased, ...standIns(type), userId: 'u1' });
  });

  it('leaves a room its password when it is forgotten, and knows ids that earlier releases left open', () => {
    const change = (data: object) => stored({ ...message, type: 'RoomChanged', data });
    expect(openEvent(change({ topic: 'Tea', passwordId: 'p1' }), null).data).toMatchObject({ passwordId: SEALED_ID });
    expect(openEvent(change({ passwordId: null }), null).data).toEqual({ passwordId: null });

    const earlier = { ...message, type: 'RoomChanged', data: { passwordId: 'p1' } };
    const sealed = sealEvent({ ...earlier, type: 'MemberLeft' }, place, null).sealed.replace(
      'MemberLeft',
      'RoomChanged',
    );
    const recorded = openEvent({ ...change({}), sealed }, key);
    expect(recorded.data).toEqual({ passwordId: 'p1' });
  });

  it('takes HMAC-SHA256 of its id under the key of its stream, person and day', () => {
    for (const id of [randomUUID(), '', 'ü'.repeat(18), 'ü'.repeat(36), randomUUID(), 'x'.repeat(100)]) {
      const key = randomBytes(32);
      expect(eventKey(key, id)).toEqual(createHmac('sha256', key).update(id).digest());
    }
  });

  it.each([
    ['another key', randomBytes(32)],
    ['a key that is too short', randomBytes(16)],
    ['no key', null],
  ])('with %s gives null for what is personal', (_, other) => {
    expect(openEvent(stored(message), other).data).toEqual({
      messageId: 'm1',
      text: null,
      replyTo: null,
      kind: 'text',
    });
  });

  it('gives null for what is damaged, wherever the damage is', () => {
    const event = stored(message);
    const box = peek(event.sealed).data.sealed as string;
    for (let i = 0; i < box.length - 1; i++) {
      const damaged = box.slice(0, i) + (box[i] === 'A' ? 'B' : 'A') + box.slice(i + 1);
      expect(openEvent({ ...event, sealed: event.sealed.replace(box, damaged) }, key).data).toMatchObject({
        text: null,
      });
    }
    for (const damaged of ['', 'A', box.slice(0, 30), `${box}AAAA`, '!'.repeat(60)]) {
      expect(openEvent({ ...event, sealed: event.sealed.replace(box, damaged) }, key).data).toMatchObject({
        text: null,
      });
    }
  });

  it('refuses what was sealed for another event', () => {
    const box = peek(stored(message).sealed).data.sealed as string;
    const others: [Draft, Place][] = [
      [{ ...message, id: '01907a3c-0000-7000-8000-000000000002' }, place],
      [{ ...message, type: 'MessageEdited' }, place],
      [message, { ...place, stream: 'room-r2' }],
    ];
    for (const [draft, where] of others) {
      const other = stored(draft, where);
      const swapped = other.sealed.replace(peek(other.sealed).data.sealed as string, box);
      expect(openEvent({ ...other, sealed: swapped }, key).data).toMatchObject({ text: null });
    }
  });

  it('brings what was recorded by an earlier release to the shape of today', () => {
    upcasters.MemberLeft = { 1: ({ who, ...rest }) => ({ ...rest, userId: who }) };
    try {
      const old = stored({ ...message, type: 'MemberLeft', data: { who: 'alice' } });
      expect(openEvent(old, null)).toMatchObject({ schema: 1, data: { userId: 'alice' } });
    } finally {
      delete upcasters.MemberLeft;
    }
  });

  it('passes on what a later release recorded', () => {
    const later = stored({ ...message, type: 'RoomPainted', data: { colour: 'green' } }, place, null);
    expect(openEvent(later, null).data).toEqual({ colour: 'green' });
  });
});

describe('the key of an event', () => {
  const room = { ...message, stream: 'room-r1' };

  it.each([
    ['of what somebody wrote is per room, person and day', room, 'room-r1|alice|2026-01-31'],
    [
      'goes by the day on which it took place',
      { ...room, occurredAt: '2010-05-04T23:59:59.999Z' },
      'room-r1|alice|2010-05-04',
    ],
    ['of what nobody wrote is per room and day', { ...room, actor: null }, 'room-r1||2026-01-31'],
    ['of the room is its own', { ...room, type: 'RoomCreated' }, 'room-r1||'],
    [
      'of an account is the holder’s',
      { ...room, type: 'UserRegistered', stream: 'user-u1', actor: null },
      'user-u1|u1|',
    ],
    ['is not needed where nothing is personal', { ...room, type: 'MemberJoined' }, null],
    ['is not known for types of later releases', { ...room, type: 'RoomPainted' }, null],
  ])('%s', (_, event, name) => {
    expect(keyNameOf(event.stream, event)).toBe(name);
  });

  it('of a stream is the one of what belongs to the room or the account', () => {
    expect(ownKeyName('room-r1')).toBe(keyNameOf('room-r1', { ...room, type: 'RoomChanged' }));
    expect(ownKeyName('user-u1')).toBe(keyNameOf('user-u1', { ...room, type: 'UserChanged', actor: 'admin' }));
  });

  it('is found again from the stored text', () => {
    expect(keyNameOf('room-r1', peek(stored(message).sealed))).toBe('room-r1|alice|2026-01-31');
  });
});

describe('a sealed text', () => {
  it('opens with its key and what it was sealed with, and with nothing else', () => {
    fc.assert(
      fc.property(anyText, anyText, (text, associated) => {
        const box = sealText(text, key, associated);
        expect(box).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(openText(box, key, associated)).toBe(text);
        expect(openText(box, key, `${associated}.`)).toBeNull();
        expect(openText(box, randomBytes(32), associated)).toBeNull();
      }),
    );
  });

  it('opens as it was, however long and whatever its script', () => {
    const texts = fc.array(fc.constantFrom('a', '\u0001', 'é', 'ß', 'я', 'ก', 'ا', '中', '😀', '\ufeff', '\ufffd'), {
      minLength: 300,
      maxLength: 2_000,
    });
    fc.assert(
      fc.property(texts, (letters) => {
        const text = JSON.stringify({ text: letters.join('') });
        expect(openText(sealText(text, key, 'x'), key, 'x')).toBe(text);
      }),
    );
  });
});
