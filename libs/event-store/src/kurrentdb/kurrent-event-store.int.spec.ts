import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { streamCategories } from '@verbatim/domain';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCertificates } from '../certificates.testing.js';
import { recordFrom, wholeLog } from '../commotion.testing.js';
import { eventStoreContract, type Opened } from '../event-store.contract.testing.js';
import { type NewEvent, NO_STREAM, StoreUnavailable } from '../event-store.js';
import { readConnection } from './connection-string.js';
import { KurrentClient } from './kurrent-client.js';
import { KurrentEventStore } from './kurrent-event-store.js';
import { LogReader } from './log-reader.js';
import { type ReadRefusal, StandIn } from './stand-in.testing.js';
import type { Kept } from './stand-in-log.testing.js';
import { StreamNames } from './stream-names.js';

/** How long an append may take, in milliseconds. The service waits longer; here faults should not take minutes. */
const IMPATIENT = 1_500;

eventStoreContract('kurrentdb stand-in', async () => {
  const standIn = await StandIn.start();
  return {
    ...(await openAt(standIn.url, IMPATIENT)),
    faults: {
      'an append is passed over': () => standIn.failNextAppend('passed over'),
      'the answer to an append never comes': () => standIn.failNextAppend('answer lost'),
      'the call is lost before the answer to an append': () => standIn.failNextAppend('call lost'),
      'an append is answered when it has been given up': () => standIn.answerLate(IMPATIENT + 500),
      'the subscriptions are dropped': () => standIn.dropSubscriptions(),
      'events are delivered twice': () => standIn.duplicate(),
      'the server refuses everything for a second': () => standIn.refuse(1_000),
      'the server is away for a second': () => standIn.restart(1_000),
    },
    cleanUp: async () => standIn.stop(),
  };
});

// A real server: KURRENTDB_URL='kurrentdb://127.0.0.1:2113?tls=false' npm run test:kurrentdb
const { KURRENTDB_URL } = process.env;
if (KURRENTDB_URL) eventStoreContract('kurrentdb', () => openAt(KURRENTDB_URL));

/** A separate log for each test, even on a shared server. */
async function openAt(url: string, appendAnswer?: number): Promise<Opened> {
  const open = (prefix: string) => KurrentEventStore.open({ url, prefix, appendAnswer });
  const prefix = `test-${randomUUID()}.`;
  return { store: await open(prefix), openSecond: () => open(prefix) };
}

