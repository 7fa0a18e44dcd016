import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Draft, peek, tryToOpen } from './envelope.js';
import type { NewEvent, StoredEvent } from './event-store.js';
import type { KeyRing } from './key-ring.js';
import { Sealer } from './sealer.js';

/** More events than a sealer remembers. */
const MANY = 9_000;

/** Keys in memory. It counts how often it is asked. */
class KeysInMemory implements KeyRing {
  readonly keys = new Map<string, Buffer>();
  asked = 0;

  async obtain(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    for (const name of names) if (!this.keys.has(name)) this.keys.set(name, randomBytes(32));
    return this.find(names);
  }

  async find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    this.asked++;
    return new Map([...this.keys].filter(([name]) => names.includes(name)));
  }

  async spare() {
    return { events: this.ofEvents, retired: new Map<string, Buffer>() };
  }

  readonly ofEvents = new Map<string, Buffer>();

  forget(): void {}
}

const drafts = (count: number, more: Partial<Draft> = {}): Draft[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `01907a3c-0000-7000-8000-${i.toString(16).padStart(12, '0')}`,
    type: 'MessagePosted',
    schema: 1,
    at: '2026-01-31T12:00:00.000Z',
    actor: 'alice',
    correlation: 'c1',
    data: { messageId: `m${i}`, text: `Message ${i}`, replyTo: null, kind: 'text' },
    ...more,
  }));

async function openByPages(sealer: Sealer, stored: readonly StoredEvent[]): Promise<void> {
  for (let i = 0; i < stored.length; i += 500) await sealer.open(stored.slice(i, i + 500));
}

const store = (events: readonly NewEvent[], revision = 0n): StoredEvent[] =>
  events.map((event, i) => ({
    ...event,
    stream: 'room-r1',
    revision: revision + BigInt(i),
    position: 100n + BigInt(i),
  }));

const texts = (events: readonly { data: unknown }[]) => events.map(({ data }) => (data as { text: unknown }).text);

describe('a sealed batch', () => {
  it('is chained: each event names the hash of the one before', async () => {
    const events = await new Sealer(new KeysInMemory()).seal('room-r1', 7n, 'ab'.repeat(32), drafts(3));
    const envelopes = events.map(({ sealed }) => JSON.parse(sealed));
    expect(envelopes.map(({ revision }) => revision)).toEqual([7, 8, 9]);
    expect(envelopes.map(({ prev }) => prev)).toEqual(['ab'.repeat(32), events[0]?.hash, events[1]?.hash]);
  });

  it('begins a stream without a hash before it', async () => {
    const [event] = await new Sealer(new KeysInMemory()).seal('room-r1', 0n, null, drafts(1));
    expect(JSON.parse(event?.sealed ?? '')).toMatchObject({ revision: 0, prev: null });
  });

  it('may mix events with and without personal fields, of several people and days', async () => {
    const keys = new KeysInMemory();
    const batch = [
      ...drafts(1),
      ...drafts(1, { type: 'MemberLeft', data: { userId: 'alice' } }),
      ...drafts(1, { actor: 'bob', occurredAt: '2010-05-04T03:02:01.000Z' }),
    ];
    const stored = store(await new Sealer(keys).seal('room-r1', 0n, null, batch));
    expect([...keys.keys.keys()]).toEqual(['room-r1|alice|2026-01-31', 'room-r1|bob|2010-05-04']);
    expect(texts(await new Sealer(keys).open(stored))).toEqual(['Message 0', undefined, 'Message 0']);
  });

  it('is not sealed at all when a key could not be had', async () => {
    const none = { spare: async () => ({ events: new Map(), retired: new Map() }), forget: () => {} };
    const forgetful: KeyRing = { obtain: async () => new Map(), find: async () => new Map(), ...none };
    await expect(new Sealer(forgetful).seal('room-r1', 0n, null, drafts(1))).rejects.toThrow(/no key/);
  });
});

