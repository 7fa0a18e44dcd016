import { Client, type ClientOptions, type LiveEvent, type SavedSession } from '@verbatim/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CuttingProxy } from '../../../../../libs/event-store/src/postgres/cutting-proxy.testing.js';
import { freshName, password } from '../harness/test-client.testing.js';
import { startTestService, type TestService } from '../harness/test-service.testing.js';

/** The client against two replicas of the real service, over lines that can be cut. */
let left: TestService;
let right: TestService;
let toLeft: CuttingProxy;
let toRight: CuttingProxy;
const clients: Client[] = [];

beforeAll(async () => {
  left = await startTestService();
  right = await startTestService({ beside: left });
  toLeft = await CuttingProxy.open(left.url);
  toRight = await CuttingProxy.open(right.url);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await toLeft.close();
  await toRight.close();
  await right.stop();
  await left.stop();
});

/** Somebody new, at these servers; without any, at the left one. */
async function person(servers = [left.url], options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = new Client({ servers, backoff: { first: 20, most: 200 }, ...options });
  clients.push(client);
  await client.register({ username: freshName(), password });
  return client;
}

async function roomOf(owner: Client, ...others: Client[]): Promise<string> {
  const { id } = await owner.call('createRoom', { body: { name: freshName() } });
  for (const other of others) {
    await owner.call('addMember', { params: { id }, body: { userId: other.user!.id } });
  }
  return id;
}

/** Everything that is stored of a room. */
async function stored(client: Client, room: string): Promise<LiveEvent[]> {
  const events: LiveEvent[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { limit: 200, ...(cursor && { cursor }) };
    const { items, page } = await client.call('listEvents', { params: { id: room }, query });
    events.push(...items);
    cursor = page.next;
  }
  return events;
}

const revisionsOf = (events: readonly LiveEvent[]) => events.map(({ revision }) => revision);
const upTo = (last: number) => Array.from({ length: last + 1 }, (_, i) => i);

/** Follows into a list, and waits in it. */
function listen(client: Client, room: string, after?: number) {
  const events: LiveEvent[] = [];
  let heard: () => void = () => undefined;
  const errors: unknown[] = [];
  const following = client.follow(room, {
    ...(after !== undefined && { after }),
    onEvents: (more) => {
      events.push(...more);
      heard();
    },
    onError: (error) => {
      errors.push(error);
      heard();
    },
    onRemoved: (reason) => {
      errors.push(reason);
      heard();
    },
  });
  const until = async (condition: () => boolean) => {
    const late = Date.now() + 20_000;
    while (!condition()) {
      if (Date.now() > late) throw new Error(`It did not come; heard ${revisionsOf(events).slice(-5)}, ${errors}`);
      await new Promise<void>((resolve) => {
        heard = resolve;
        setTimeout(resolve, 100);
      });
    }
  };
  return {
    events,
    errors,
    following,
    until,
    reached: (revision: number) => until(() => events.at(-1)?.revision === revision),
  };
}

