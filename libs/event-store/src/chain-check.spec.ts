import { describe, expect, it } from 'vitest';
import { ChainCheck } from './chain-check.js';
import { hashOf } from './envelope.js';
import type { StoredEvent } from './event-store.js';
import { generatedLog } from './generated-log.testing.js';

const log = generatedLog({ events: 300, rooms: 5 });
/** An event in the middle of its stream. */
const hurt = log.findIndex(({ revision }) => revision === 7n);
const { stream, revision, position, sealed, id, hash } = log[hurt] as StoredEvent;
const before = log.find((event) => event.stream === stream && event.revision === revision - 1n) as StoredEvent;

function check(events: readonly StoredEvent[]): ChainCheck {
  const check = new ChainCheck();
  for (const event of events) check.add(event);
  return check;
}

/** The log with the event in the middle changed. */
const changed = (change: Partial<StoredEvent>): StoredEvent[] =>
  log.map((event, i) => (i === hurt ? { ...event, ...change } : event));

/** With another text, and the hash of that. */
const rewritten = (from: string | RegExp, to: string) => {
  const text = sealed.replace(from, to);
  expect(text).not.toBe(sealed);
  return changed({ sealed: text, hash: hashOf(text) });
};

const elsewhere = '01907a3c-0000-7000-8000-000000000001';

describe('a check of all chains', () => {
  it('finds nothing in a log as it was written, and counts what it saw', () => {
    expect(check(log)).toMatchObject({ events: 300, streams: 5, broken: [] });
    expect(check([])).toMatchObject({ events: 0, streams: 0, broken: [] });
  });

  it.each<[string, StoredEvent[], string]>([
    [
      'a text that was changed',
      changed({ sealed: sealed.replace('"schema":1', '"schema":2') }),
      'its text does not have its hash',
    ],
    ['a hash that was changed', changed({ hash: hashOf('something else') }), 'its text does not have its hash'],
    ['a text that is no JSON', changed({ sealed: '{', hash: hashOf('{') }), 'its text is no event'],
    ['a text that is no object', changed({ sealed: 'null', hash: hashOf('null') }), 'its text is no event'],
    ['the text of another stream', rewritten(stream, 'room-other'), 'its text is of the stream room-other'],
    ['the text of another revision', rewritten('"revision":7', '"revision":8'), 'its text is of revision 8'],
    ['the text of another event', rewritten(id, elsewhere), `its text is of the event ${elsewhere}`],
    ['another id', changed({ id: elsewhere }), `its text is of the event ${id}`],
    ['another type', changed({ type: 'RoomClosed' }), expect.stringContaining('its text is of the type')],
    ['a link to another event', rewritten(before.hash, hash), 'its text does not name the hash of the event before it'],
  ])('finds %s', (_, events, fault) => {
    expect(check(events).broken).toEqual([{ stream, revision, position, fault }]);
  });

  it('finds an event that was rewritten together with its hash by the next one', () => {
    const broken = check(rewritten('"schema":1', '"schema":2')).broken;
    expect(broken).toMatchObject([
      { stream, revision: 8n, fault: 'its text does not name the hash of the event before it' },
    ]);
  });

  it('finds events that are missing', () => {
    const without = (...revisions: bigint[]) =>
      check(log.filter((event) => event.stream !== stream || !revisions.includes(event.revision))).broken;
    expect(without(7n)).toMatchObject([{ stream, revision: 8n, fault: 'revision 7 is missing' }]);
    expect(without(0n, 1n)).toMatchObject([{ stream, revision: 2n, fault: 'revisions from 0 are missing' }]);
  });

  it('finds an event that is there twice, and one whose id was there before', () => {
    const twice = [...log.slice(0, hurt + 1), log[hurt] as StoredEvent, ...log.slice(hurt + 1)];
    expect(check(twice).broken).toMatchObject([{ stream, revision, fault: 'it comes after revision 7' }]);

    const sealedAgain = sealed.replace(id, before.id);
    const repeated = changed({ id: before.id, sealed: sealedAgain, hash: hashOf(sealedAgain) });
    expect(check(repeated).broken).toMatchObject([
      { stream, revision, fault: `its id ${before.id} is that of an earlier event` },
    ]);
  });

  it('names the first broken place of each broken stream, and goes on with the others', () => {
    const streams = [...new Set(log.map((event) => event.stream))];
    const damaged = log.map((event) =>
      event.stream !== streams[0] && event.revision >= 3n ? { ...event, sealed: `${event.sealed} ` } : event,
    );
    const { broken, events } = check(damaged);
    expect(events).toBe(300);
    expect(broken.map((place) => place.stream).sort()).toEqual(streams.slice(1).sort());
    expect(new Set(broken.map((place) => place.revision))).toEqual(new Set([3n]));
  });
});
