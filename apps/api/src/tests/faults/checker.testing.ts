import { createHash } from 'node:crypto';
import type { Attempt, Hearing, History, Logged, Saying, Timeline } from './history.testing.js';

/** A promise that was broken. */
export type Breach =
  /** An acknowledged message is not in the log, or not in a list. */
  | 'lost'
  /** A message stands there more than once. */
  | 'doubled'
  /** It stands, or was acknowledged, at another revision than it was acknowledged at. */
  | 'misplaced'
  /** It has another text than the one that was posted. */
  | 'altered'
  /** It was refused and is there nevertheless. */
  | 'refused but stored'
  /** Nobody posted it. */
  | 'invented'
  /** Somebody heard events in another order than the log's. */
  | 'out of order'
  /** Somebody missed events. */
  | 'gap'
  /** Somebody heard an event twice. */
  | 'heard twice'
  /** What was received about an event differs from the log. */
  | 'differs'
  /** Revisions, positions, hashes or the envelope do not fit together. */
  | 'broken chain';

export interface Finding {
  readonly breach: Breach;
  readonly detail: string;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Messages by the final answer to their posters, and how many of the unknown ones were stored. */
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly unknownButStored: number;
}

/** Holds everything that was seen against what was promised. The log is the measure, and is itself held to its rules. */
export function check(history: History): Verdict {
  const streams = grouped(history.log, ({ stream }) => stream);
  const ofRoom = (room: string) => streams.get(`room-${room}`) ?? [];
  const messages = messagesOf([...history.attempts, ...withIds(history.sayings ?? [], history.log)]);
  const stored = new Set(history.log.map(({ messageId }) => messageId));
  const unknown = messages.filter(({ outcome }) => outcome === 'unknown');
  return {
    findings: [
      ...checkChains(history.log, history.positionsHaveGaps),
      ...checkMessages(messages, history.log),
      ...history.hearings.flatMap((hearing) => checkHearing(hearing, ofRoom(hearing.room))),
      ...history.timelines.flatMap((timeline) => checkTimeline(timeline, ofRoom(timeline.room))),
    ],
    acknowledged: messages.filter(({ outcome }) => outcome === 'acknowledged').length,
    refused: messages.filter(({ outcome }) => outcome === 'refused').length,
    unknown: unknown.length,
    unknownButStored: unknown.filter(({ id }) => stored.has(id)).length,
  };
}

// The log by itself -------------------------------------------------------------------------------------------------

/** Positions in order; in each stream revisions without gap, each event chained to the one before, hashes right. */
export function checkChains(log: readonly Logged[], positionsHaveGaps = false): Finding[] {
  const findings: Finding[] = [];
  const heads = new Map<string, Logged>();
  const ids = new Set<string>();
  for (const [i, event] of log.entries()) {
    const before = heads.get(event.stream);
    const broken = (what: string) =>
      findings.push({ breach: 'broken chain', detail: `${event.stream} at revision ${event.revision}: ${what}` });
    const due = positionsHaveGaps ? event.position > (log[i - 1]?.position ?? -1) : event.position === i;
    if (!due) broken(`position ${event.position} comes at place ${i} of the log`);
    if (event.revision !== (before?.revision ?? -1) + 1) broken(`follows revision ${before?.revision ?? 'none'}`);
    if (event.prev !== (before?.hash ?? null)) broken('is not chained to the event before');
    if (createHash('sha256').update(event.sealed, 'utf8').digest('hex') !== event.hash) broken('has another hash');
    const { stream, revision, id, type, prev } = JSON.parse(event.sealed);
    const says = JSON.stringify([stream, revision, id, type, prev]);
    if (says !== JSON.stringify([event.stream, event.revision, event.id, event.type, event.prev]))
      broken(`says of itself that it is ${says}`);
    if (ids.has(event.id)) broken(`the event ${event.id} stands twice`);
    ids.add(event.id);
    heads.set(event.stream, event);
  }
  return findings;
}

// Messages against the log ------------------------------------------------------------------------------------------

/** A message with all answers to its poster. */
interface Message {
  readonly room: string;
  readonly id: string;
  readonly texts: ReadonlySet<string>;
  /** Revisions at which it was acknowledged. */
  readonly revisions: ReadonlySet<number>;
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** With which codes it was refused. */
  readonly codes: readonly string[];
}

/** Finds the ids by the texts. What stands there twice has two, the second of which nobody posted. */
function withIds(sayings: readonly Saying[], log: readonly Logged[]): Attempt[] {
  const ids = new Map(log.toReversed().map(({ text, messageId }) => [text, messageId]));
  return sayings.map((saying) => ({ ...saying, id: ids.get(saying.text) ?? `of "${saying.text}"` }));
}

