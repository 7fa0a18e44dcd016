import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { check } from './checker.testing.js';
import type { Attempt, History, Logged, Saying } from './history.testing.js';

const ROOM = 'r1';
const MESSAGES = 5;

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
/** A history to be doctored. */
type Draft = Mutable<History>;

/** A room that was made (revision 0) and got five messages (1 to 5), all of them acknowledged and heard by everybody. */
function flawless(): Draft {
  const log: Logged[] = [];
  for (let revision = 0; revision <= MESSAGES; revision++) log.push(logged(revision, log.at(-1)?.hash ?? null));
  const messages = log.slice(1).map(({ revision, text }) => ({ id: idOf(revision), revision, text }));
  const events = log.map(({ revision, type, messageId, text }) => ({ revision, type, messageId, text }));
  return {
    attempts: messages.map(({ id, revision }) => attempt(id, { is: 'acknowledged', revision })),
    sayings: [],
    log,
    hearings: [
      { who: 'a witness', room: ROOM, after: -1, events: structuredClone(events), toTheEnd: true },
      { who: 'one who came late', room: ROOM, after: 2, events: structuredClone(events).slice(3), toTheEnd: true },
      { who: 'one who left', room: ROOM, after: 0, events: structuredClone(events).slice(1, 4), toTheEnd: false },
    ],
    timelines: [{ who: 'a list', room: ROOM, messages }],
  };
}

const idOf = (revision: number) => `message ${revision}`;
const textOf = (id: string) => `the text of ${id}`;
const attempt = (id: string, outcome: Attempt['outcome']): Attempt => ({ room: ROOM, id, text: textOf(id), outcome });

function logged(revision: number, prev: string | null, messageId = idOf(revision)): Logged {
  const isMessage = revision > 0;
  const type = isMessage ? 'MessagePosted' : 'RoomCreated';
  const place = { stream: `room-${ROOM}`, revision, id: `event ${revision}`, type, prev };
  const sealed = JSON.stringify(place);
  const hash = createHash('sha256').update(sealed).digest('hex');
  const message = { messageId: isMessage ? messageId : null, text: isMessage ? textOf(messageId) : null };
  return { ...place, ...message, position: revision, sealed, hash };
}

/** The breaches that the checker finds once the history was doctored, each once. */
function breachesAfter(doctor: (history: Draft) => void): string[] {
  const history = flawless();
  doctor(history);
  return [...new Set(check(history).findings.map(({ breach }) => breach))].sort();
}

describe('the checker', () => {
  it('finds nothing where there is nothing', () => {
    expect(check(flawless())).toEqual({
      findings: [],
      acknowledged: MESSAGES,
      refused: 0,
      unknown: 0,
      unknownButStored: 0,
    });
  });

  it('forgives that a message of unknown outcome was stored, or was not, and counts them', () => {
    const history = flawless();
    history.attempts[4] = attempt(idOf(5), { is: 'unknown' });
    history.attempts.push(attempt('never stored', { is: 'unknown' }), attempt('refused', { is: 'refused', code: 'x' }));
    expect(check(history)).toEqual({ findings: [], acknowledged: 4, refused: 1, unknown: 2, unknownButStored: 1 });
  });

  it('takes what was unknown at first and acknowledged later as acknowledged', () => {
    const history = flawless();
    history.attempts.push(attempt(idOf(3), { is: 'unknown' }), attempt('gone', { is: 'unknown' }));
    history.attempts.push(attempt('gone', { is: 'acknowledged', revision: 9 }));
    expect(check(history).findings.map(({ breach }) => breach)).toEqual(['lost']);
  });
});