describe('posting and following', () => {
  it('survives cut connections: nothing is lost, nothing comes twice', async () => {
    const ada = await person([toLeft.url, toRight.url]);
    const bob = await person([toRight.url, toLeft.url]);
    const room = await roomOf(ada, bob);
    const heard = [listen(ada, room, -1), listen(bob, room, -1)];
    await Promise.all(heard.map(({ following }) => following.ready()));

    let cuts = 0;
    const cutting = setInterval(() => [toLeft, toRight][cuts++ % 2]!.cutAll(), 150);
    const posts = await Promise.all(
      [ada, bob, ada, bob].map(async (client, writer) => {
        const posted = [];
        for (let i = 0; i < 100; i++) posted.push(await client.post(room, `${writer}: ${i}`));
        return posted;
      }),
    ).finally(() => clearInterval(cutting));

    const events = await stored(ada, room);
    expect(cuts).toBeGreaterThan(5);
    expect(revisionsOf(events)).toEqual(upTo(402));
    const messages = events.filter(({ type }) => type === 'MessagePosted');
    expect(
      posts
        .flat()
        .map(({ id, revision }) => [id, revision])
        .sort(),
    ).toEqual(messages.map(({ data, revision }) => [(data as { messageId: string }).messageId, revision]).sort());
    // What one writer waited for is in the order in which they wrote.
    for (const [writer, posted] of posts.entries()) {
      expect(
        posted.map(({ revision }) => revision),
        `${writer}`,
      ).toEqual(posted.map(({ revision }) => revision).sort((a, b) => a - b));
    }
    for (const { events: received, reached } of heard) {
      await reached(402);
      expect(received).toEqual(
        events.map(({ revision, type, at, actor, data }) => ({ revision, type, at, actor, data })),
      );
    }
  }, 60_000);

  it.each(['before the request', 'after the request', 'before the answer'] as const)(
    'posts a message once when the line is cut %s',
    async (cut) => {
      const ada = await person([toLeft.url, toRight.url]);
      const room = await roomOf(ada);
      // Nothing is followed, so it goes over REST, where the proxy can read what it cuts.
      toLeft.cutNext('a very important', cut);
      const { id, revision } = await ada.post(room, 'a very important message');
      const events = await stored(ada, room);
      expect(events.slice(2)).toMatchObject([{ revision, data: { messageId: id } }]);
      expect(await ada.post(room, 'a very important message', { id })).toMatchObject({ id, revision, duplicate: true });
      await expect(ada.post(room, 'another one', { id })).rejects.toMatchObject({ code: 'duplicate_id' });
    },
  );

  it('moves to the other replica when one ends in good order', async () => {
    const third = await startTestService({ beside: left });
    const ada = await person([third.url, right.url]);
    const room = await roomOf(ada);
    const { reached, events } = listen(ada, room, -1);
    await reached(1);
    const [, ...posted] = await Promise.all([
      third.stop(),
      ...Array.from({ length: 50 }, (_, i) => ada.post(room, `while it ends ${i}`)),
    ]);
    await reached(51);
    expect(revisionsOf(events)).toEqual(upTo(51));
    expect(new Set(posted.map(({ id }) => id)).size).toBe(50);
    await expect.poll(() => ada.state).toBe('online');
  });

  it('reads the own posts at once, on whichever replica', async () => {
    const ada = await person([left.url]);
    const elsewhere = new Client({ servers: [right.url] });
    clients.push(elsewhere);
    const room = await roomOf(ada);
    listen(ada, room);
    await expect.poll(() => ada.state).toBe('online');
    for (let i = 0; i < 20; i++) {
      const { id } = await ada.post(room, `message ${i}`);
      const { items } = await ada.call('listMessages', { params: { id: room }, query: { limit: 1 } });
      expect(items[0]!.id).toBe(id);
    }
  });

  it('has a slow reader get everything, and the server stop in between', async () => {
    let stops = 0;
    class WatchedSocket extends WebSocket {
      override send(data: string): void {
        if (data.includes('"unfollow"')) stops += 1;
        super.send(data);
      }
    }
    const ada = await person();
    const reader = await person([right.url], { WebSocket: WatchedSocket });
    const room = await roomOf(ada, reader);
    ada.connect();
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => ada.post(room, `message ${i}`)));
    const more = (async () => {
      for (let i = 0; i < 200; i++) await ada.post(room, `later message ${i}`);
    })();
    const received: number[] = [];
    for await (const { revision } of reader.follow(room, { after: -1, buffer: 100 })) {
      received.push(revision);
      if (revision % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      if (revision === 1_202) break;
    }
    await more;
    expect(received).toEqual(upTo(1_202));
    expect(stops).toBeGreaterThan(3);
  });
});

describe('a room', () => {
  it('that one is removed from is followed to the removal, and no further', async () => {
    const [ada, bob] = [await person(), await person([right.url])];
    const room = await roomOf(ada, bob);
    const { events, errors, until, following } = listen(bob, room, -1);
    await following.ready();
    await ada.call('removeMember', { params: { id: room, userId: bob.user!.id } });
    await ada.post(room, 'among ourselves');
    await until(() => errors.length > 0);
    expect(errors).toEqual(['removed']);
    expect(events.at(-1)?.type).toBe('MemberRemoved');
    await expect(bob.post(room, 'am I still here?')).rejects.toMatchObject({ code: 'not_a_member' });
    const refused = listen(bob, room, -1);
    await refused.until(() => refused.errors.length > 0);
    expect(refused.errors).toMatchObject([{ name: 'VerbatimError', code: 'not_a_member' }]);
  });

  it('shows a newcomer only what came since, where it is set so', async () => {
    const [ada, bob] = [await person(), await person()];
    const { id: room } = await ada.call('createRoom', {
      body: { name: freshName(), visibility: 'private', history: 'joined' },
    });
    for (let i = 0; i < 3; i++) await ada.post(room, `before ${i}`);
    await ada.call('addMember', { params: { id: room }, body: { userId: bob.user!.id } });
    const { events, reached } = listen(bob, room, -1);
    const { revision } = await ada.post(room, 'after');
    await reached(revision);
    expect(revisionsOf(events)).toEqual([5, 6]);
  });

  it('says who is typing', async () => {
    const [ada, bob] = [await person(), await person()];
    const room = await roomOf(ada, bob);
    const writing = new Promise((resolve) => bob.follow(room, { onTyping: ({ user }) => resolve(user.id) }));
    const following = ada.follow(room);
    await following.ready();
    const again = setInterval(() => ada.typing(room), 100);
    expect(await writing).toBe(ada.user!.id);
    clearInterval(again);
  });
});