/** One acknowledgement settles it; without one, one attempt of unknown outcome leaves it open. */
function messagesOf(attempts: readonly Attempt[]): Message[] {
  return [...grouped(attempts, ({ id }) => id).values()].map((all) => {
    const revisions = all.flatMap(({ outcome }) =>
      outcome.is === 'acknowledged' && outcome.revision !== null ? [outcome.revision] : [],
    );
    const acknowledged = all.some(({ outcome }) => outcome.is === 'acknowledged');
    const open = all.some(({ outcome }) => outcome.is === 'unknown');
    const codes = all.flatMap(({ outcome }) => (outcome.is === 'refused' ? [outcome.code] : []));
    const { room, id } = all[0] as Attempt;
    return {
      ...{ room, id },
      texts: new Set(all.map(({ text }) => text)),
      revisions: new Set(revisions),
      outcome: acknowledged ? 'acknowledged' : open ? 'unknown' : 'refused',
      codes,
    };
  });
}

function checkMessages(messages: readonly Message[], log: readonly Logged[]): Finding[] {
  const findings: Finding[] = [];
  const posted = new Set(messages.map(({ id }) => id));
  const places = grouped(
    log.filter(({ messageId }) => messageId !== null),
    ({ messageId }) => messageId ?? '',
  );
  for (const { room, id, texts, revisions, outcome, codes } of messages) {
    const found = (breach: Breach, detail: string) => findings.push({ breach, detail: `message ${id}: ${detail}` });
    const standing = places.get(id) ?? [];
    if (standing.length > 1) found('doubled', `stands at revisions ${standing.map(({ revision }) => revision)}`);
    if (outcome === 'acknowledged' && standing.length === 0) found('lost', `was acknowledged at ${[...revisions]}`);
    if (outcome === 'refused' && standing.length > 0)
      found('refused but stored', `as ${codes}, at ${standing[0]?.revision}`);
    if (revisions.size > 1) found('misplaced', `was acknowledged at ${[...revisions]}`);
    for (const { stream, revision, text } of standing) {
      if (stream !== `room-${room}`) found('misplaced', `was posted in ${room} and stands in ${stream}`);
      if (revisions.size > 0 && !revisions.has(revision))
        found('misplaced', `was acknowledged at ${[...revisions]} and stands at ${revision}`);
      if (text === null || !texts.has(text)) found('altered', `stands there as ${JSON.stringify(text)}`);
    }
  }
  for (const id of places.keys()) if (!posted.has(id)) findings.push({ breach: 'invented', detail: `message ${id}` });
  return findings;
}

// Observers against the log -----------------------------------------------------------------------------------------

/** What was heard must be the log's own events from `after` on, one by one; the first deviation is reported. */
function checkHearing({ who, room, after, events, toTheEnd }: Hearing, log: readonly Logged[]): Finding[] {
  const at = (breach: Breach, detail: string): Finding[] => [{ breach, detail: `${who} in room ${room}: ${detail}` }];
  let last = after;
  for (const { revision, ...heard } of events) {
    if (revision !== last + 1) {
      const missing = last + 1;
      const later = events.some((event) => event.revision === missing);
      return at(revision <= last ? 'heard twice' : later ? 'out of order' : 'gap', `${revision} came after ${last}`);
    }
    const logged = log[revision];
    if (!logged) return at('differs', `the log has no ${revision}`);
    const { type, messageId, text } = logged;
    if (heard.type !== type || heard.messageId !== messageId || heard.text !== text)
      return at('differs', `${revision} is said to be ${JSON.stringify(heard)}`);
    last = revision;
  }
  if (toTheEnd && last !== log.length - 1) return at('gap', `nothing came after ${last} of ${log.length - 1}`);
  return [];
}

function checkTimeline({ who, room, messages }: Timeline, log: readonly Logged[]): Finding[] {
  const findings: Finding[] = [];
  const found = (breach: Breach, detail: string) =>
    findings.push({ breach, detail: `${who} of room ${room}: ${detail}` });
  const expected = log.filter(({ messageId }) => messageId !== null);
  const listed = new Map(messages.map((message) => [message.id, message]));
  if (listed.size < messages.length) found('doubled', `${messages.length} messages, ${listed.size} of them different`);
  for (const { messageId, revision, text } of expected) {
    const message = listed.get(messageId ?? '');
    if (!message) found('lost', `message ${messageId} of ${revision} is not listed`);
    else if (message.revision !== revision)
      found('misplaced', `${messageId} is at ${message.revision}, not ${revision}`);
    else if (message.text !== text) found('altered', `${messageId} reads ${JSON.stringify(message.text)}`);
  }
  const known = new Set(expected.map(({ messageId }) => messageId));
  for (const { id } of messages) if (!known.has(id)) found('invented', `message ${id} is not in the log`);
  const inOrder = messages.every(({ revision }, i) => i === 0 || revision > (messages[i - 1]?.revision ?? -1));
  if (!inOrder) found('out of order', 'the list does not go by revision');
  return findings;
}

function grouped<T>(things: readonly T[], keyOf: (thing: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group) group.push(thing);
    else groups.set(keyOf(thing), [thing]);
  }
  return groups;
}