describe('event store: kurrentdb, in particular', () => {
  let standIn: StandIn;
  let store: KurrentEventStore;
  const onReconnect = vi.fn();

  beforeEach(async () => {
    standIn = await StandIn.start();
    store = await KurrentEventStore.open({ url: standIn.url, onReconnect, appendAnswer: IMPATIENT });
    onReconnect.mockClear();
  });

  afterEach(async () => {
    await store.close();
    standIn.stop();
  });

  it('when its very first read finds the server away, then it reads when the server is back', async () => {
    standIn.stop();
    const client = new KurrentClient(readConnection(standIn.url), 5_000);
    const reader = new LogReader(client, new StreamNames(''));
    await expect(reader.head()).rejects.toThrow();
    await standIn.listen();
    expect(await reader.head()).toBe(-1n);
    client.close();
  });

  it('given no server, then it does not open', async () => {
    standIn.stop();
    await expect(KurrentEventStore.open({ url: standIn.url })).rejects.toThrow();
  });

  it('when something is appended while the server is away, then it is stored when it is back', async () => {
    standIn.stop();
    const appended = store.append('room-1', NO_STREAM, [event()]);
    await new Promise((resolve) => setImmediate(resolve));
    await standIn.listen();
    expect(await appended).toMatchObject({ revision: 0n });
  });

  it.each(['kurrentdb:', 'kurrentdb+discover:'])(
    'given %s, when connections are lost under many large appends, then all are stored once and no error is left behind',
    async (scheme) => {
      const large = 'x'.repeat(100_000);
      const busy = await KurrentEventStore.open({ url: standIn.url.replace('kurrentdb:', scheme) });
      for (let round = 0; round < 3; round++) {
        const stream = (i: number) => `room-${round}-${i}`;
        const appends = Array.from({ length: 150 }, (_, i) => busy.append(stream(i), NO_STREAM, [event(large)]));
        if (round > 0) await Promise.race(appends);
        standIn.stop();
        await standIn.listen();
        for (const { revision } of await Promise.all(appends)) expect(revision).toBe(0n);
      }
      expect(await wholeLog(store)).toHaveLength(450);
      await busy.close();
    },
  );

  it('when an answer is lost and another append comes on top, then the first still gets its own revision and position', async () => {
    standIn.failNextAppend('answer lost');
    const first = store.append('room-1', NO_STREAM, [event(), event()]);
    const stored = await vi.waitFor(() => {
      const events = standIn.log.readStream('room-1', 0n, true, 10);
      if (!Array.isArray(events) || events.length < 2) throw new Error('not yet');
      return events;
    });
    const second = await KurrentEventStore.open({ url: standIn.url });
    await second.append('room-1', 1n, [event()]);
    expect(await first).toEqual({ revision: 1n, position: stored[1]?.position });
    await second.close();
  });

  it('keeps the bytes that were hashed, also those of texts that are no JSON, and the hash beside them', async () => {
    const texts = ['{ "a" : 1.0, "a": 2 }', '\ufeff{}', 'no JSON', '', '"\\u00e4"', '12345678901234567890'];
    for (const [i, text] of texts.entries()) await store.append('room-1', BigInt(i - 1), [event(text)]);
    const heard = await recordFrom(store, -1n);
    await heard.subscription.reached(await store.head());
    for (const events of [await store.read('room-1', 0n, 10), heard.events])
      expect(events.map(({ sealed }) => sealed)).toEqual(texts);
    const kept = standIn.log.readStream('room-1', 0n, true, 10) as Kept[];
    expect(kept.map(({ data }) => Buffer.from(data))).toEqual(texts.map((text) => Buffer.from(text)));
    for (const { metadata } of kept) expect(`${Buffer.from(metadata)}`).toBe(`{"hash":"${event().hash}"}`);
  });

  it('when its subscription is dropped, then it subscribes again and misses nothing', async () => {
    const heard = await recordFrom(store, -1n);
    await vi.waitFor(() => expect(standIn.subscribers).toBe(1), 10_000);
    standIn.dropSubscriptions();
    const { position } = await store.append('room-1', NO_STREAM, [event()]);
    await vi.waitFor(() => expect(standIn.subscribers).toBe(1), 10_000);
    await heard.subscription.reached(position);
    expect(heard.events).toHaveLength(1);
    expect(onReconnect).toHaveBeenCalled();
  });

  it('has one subscription for all who subscribe', async () => {
    await Promise.all([recordFrom(store, -1n), recordFrom(store, 'end'), recordFrom(store, -1n)]);
    const { position } = await store.append('room-1', NO_STREAM, [event()]);
    const last = await recordFrom(store, -1n);
    await last.subscription.reached(position);
    await vi.waitFor(() => expect(standIn.subscribers).toBe(1), 10_000);
  });

  it('given streams of every category, then all are part of the log', async () => {
    const heard = await recordFrom(store, -1n);
    for (const category of streamCategories) await store.append(`${category}-1`, NO_STREAM, [event()]);
    expect(await store.readAll(0n, 10)).toHaveLength(streamCategories.length);
    await heard.subscription.reached(await store.head());
    expect(heard.events.map(({ stream }) => stream)).toEqual(streamCategories.map((category) => `${category}-1`));
  });

  it('given other streams on the server, then they are no part of the log', async () => {
    const heard = await recordFrom(store, -1n);
    const other = { contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
    standIn.log.append('order-1', 'any', [{ ...other, id: randomUUID(), type: 'OrderPlaced' }]);
    expect(await store.head()).toBe(-1n);
    const { position } = await store.append('user-1', NO_STREAM, [event()]);
    standIn.log.append('order-1', 'any', [{ ...other, id: randomUUID(), type: 'OrderPlaced' }]);
    expect(await store.head()).toBe(position);
    expect(await store.readAll(0n, 10)).toHaveLength(1);
    await heard.subscription.reached(position);
    expect(heard.events).toHaveLength(1);
    await expect(store.append('order-1', 0n, [event()])).rejects.toBeInstanceOf(RangeError);
  });

  it('when a stream was deleted for good, then an append to it fails instead of being tried for ever', async () => {
    await store.append('room-1', NO_STREAM, [event()]);
    standIn.log.tombstone('room-1');
    await expect(store.append('room-1', 0n, [event()])).rejects.toMatchObject({ type: 'stream-deleted' });
    await expect(store.read('room-1', 0n, 1)).rejects.toMatchObject({ type: 'stream-deleted' });
  });

  it('when somebody deleted a stream, then it is empty', async () => {
    await store.append('room-1', NO_STREAM, [event()]);
    standIn.log.delete('room-1');
    expect(await store.read('room-1', 0n, 1)).toEqual([]);
    expect(await store.readLast('room-1')).toBeNull();
  });

  it('finds a cluster by one of its nodes', async () => {
    const url = standIn.url.replace('kurrentdb:', 'kurrentdb+discover:');
    const discovering = await KurrentEventStore.open({ url });
    const heard = await recordFrom(discovering, 'end');
    const { position } = await discovering.append('room-1', NO_STREAM, [event()]);
    await heard.subscription.reached(position);
    expect(await discovering.readLast('room-1')).toEqual(heard.events[0]);
    await discovering.close();
  });

  it('given two servers in one process, then each has what was appended to it', async () => {
    const other = await StandIn.start();
    const elsewhere = await KurrentEventStore.open({ url: other.url });
    await Promise.all([store.append('room-1', NO_STREAM, [event()]), elsewhere.append('room-2', NO_STREAM, [event()])]);
    expect((await store.readAll(0n, 10)).map(({ stream }) => stream)).toEqual(['room-1']);
    expect((await elsewhere.readAll(0n, 10)).map(({ stream }) => stream)).toEqual(['room-2']);
    await elsewhere.close();
    other.stop();
  });

  describe('when reads are refused while appends go on', () => {
    const refusals: ReadRefusal[] = ['not ready', 'too late', 'silent', 'access denied', 'not signed in', 'no leader'];

    it.each(refusals)(
      '%s: then it says within two seconds that it is not available, and reads when it is',
      async (how) => {
        await store.append('room-1', NO_STREAM, [event()]);
        standIn.refuseReads(how);
        const appended = await store.append('room-2', NO_STREAM, [event()]);
        expect(appended.revision).toBe(0n);
        for (const read of [() => store.read('room-1', 0n, 10), () => store.readLast('room-1'), () => store.head()]) {
          const asked = performance.now();
          await expect(read()).rejects.toBeInstanceOf(StoreUnavailable);
          expect(performance.now() - asked).toBeLessThan(3_000);
        }
        standIn.refuseReads(null);
        await vi.waitFor(async () => expect(await store.read('room-1', 0n, 10)).toHaveLength(1), 10_000);
      },
    );

    it('and no node leads, then it says so when it looks for one', async () => {
      const url = standIn.url.replace('kurrentdb:', 'kurrentdb+discover:');
      const discovering = await KurrentEventStore.open({ url, appendAnswer: IMPATIENT });
      standIn.loseLeader();
      standIn.stop();
      await standIn.listen();
      await expect(discovering.read('room-1', 0n, 10)).rejects.toBeInstanceOf(StoreUnavailable);
      const appended = discovering.append('room-1', NO_STREAM, [event()]);
      standIn.loseLeader(false);
      expect(await appended).toMatchObject({ revision: 0n });
      await vi.waitFor(async () => expect(await discovering.read('room-1', 0n, 10)).toHaveLength(1), 10_000);
      await discovering.close();
    });
  });

  it.each(['throwOnAppendFailure=false', 'gossipTimeout=5', 'gossip-timeout=5'])(
    'given %s in the connection string, then it refuses to open',
    async (option) => {
      const url = `${standIn.url}&${option}`;
      await expect(KurrentEventStore.open({ url })).rejects.toMatchObject({ name: 'UnsafeConnection' });
    },
  );
});

describe('event store: kurrentdb, credentials', () => {
  const caFile = join(mkdtempSync(join(tmpdir(), 'verbatim-ca-')), 'ca.pem');
  writeFileSync(caFile, testCertificates.authority);
  afterAll(() => rmSync(dirname(caFile), { recursive: true }));

  const passwords: Record<string, string> = {
    'letters and digits': 'changeit1',
    'an @': 'p@ss',
    'a +': 'p+w',
    'an umlaut': 'pü',
    'other scripts and an emoji': '密码รหัส🔑',
    'a colon': 'a:b:c',
    'a slash': 'a/b//c',
    'a question mark and ampersands': 'a?b=c&d',
    'a #': 'a#b',
    'a percent sign': '100%',
    'what looks encoded': 'p%40ss',
    'spaces and quotes': ` a "b" 'c' `,
    'brackets, a comma and a backslash': '[a],{b}\\c',
  };

  it.each(Object.entries(passwords))(
    'given a password with %s, then every call is made with it',
    async (_, password) => {
      const standIn = await StandIn.start({ tls: true, users: { 'ops@ex': { password, admin: true } } });
      const userInfo = `${encodeURIComponent('ops@ex')}:${encodeURIComponent(password)}`;
      await useAll(`kurrentdb://${userInfo}@127.0.0.1:${standIn.port}?tlsCaFile=${encodeURIComponent(caFile)}`);
      const methods = new Set(standIn.authorizations.map(({ method }) => method.split('/').at(-1)));
      expect(methods).toEqual(new Set(['Read', 'BatchAppend']));
      const expected = `Basic ${Buffer.from(`ops@ex:${password}`).toString('base64')}`;
      expect(new Set(standIn.authorizations.map(({ header }) => header))).toEqual(new Set([expected]));
      standIn.stop();
    },
  );

  it.each(['p@ss', 'p%ss', 'p+w', 'pü', 'p%zz@x'])(
    'given %s as it is in the URL, then that is the password',
    async (password) => {
      const standIn = await StandIn.start({ tls: true, users: { ops: { password, admin: true } } });
      await useAll(`kurrentdb://ops:${password}@127.0.0.1:${standIn.port}?tlsCaFile=${caFile}`);
      standIn.stop();
    },
  );

  it('given none, then no call has any', async () => {
    const standIn = await StandIn.start({ tls: true });
    await useAll(`kurrentdb://127.0.0.1:${standIn.port}?tlsCaFile=${caFile}`);
    expect(standIn.authorizations).toEqual([]);
    standIn.stop();
  });

  it('given a server without TLS, then they do no harm', async () => {
    const standIn = await StandIn.start();
    await useAll(standIn.url.replace('//', '//ops:p%40ss@'));
    standIn.stop();
  });

  /** Goes through both halves of the client, by all calls that the adapter makes. */
  async function useAll(url: string): Promise<void> {
    const store = await KurrentEventStore.open({ url });
    const heard = await recordFrom(store, -1n);
    const { position } = await store.append('room-1', NO_STREAM, [event()]);
    await heard.subscription.reached(position);
    expect(await store.read('room-1', 0n, 10)).toHaveLength(1);
    expect(await store.readLast('room-1')).not.toBeNull();
    expect(await store.readAll(position, 10)).toHaveLength(1);
    await vi.waitFor(async () => expect(await store.head()).toBe(position));
    await store.close();
  }
});

function event(sealed = '{}'): NewEvent {
  return { id: randomUUID(), type: 'SomethingHappened', sealed, hash: '0'.repeat(64) };
}