describe('a session', () => {
  /** The same session at a moment when its access token should be renewed, or can be used no more. */
  const aged = (saved: SavedSession, what: 'renewAt' | 'expiresAt'): SavedSession => ({
    ...saved,
    renewAt: 0,
    [what]: 0,
  });

  it('is renewed in time, once for all calls that need it', async () => {
    const ada = await person();
    for (const what of ['renewAt', 'expiresAt'] as const) {
      const before = aged(ada.savedSession!, what);
      ada.restore(before);
      await Promise.all(Array.from({ length: 20 }, () => ada.call('getMe')));
      expect(ada.savedSession!.refreshToken).not.toBe(before.refreshToken);
      expect(ada.savedSession!.expiresAt).toBeGreaterThan(Date.now());
    }
  });

  it('is renewed when its access token is refused before its time', async () => {
    const ada = await person();
    ada.restore({ ...ada.savedSession!, accessToken: 'not.a.token' });
    await Promise.all(Array.from({ length: 20 }, () => ada.call('getMe')));
    expect(ada.savedSession!.accessToken).not.toBe('not.a.token');
  });

  it('is not lost with the answer to its renewal, as long as its access token is good', async () => {
    const ada = await person([toLeft.url]);
    ada.restore(aged(ada.savedSession!, 'renewAt'));
    toLeft.cutNext('/v1/auth/refresh', 'before the answer');
    for (let i = 0; i < 5; i++) await ada.call('getMe');
    expect(ada.user).not.toBeNull();
  });

  it('continues after a restart of the client', async () => {
    const ada = await person();
    const saved = JSON.parse(JSON.stringify(ada.savedSession)) as SavedSession;
    ada.close();
    const again = new Client({ servers: [right.url] });
    clients.push(again);
    again.restore(saved);
    expect(await again.call('getMe')).toMatchObject({ id: saved.user.id });
  });

  it('ends with signing out, and everything that was followed', async () => {
    const ada = await person();
    const { accessToken } = ada.savedSession!;
    const room = await roomOf(ada);
    const { errors, following, until } = listen(ada, room);
    await following.ready();
    await ada.signOut();
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'unauthenticated' }]);
    expect([ada.user, ada.state]).toEqual([null, 'offline']);
    await expect(ada.call('getMe')).rejects.toMatchObject({ code: 'unauthenticated' });
    const me = await fetch(`${left.url}/v1/me`, { headers: { authorization: `Bearer ${accessToken}` } });
    expect(me.status).toBe(401);
  });

  it('that is taken away ends what is followed; with credentials at hand, nobody notices', async () => {
    const bare = await person([right.url]);
    const credentials = { username: bare.user!.username, password };
    const armed = new Client({ servers: [right.url], credentials: () => credentials });
    clients.push(armed);
    const room = await roomOf(armed);
    const [first, second] = [listen(bare, room, -1), listen(armed, room, -1)];
    await Promise.all([first.following.ready(), second.following.ready()]);
    const revoked = [bare, armed].map((client) => client.savedSession!.accessToken);
    for (const token of revoked) {
      await fetch(`${left.url}/v1/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    }
    await first.until(() => first.errors.length > 0);
    expect(first.errors).toMatchObject([{ code: 'unauthenticated' }]);
    expect(bare.user).toBeNull();

    const { revision } = await armed.post(room, 'still here');
    await second.reached(revision);
    expect(revisionsOf(second.events)).toEqual(upTo(revision));
    expect(revoked).not.toContain(armed.savedSession!.accessToken);
  });
});

describe('what cannot be reached', () => {
  it('is retried until the deadline, and then reported', async () => {
    const ada = await person([toLeft.url]);
    const room = await roomOf(ada);
    toLeft.refuse('resets', 3_000);
    await expect(ada.call('getMe', {}, { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    const posting = ada.post(room, 'late', { deadlineMs: 500 });
    await expect(posting).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    const { id } = await posting.catch((error) => error);
    const { revision } = await ada.post(room, 'late', { id });
    expect((await stored(ada, room)).slice(2)).toMatchObject([{ revision, data: { messageId: id } }]);
  });
});