describe('opening', () => {
  it('gives the same whether this process sealed the events, has opened them before or has never seen them', async () => {
    const keys = new KeysInMemory();
    const sealing = new Sealer(keys);
    const stored = store(
      await sealing.seal('room-r1', 0n, null, drafts(3, { occurredAt: '2010-05-04T03:02:01.000Z' })),
    );
    const other = new Sealer(keys);
    const opened = await other.open(stored);
    expect(opened[2]).toMatchObject({ revision: 2n, position: 102n, stream: 'room-r1', data: { text: 'Message 2' } });
    expect(await other.open(stored)).toEqual(opened);
    expect(await sealing.open(stored)).toEqual(opened);
  });

  it('asks for keys only where it must', async () => {
    const keys = new KeysInMemory();
    const stored = store(await new Sealer(keys).seal('room-r1', 0n, null, drafts(3)));
    const sealer = new Sealer(keys);
    await sealer.open(stored.slice(0, 2));
    const asked = keys.asked;
    await sealer.open(stored.slice(0, 2));
    expect(keys.asked).toBe(asked);
    await sealer.open(stored);
    expect(keys.asked).toBe(asked + 1);
    expect(await sealer.open([])).toEqual([]);
    expect(keys.asked).toBe(asked + 1);
  });

  it('remembers fewer events when they are long', async () => {
    const keys = new KeysInMemory();
    const long = drafts(1_000, { data: { messageId: 'm', text: 'x'.repeat(20_000), replyTo: null, kind: 'text' } });
    const stored = store(await new Sealer(keys).seal('room-r1', 0n, null, long));
    const sealer = new Sealer(keys);
    await openByPages(sealer, stored);
    const asked = keys.asked;
    await sealer.open(stored.slice(-250));
    expect(keys.asked).toBe(asked);
    await sealer.open(stored.slice(0, 1));
    expect(keys.asked).toBe(asked + 1);
  });

  it('gives null for what is personal once the key is destroyed', async () => {
    const keys = new KeysInMemory();
    const stored = store(await new Sealer(keys).seal('room-r1', 0n, null, drafts(2)));
    keys.keys.clear();
    expect(texts(await new Sealer(keys).open(stored))).toEqual([null, null]);
  });
});

describe('the key of one event', () => {
  const stream = 'room-r1';
  const sealed = async (keys: KeysInMemory) =>
    store(await new Sealer(keys).seal(stream, 0n, null, drafts(1)))[0] as StoredEvent;

  it('opens the event, and no other', async () => {
    const keys = new KeysInMemory();
    const [first, second] = store(await new Sealer(keys).seal(stream, 0n, null, drafts(2))) as [
      StoredEvent,
      StoredEvent,
    ];
    const own = await new Sealer(keys).ownKey(first);
    expect(tryToOpen(first, own, peek(first.sealed))).toMatchObject({ data: { text: 'Message 0' } });
    expect(tryToOpen(second, own, peek(second.sealed))).toBeNull();
  });

  it('is the one that was kept where the whole key was taken apart', async () => {
    const keys = new KeysInMemory();
    const event = await sealed(keys);
    const own = (await new Sealer(keys).ownKey(event)) as Buffer;
    for (const name of keys.keys.keys()) keys.keys.set(name, randomBytes(32));
    expect(await new Sealer(keys).ownKey(event)).toBeNull();
    keys.ofEvents.set(peek(event.sealed).id, own);
    expect(await new Sealer(keys).ownKey(event)).toEqual(own);
  });

  it('is given to nobody while the event is hidden, even if that began meanwhile', async () => {
    const keys = new KeysInMemory();
    const event = await sealed(keys);
    const sealer = new Sealer(keys);
    const asked = sealer.ownKey(event);
    sealer.shield('e1', () => true);
    expect(await asked).toBeNull();
    expect(await sealer.ownKey(event)).toBeNull();
    sealer.unshield('e1');
    expect(await sealer.ownKey(event)).not.toBeNull();
  });
});

describe('with more events than it remembers, a sealer', () => {
  const keys = new KeysInMemory();
  let stored: StoredEvent[];
  beforeAll(async () => {
    stored = store(await new Sealer(keys).seal('room-r1', 0n, null, drafts(MANY)));
  });

  it('opens all of them at a time', async () => {
    const opened = await new Sealer(keys).open(stored);
    expect(texts(opened)).toEqual(drafts(MANY).map((_, i) => `Message ${i}`));
    expect(opened.map(({ revision }) => revision)).toEqual(stored.map(({ revision }) => revision));
  });

  it('has forgotten the first of them', async () => {
    const sealer = new Sealer(keys);
    await openByPages(sealer, stored);
    const asked = keys.asked;
    await sealer.open(stored.slice(-100));
    expect(keys.asked).toBe(asked);
    await sealer.open(stored.slice(0, 100));
    expect(keys.asked).toBe(asked + 1);
  });

  it('does not remember what is read in passing', async () => {
    const sealer = new Sealer(keys);
    await sealer.open(stored.slice(0, 500));
    await sealer.open(stored, { passing: true });
    const asked = keys.asked;
    await sealer.open(stored.slice(0, 500));
    expect(keys.asked).toBe(asked);
    await sealer.open(stored.slice(-100));
    expect(keys.asked).toBe(asked + 1);
  });

  it('loses nothing when new ones push those out that it knew', async () => {
    const sealer = new Sealer(keys);
    await sealer.open(stored.slice(0, 100));
    const [all, first] = await Promise.all([sealer.open(stored), sealer.open(stored.slice(0, 100))]);
    expect(texts(all)).not.toContain(null);
    expect(texts(first)).toEqual(texts(all).slice(0, 100));
  });
});