describe('messages whose ids are not told', () => {
  const said = (revision: number): Saying => ({
    room: ROOM,
    text: textOf(idOf(revision)),
    outcome: { is: 'acknowledged', revision: null },
  });

  it('are found by their texts', () => {
    const history = flawless();
    history.attempts.pop();
    history.sayings = [said(MESSAGES)];
    expect(check(history)).toMatchObject({ findings: [], acknowledged: MESSAGES });
  });

  it('are lost if nothing has their text, and doubled if two have', () => {
    expect(breachesAfter((history) => history.sayings?.push(said(77)))).toEqual(['lost']);
    const doubled = breachesAfter((history) => {
      history.attempts.splice(3, 2);
      history.sayings?.push(said(4));
      (history.log[5] as { text: string }).text = textOf(idOf(4));
    });
    expect(doubled).toContain('invented');
  });
});

describe('the checker reports', () => {
  it('a lost message: acknowledged and nowhere in the log', () => {
    expect(
      breachesAfter(({ attempts }) => attempts.push(attempt('gone', { is: 'acknowledged', revision: 6 }))),
    ).toEqual(['lost']);
  });

  it('a lost message: the last one is gone without a trace', () => {
    const breaches = breachesAfter(({ log, hearings, timelines }) => {
      log.pop();
      for (const hearing of hearings) hearing.events = hearing.events.filter(({ revision }) => revision < 5);
      timelines[0]!.messages.pop();
    });
    expect(breaches).toEqual(['lost']);
  });

  it('a doubled message', () => {
    const breaches = breachesAfter(({ log, hearings }) => {
      log.push(logged(6, log[5]!.hash, idOf(2)));
      for (const { events, toTheEnd } of hearings) {
        const again = { revision: 6, type: 'MessagePosted', messageId: idOf(2), text: textOf(idOf(2)) };
        if (toTheEnd) events.push(again);
      }
    });
    expect(breaches).toEqual(['doubled', 'misplaced']);
  });

  it('a message of unknown outcome that was stored twice', () => {
    const breaches = breachesAfter((history) => {
      history.attempts[1] = attempt(idOf(2), { is: 'unknown' });
      history.log.push(logged(6, history.log[5]!.hash, idOf(2)));
      history.hearings = [];
      history.timelines = [];
    });
    expect(breaches).toEqual(['doubled']);
  });

  it('a message at another revision than was acknowledged', () => {
    expect(breachesAfter(({ attempts }) => (attempts[0]!.outcome = { is: 'acknowledged', revision: 3 }))).toEqual([
      'misplaced',
    ]);
  });

  it('two acknowledgements of one message that differ', () => {
    const again = attempt(idOf(2), { is: 'acknowledged', revision: 4 });
    expect(breachesAfter(({ attempts }) => attempts.push(again))).toEqual(['misplaced']);
  });

  it('a message in another room', () => {
    expect(breachesAfter(({ attempts }) => (attempts[0]!.room = 'r2'))).toEqual(['misplaced']);
  });

  it('another text than was posted', () => {
    expect(breachesAfter(({ attempts }) => (attempts[0]!.text = 'something else'))).toEqual(['altered']);
  });

  it('a message that was refused and is there', () => {
    const outcome = { is: 'refused', code: 'forbidden' } as const;
    expect(breachesAfter(({ attempts }) => (attempts[0]!.outcome = outcome))).toEqual(['refused but stored']);
  });

  it('a message that nobody posted', () => {
    expect(breachesAfter(({ attempts }) => attempts.shift())).toEqual(['invented']);
  });

  it('two messages that somebody heard in the wrong order', () => {
    const swapped = breachesAfter(({ hearings: [witness] }) => {
      const [two, three] = witness!.events.splice(2, 2);
      witness!.events.splice(2, 0, three!, two!);
    });
    expect(swapped).toEqual(['out of order']);
  });

  it('two messages that the log holds in another order than everybody heard them', () => {
    const breaches = breachesAfter(({ log }) => {
      const [two, three] = [log[2]!, log[3]!];
      [two.messageId, three.messageId] = [three.messageId, two.messageId];
      [two.text, three.text] = [three.text, two.text];
    });
    expect(breaches).toEqual(['differs', 'misplaced']);
  });

  it('an event that somebody missed, in the middle, at the beginning or at the end', () => {
    expect(breachesAfter(({ hearings }) => hearings[0]!.events.splice(2, 1))).toEqual(['gap']);
    expect(breachesAfter(({ hearings }) => hearings[0]!.events.shift())).toEqual(['gap']);
    expect(breachesAfter(({ hearings }) => hearings[0]!.events.pop())).toEqual(['gap']);
    expect(breachesAfter(({ hearings }) => hearings[2]!.events.pop())).toEqual([]);
  });

  it('an event that somebody heard twice, or had known already', () => {
    const twice = ({ hearings: [witness] }: Draft) => witness!.events.splice(3, 0, witness!.events[2]!);
    expect(breachesAfter(twice)).toEqual(['heard twice']);
    expect(breachesAfter(({ hearings }) => (hearings[1]!.after = 3))).toEqual(['heard twice']);
  });

  it('an event that was delivered with different content', () => {
    expect(breachesAfter(({ hearings }) => (hearings[0]!.events[2]!.text = 'x'))).toEqual(['differs']);
    expect(breachesAfter(({ hearings }) => (hearings[0]!.events[2]!.messageId = 'x'))).toEqual(['differs']);
  });

  it('an event that the log does not have', () => {
    const more = { revision: 6, type: 'MessagePosted', messageId: 'x', text: 'x' };
    expect(breachesAfter(({ hearings }) => hearings[0]!.events.push(more))).toEqual(['differs']);
  });

  it('a broken chain: changed text, changed hash, removed event, gap in positions', () => {
    expect(breachesAfter(({ log }) => (log[2]!.sealed = log[2]!.sealed.replace('"', '" ')))).toEqual(['broken chain']);
    expect(breachesAfter(({ log }) => (log[2]!.hash = 'f'.repeat(64)))).toEqual(['broken chain']);
    expect(breachesAfter(({ log }) => (log[5]!.position = 6))).toEqual(['broken chain']);
    expect(breachesAfter(({ log }) => log.splice(2, 1))).toContain('broken chain');
  });

  it('positions that do not grow, where they may have gaps', () => {
    const history = flawless();
    const log = history.log.map((event) => ({ ...event, position: event.position * 300 }));
    const withThirdAt = (position: number) =>
      check({ ...history, log: log.with(3, { ...log[3]!, position }), positionsHaveGaps: true }).findings;
    expect(withThirdAt(900)).toEqual([]);
    expect(withThirdAt(600)).toHaveLength(1);
  });

  it('a broken chain: an event replaced by another, with its own hash right', () => {
    const replaced = breachesAfter(({ log }) => {
      log[2] = { ...logged(2, log[1]!.hash), ...forged(log[2]!) };
    });
    expect(replaced).toEqual(['broken chain']);
  });

  it('a list that lacks, doubles, misplaces, alters, invents or disorders messages', () => {
    const afterDoctoring = (doctor: (messages: Draft['timelines'][number]['messages']) => void) =>
      breachesAfter(({ timelines }) => doctor(timelines[0]!.messages));
    expect(afterDoctoring((messages) => messages.splice(1, 1))).toEqual(['lost']);
    expect(afterDoctoring((messages) => messages.push(messages[4]!))).toEqual(['doubled', 'out of order']);
    expect(afterDoctoring((messages) => (messages[4]!.revision = 9))).toEqual(['misplaced']);
    expect(afterDoctoring((messages) => (messages[1]!.text = 'x'))).toEqual(['altered']);
    expect(afterDoctoring((messages) => messages.push({ id: 'x', revision: 9, text: 'x' }))).toEqual(['invented']);
    expect(afterDoctoring((messages) => messages.reverse())).toEqual(['out of order']);
  });

  /** The same event with an extra word and a new hash. */
  function forged({ sealed }: Logged): Partial<Logged> {
    const text = JSON.stringify({ ...JSON.parse(sealed), more: true });
    return { sealed: text, hash: createHash('sha256').update(text).digest('hex') };
  }
});
