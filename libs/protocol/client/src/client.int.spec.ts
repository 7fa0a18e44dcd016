import type { LiveEvent } from '@verbatim/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { Client, type ClientOptions } from './client.js';
import type { FollowOptions } from './following.js';
import { type Asked, happened, refusal, ScriptedServer, say, session, until } from './scripted-server.testing.js';
import { OutcomeUnknown, TooFarBehind, VerbatimError } from './verbatim-error.js';

/** How the client bears with servers and networks that do not behave; the real service is asked in apps/api/src/client. */
let one: ScriptedServer;
let two: ScriptedServer;
let client: Client;

const room = '01985f6e-7a2c-7000-8000-0000000000b0';
const credentials = { username: 'ada', password: 'correct horse' };

async function meet(options: Partial<ClientOptions> = {}): Promise<Client> {
  client.close();
  client = new Client({ servers: [one.url, two.url], backoff: { first: 10, most: 50 }, silenceMs: 1_500, ...options });
  await client.signIn(credentials);
  return client;
}

beforeEach(async () => {
  [one, two] = [await ScriptedServer.start(), await ScriptedServer.start()];
  client = new Client({ servers: [one.url] });
  await meet();
});
afterEach(async () => {
  client.close();
  await one.stop();
  await two.stop();
});

/** Has `answer` said to each `follow` in turn, and the last of them to all further ones. */
function answerFollows(server: ScriptedServer, ...answers: ((frame: Asked, socket: WebSocket) => void)[]): void {
  let turn = 0;
  server.hears = (frame, socket) => {
    if (frame.event === 'follow') answers[Math.min(turn++, answers.length - 1)]?.(frame, socket);
  };
}

/** Accepts following, and sends these revisions, frame by frame. */
const agree =
  (revision: number, ...frames: number[][]) =>
  ({ ref }: Asked, socket: WebSocket) => {
    say(socket, 'following', { room, revision, recovered: true }, ref);
    for (const revisions of frames) say(socket, 'events', { room, events: happened(...revisions) });
  };

const follows = (server: ScriptedServer) => server.frames.filter(({ event }) => event === 'follow');

/** Leaves as many posts unanswered as are sent at a time; what is returned answers them. */
async function busyWith32Posts(): Promise<() => void> {
  const asked: (() => void)[] = [];
  one.hears = ({ event, ref, data }, socket) => {
    if (event === 'post') asked.push(() => say(socket, 'ack', { revision: 1, position: 1, id: data.id }, ref));
  };
  client.connect();
  await until(() => client.state === 'online');
  const posts = Array.from({ length: 32 }, (_, i) => client.post(room, `${i}`));
  await until(() => asked.length === 32);
  return () => {
    for (const answer of asked) answer();
    void Promise.all(posts);
  };
}

/** Resolves when the server has heard all that the client had to send so far. */
async function settled(): Promise<void> {
  const heard = one.frames.length;
  one.answers = () => [200, session];
  await client.call('getAbout', {}).catch(() => undefined);
  await until(() => one.frames.length >= heard);
}

function listen(options: FollowOptions = {}) {
  const heard: number[] = [];
  const errors: unknown[] = [];
  const following = client.follow(room, {
    onEvents: (events) => void heard.push(...events.map(({ revision }) => revision)),
    onError: (error) => void errors.push(error),
    ...options,
  });
  return { heard, errors, following };
}

describe('following', () => {
  it('hands over each revision once, whatever the server repeats', async () => {
    answerFollows(one, agree(5, [0, 1], [1, 2], [0, 1, 2], [2, 3, 4], [5]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(5));
    expect(heard).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('takes nothing that comes behind a gap, but asks for what is missing', async () => {
    answerFollows(one, agree(5, [0, 1], [2, 4], [5]), agree(5, [3, 4, 5]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(5));
    expect(heard).toEqual([0, 1, 2, 3, 4, 5]);
    expect(follows(one).map(({ data }) => data.after)).toEqual([-1, 2]);
  });

  it('begins later where the reader may not see what was before', async () => {
    answerFollows(one, agree(9, [7, 8], [9]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(9));
    expect(heard).toEqual([7, 8, 9]);
  });

  it('does not mix up what was asked for before with what is asked for now', async () => {
    answerFollows(one, agree(3, [0, 3]), (frame, socket) => {
      say(socket, 'events', { room, events: happened(2, 3) });
      agree(3, [1, 2, 3])(frame, socket);
    });
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(3));
    expect(heard).toEqual([0, 1, 2, 3]);
  });

  it('resumes on another server after a loss, from now on where nothing had come yet', async () => {
    answerFollows(one, ({ ref }, socket) => {
      say(socket, 'following', { room, revision: 4, recovered: true }, ref);
      setTimeout(() => socket.terminate(), 20);
    });
    answerFollows(two, agree(6, [5, 6]));
    const { heard, following } = listen();
    await until(() => heard.includes(6));
    expect(follows(one)[0]?.data).toEqual({ room });
    expect(follows(two)[0]?.data).toEqual({ room, after: 4 });
    expect(following.revision).toBe(6);
  });

  it('ignores what it does not know: frames, types and fields of later versions', async () => {
    answerFollows(one, (frame, socket) => {
      for (const text of ['not json', '[]', 'null', '{"event":"confetti","data":{"room":1}}', '{"event":"events"}'])
        socket.send(text);
      agree(1)(frame, socket);
      if (follows(one).length === 1) say(socket, 'events', { room });
      const [event] = happened(0);
      say(socket, 'events', { room, more: 1, events: [{ ...event, type: 'MessageSung', data: { key: 'C' } }] });
      say(socket, 'events', { room, events: happened(1) });
    });
    const seen: LiveEvent[] = [];
    listen({ after: -1, onEvents: (events) => seen.push(...events) });
    await until(() => seen.length === 2);
    expect(seen[0]).toMatchObject({ type: 'MessageSung', data: { key: 'C' } });
  });

  it('waits for a server that has not received yet what another one sent', async () => {
    const behind = ({ ref }: Asked, socket: WebSocket) =>
      say(socket, 'following', { room, revision: 3, recovered: false }, ref);
    answerFollows(one, behind, behind, agree(5, [6]));
    const resets: unknown[] = [];
    const { heard } = listen({ after: 5, onReset: (reset) => resets.push(reset) });
    await until(() => heard.includes(6));
    expect([heard, resets]).toEqual([[6], []]);
  });

  const tooFar = ({ ref }: Asked, socket: WebSocket) =>
    say(socket, 'following', { room, revision: 900, recovered: false }, ref);

  it('reports a gap that is too long, in its place, and continues after it', async () => {
    answerFollows(one, agree(2, [1, 2, 4]), tooFar, agree(901, [901]));
    const heard: unknown[] = [];
    client.follow(room, {
      after: 0,
      onEvents: (events) => void heard.push(...events.map(({ revision }) => revision)),
      onReset: async ({ after, revision }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        heard.push({ after, revision });
      },
    });
    await until(() => heard.includes(901));
    expect(heard).toEqual([1, 2, { after: 2, revision: 900 }, 901]);
    expect(follows(one).map(({ data }) => data.after)).toEqual([0, 2, 900]);
  });

  it('ends rather than leave out a past that nobody asks about', async () => {
    answerFollows(one, tooFar);
    const { errors, following } = listen({ after: 0 });
    await until(() => errors.length > 0);
    expect(errors[0]).toBeInstanceOf(TooFarBehind);
    expect(errors[0]).toMatchObject({ room, after: 0, revision: 900 });
    expect(following.closed).toBe(true);
  });

  it('ends with a refusal, and asks again after one that may pass', async () => {
    const error = (code: string, retryable: boolean) => (frame: Asked, socket: WebSocket) =>
      say(socket, 'error', { code, title: 't', detail: 'd', retryable }, frame.ref);
    answerFollows(
      one,
      error('unavailable', true),
      error('internal', false),
      error('conflict', false),
      error('not_a_member', false),
    );
    const { errors } = listen({ after: 0 });
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'not_a_member' }]);
    expect(follows(one)).toHaveLength(4);
  });

  it('ends after the events before a removal', async () => {
    answerFollows(one, (frame, socket) => {
      agree(1, [0], [1])(frame, socket);
      say(socket, 'removed', { room, reason: 'removed' });
      say(socket, 'events', { room, events: happened(2) });
    });
    const heard: unknown[] = [];
    const following = client.follow(room, { after: -1, onRemoved: (reason) => heard.push(reason) });
    for await (const { revision } of following) heard.push(revision);
    expect(heard).toEqual([0, 1, 'removed']);
  });

  it('ends when a callback throws, and reports that to the client', async () => {
    answerFollows(one, agree(1, [0], [1]));
    const failure = new Error('a bug of the caller');
    const { errors, following } = listen({
      after: -1,
      onEvents: () => {
        throw failure;
      },
    });
    await until(() => errors.length > 0);
    expect([errors, following.revision, following.closed]).toEqual([[failure], -1, true]);
    await until(() => one.frames.some(({ event }) => event === 'unfollow'));
  });

  it('ends when a callback rejects that nothing waits for', async () => {
    answerFollows(one, (frame, socket) => {
      agree(0)(frame, socket);
      say(socket, 'typing', { room, user: { id: room, username: 'bob' } });
    });
    const failure = new Error('a bug of the caller');
    const { errors } = listen({ onTyping: () => Promise.reject(failure) });
    await until(() => errors.length > 0);
    expect(errors).toEqual([failure]);
  });

  it('that was closed hands over nothing more of what had come', async () => {
    answerFollows(one, agree(2, [0, 1, 2]));
    const following = client.follow(room, { after: -1 });
    const heard: number[] = [];
    for await (const { revision } of following) {
      heard.push(revision);
      following.close();
    }
    expect(heard).toEqual([0]);
  });

  it('that has ended is asked for no more', async () => {
    answerFollows(one, ({ ref }, socket) => {
      say(socket, 'following', { room, revision: 900_000, recovered: false }, ref);
    });
    const { errors } = listen({ after: 3 });
    await until(() => errors.length > 0);
    await settled();
    expect(follows(one)).toHaveLength(1);
  });

  it('that is closed before it was asked for is never asked for', async () => {
    const answerPosts = await busyWith32Posts();
    const following = client.follow(room, { after: -1 });
    following.close();
    await until(() => one.frames.some(({ event }) => event === 'unfollow'));
    answerPosts();
    await settled();
    expect(follows(one)).toEqual([]);
  });

  it('passes on who is there and who is writing', async () => {
    const user = { id: room, username: 'bob' };
    answerFollows(one, (frame, socket) => {
      agree(0)(frame, socket);
      say(socket, 'presence', { room, user, online: true });
      say(socket, 'typing', { room, user });
    });
    const heard: unknown[] = [];
    listen({ onPresence: (data) => heard.push(data), onTyping: (data) => heard.push(data) });
    await until(() => heard.length === 2);
    expect(heard).toEqual([
      { room, user, online: true },
      { room, user },
    ]);
  });

  it('of a room is done once at a time by a client', async () => {
    const first = client.follow(room);
    expect(() => client.follow(room.toUpperCase())).toThrow('followed already');
    first.close();
    client.follow(room).close();
  });

  it('asks the server to stop while its reader is slow, and for the rest when there is room again', async () => {
    // Whatever is requested, the server sends 400 events in frames of ten.
    one.hears = ({ event, ref, data }, socket) => {
      if (event !== 'follow') return;
      say(socket, 'following', { room, revision: 400, recovered: true }, ref);
      for (let next = data.after + 1; next <= 400; next += 10) {
        const revisions = Array.from({ length: 10 }, (_, i) => next + i).filter((revision) => revision <= 400);
        say(socket, 'events', { room, events: happened(...revisions) });
      }
    };
    const heard: number[] = [];
    for await (const { revision } of client.follow(room, { after: -1, buffer: 50 })) {
      heard.push(revision);
      if (revision % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (revision === 400) break;
    }
    expect(heard).toEqual(Array.from({ length: 401 }, (_, i) => i));
    // At most 50 events are buffered; more are requested when 25 are left.
    expect(follows(one).length).toBeGreaterThanOrEqual(8);
    const stops = one.frames.filter(({ event }) => event === 'unfollow').length;
    expect(stops).toBeGreaterThanOrEqual(follows(one).length - 1);
  });
});

describe('a connection', () => {
  it('that falls silent is left for another server', async () => {
    answerFollows(one, (frame, socket) => {
      agree(0, [0])(frame, socket);
      one.hears = null;
    });
    answerFollows(two, agree(1, [1]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(1), 3_000);
    expect(heard).toEqual([0, 1]);
  });

  it('that is only quiet is kept', async () => {
    answerFollows(one, agree(0, [0]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(0));
    await until(() => one.pings === 3);
    expect([one.sockets.length, two.sockets.length, client.state]).toEqual([1, 0, 'online']);
  });

  it('that is never welcomed is given up', async () => {
    one.welcomes = false;
    answerFollows(two, agree(0, [0]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(0), 3_000);
    expect(one.sockets).toHaveLength(1);
  });

  it('is moved when the server says that it will end, and keeps what is under way', async () => {
    one.hears = ({ event, ref }, socket) => {
      if (event !== 'post') return;
      say(socket, 'drain', { retryAfterMs: 300 });
      say(socket, 'ack', { revision: 3, position: 9, id: room }, ref);
    };
    client.connect();
    await until(() => client.state === 'online');
    expect(await client.post(room, 'hello', { id: room })).toEqual({
      id: room,
      revision: 3,
      position: 9,
      duplicate: false,
    });
    await until(() => two.sockets.length === 1);
    expect(one.sockets).toHaveLength(1);
  });

  it('comes back after the closings from which one may, and to the same server when it was too slow', async () => {
    for (const [code, sockets] of [
      [4008, [2, 0]],
      [4009, [1, 1]],
      [4001, [1, 1]],
      [1013, [1, 1]],
      [4029, [1, 1]],
    ] as const) {
      await meet();
      const before = [one.sockets.length, two.sockets.length] as const;
      client.connect();
      await until(() => one.sockets.length > before[0]);
      one.sockets.at(-1)?.close(code);
      await until(() => one.sockets.length + two.sockets.length === before[0] + before[1] + 2);
      expect([code, one.sockets.length - before[0], two.sockets.length - before[1]]).toEqual([code, ...sockets]);
    }
  });

  it('does not come back when the session was revoked', async () => {
    const states: string[] = [];
    client.on('state', (state) => void states.push(state));
    answerFollows(one, (_, socket) => socket.close(4003, 'revoked'));
    const { errors } = listen();
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'unauthenticated' }]);
    expect([client.user, client.state, client.savedSession]).toEqual([null, 'offline', null]);
    expect(states).toEqual(['connecting', 'online', 'offline', 'connecting', 'offline']);
  });

  it('comes back all the same where somebody gives credentials', async () => {
    await meet({ credentials: () => credentials });
    answerFollows(one, (_, socket) => socket.close(4003, 'revoked'), agree(0, [0]));
    const { heard } = listen({ after: -1 });
    await until(() => heard.includes(0));
    expect(one.requests.filter((request) => request.includes('login'))).toHaveLength(3);
  });
});

describe('a post', () => {
  it('that gets no answer is repeated with its id, over REST on the other server', async () => {
    const bodies: { id: string; text: string }[] = [];
    one.hears = (_, socket) => socket.terminate();
    two.hears = one.hears;
    two.answers = (_, body) => {
      bodies.push(JSON.parse(body));
      return bodies.length === 1 ? 'hang up' : [200, { id: bodies[0]?.id, revision: 7, postedAt: 'now' }];
    };
    one.answers = two.answers;
    client.connect();
    await until(() => client.state === 'online');
    const posted = await client.post(room, 'hello');
    expect(posted).toEqual({ id: one.frames[0]?.data.id, revision: 7, at: 'now', duplicate: true });
    expect(bodies).toEqual(Array(2).fill({ id: posted.id, text: 'hello' }));
  });

  it('is refused at once where it is too large for a frame, and the connection stays', async () => {
    client.connect();
    await until(() => client.state === 'online');
    await expect(client.post(room, 'é'.repeat(70_000))).rejects.toMatchObject({ code: 'too_large' });
    expect([one.frames, client.state]).toEqual([[], 'online']);
  });

  it('has at most 32 of its kind in the server at a time, and all are answered', async () => {
    let inServer = 0;
    let most = 0;
    one.hears = ({ ref, data }, socket) => {
      most = Math.max(most, ++inServer);
      setTimeout(() => {
        inServer -= 1;
        say(socket, 'ack', { revision: 1, position: 1, id: data.id }, ref);
      }, 5);
    };
    client.connect();
    await until(() => client.state === 'online');
    await Promise.all(Array.from({ length: 200 }, (_, i) => client.post(room, `${i}`)));
    expect(most).toBe(32);
  });

  it('that was given up before it was sent is not sent any more, and not in doubt', async () => {
    const answerPosts = await busyWith32Posts();
    const given = client.post(room, 'too late', { deadlineMs: 50 });
    await expect(given).rejects.toBeInstanceOf(VerbatimError);
    answerPosts();
    await settled();
    expect(one.frames.filter(({ data }) => data.text === 'too late')).toEqual([]);
  });

  it('is given up when the client is closed', async () => {
    one.answers = () => null;
    const posting = client.post(room, 'hello', { id: room });
    await until(() => one.requests.some((request) => request.includes('messages')));
    client.close();
    await expect(posting).rejects.toBeInstanceOf(OutcomeUnknown);
  });
});

describe('watching', () => {
  const watches = (server: ScriptedServer) => server.frames.filter(({ event }) => event === 'watch');
  const answerWatches = (server: ScriptedServer) => {
    server.hears = ({ event, ref }, socket) => {
      if (event === 'watch') say(socket, 'watching', {}, ref);
      else if (event === 'unwatch') say(socket, 'unwatched', {}, ref);
    };
  };
  const watched = () => {
    const heard: (readonly string[])[] = [];
    const errors: unknown[] = [];
    const watching = client.watch({
      onChanged: (categories) => heard.push(categories),
      onError: (error) => errors.push(error),
    });
    return { watching, heard, errors };
  };

  it('takes everything for changed after a connection was lost', async () => {
    answerWatches(one);
    answerWatches(two);
    const { heard } = watched();
    await until(() => watches(one).length === 1);
    say(one.sockets[0] as WebSocket, 'changed', { categories: ['user'] });
    await until(() => heard.length === 1);
    one.sockets[0]?.terminate();
    await until(() => heard.length === 2);
    expect(heard).toEqual([
      ['user'],
      ['room', 'user', 'invitation', 'announcement', 'maintenance', 'auditlog', 'erasure', 'export'],
    ]);
  });

  it('is asked for again where that may succeed, and ends where not', async () => {
    const [busy, forbidden] = ['unavailable', 'forbidden'] as const;
    one.hears = ({ ref }, socket) => {
      const [, error] = refusal(watches(one).length === 1 ? busy : forbidden);
      say(socket, 'error', error, ref);
    };
    const { errors } = watched();
    await until(() => errors.length === 1);
    expect(errors).toMatchObject([{ code: 'forbidden' }]);
    expect(watches(one)).toHaveLength(2);
    answerWatches(one);
    expect(() => watched().watching.close()).not.toThrow();
  });

  it('can be ended and started again', async () => {
    answerWatches(one);
    const first = watched();
    await until(() => watches(one).length === 1);
    expect(() => watched()).toThrow('watched already');
    first.watching.close();
    const { heard, errors } = watched();
    await until(() => watches(one).length === 2);
    say(one.sockets[0] as WebSocket, 'changed', { categories: ['room'] });
    await until(() => heard.length === 1);
    expect([first.heard, first.errors, errors]).toEqual([[], [], []]);
    say(one.sockets[0] as WebSocket, 'unwatched', {});
    await until(() => errors.length === 1);
    expect(errors).toMatchObject([{ code: 'forbidden' }]);
  });
});

describe('a call', () => {
  it('moves to the server that can be reached', async () => {
    two.answers = () => [200, { name: 'two' }];
    await one.stop();
    one = await ScriptedServer.start();
    expect(await client.call('getAbout')).toEqual({ name: 'two' });
  });

  it('is repeated with the same key on the other server', async () => {
    one.answers = () => refusal('unavailable');
    two.answers = () => [201, { id: room }];
    expect(await client.call('createRoom', { body: { name: 'x' } })).toEqual({ id: room });
    const keys = [one, two].map(({ headers }) => headers.at(-1)?.['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('is not repeated when it has no key and may have arrived', async () => {
    one.answers = ({ url }) => (url === '/health/ready' ? [200, { status: 'ok' }] : 'hang up');
    const account = { username: 'grace', password: 'correct horse' };
    await expect(client.register(account)).rejects.toMatchObject({ name: 'OutcomeUnknown', id: 'grace' });
    const registers = [one, two].flatMap(({ requests }) => requests.filter((request) => request.includes('register')));
    expect(registers).toHaveLength(1);
  });

  it('without a key looks for a server that is well first', async () => {
    one.answers = () => refusal('unavailable');
    await client.register({ username: 'grace', password: 'correct horse' });
    expect(one.requests.filter((request) => request.includes('register'))).toEqual([]);
  });

  it('puts parameters, queries and headers in their place', async () => {
    one.answers = () => [200, {}];
    await client.call('addReaction', { params: { id: room, messageId: room, emoji: '👍/?' } });
    await client.call('listMessages', {
      params: { id: room },
      query: { order: 'oldest', limit: 5, cursor: undefined },
    });
    expect(one.requests.slice(1)).toEqual([
      `PUT /v1/rooms/${room}/messages/${room}/reactions/%F0%9F%91%8D%2F%3F`,
      `GET /v1/rooms/${room}/messages?order=oldest&limit=5`,
    ]);
    expect(one.headers.at(-1)).toMatchObject({ authorization: 'Bearer access' });
  });

  it('reads what was written over the socket', async () => {
    one.hears = ({ ref }, socket) => say(socket, 'ack', { revision: 3, position: 42, id: room }, ref);
    client.connect();
    await until(() => client.state === 'online');
    await client.post(room, 'hello');
    one.answers = () => [200, {}];
    await client.call('getInbox');
    expect(one.headers.at(-1)).toMatchObject({ 'verbatim-position': '42' });
  });

  it('says what was wrong', async () => {
    one.answers = () => [
      400,
      { ...refusal('invalid_request')[1], errors: [{ path: 'body.name', message: 'is missing' }] },
    ];
    await expect(client.call('createRoom', { body: { name: '' } })).rejects.toMatchObject({
      name: 'VerbatimError',
      code: 'invalid_request',
      retryable: false,
      traceId: 'trace',
      errors: [{ path: 'body.name', message: 'is missing' }],
    });
  });

  it('needs somebody to be signed in, unless it is for everybody', async () => {
    const stranger = new Client({ servers: [one.url] });
    await expect(stranger.call('getMe')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(stranger.post(room, 'x')).rejects.toMatchObject({ code: 'unauthenticated' });
    one.answers = () => [200, { name: 'one' }];
    expect(await stranger.call('getAbout')).toEqual({ name: 'one' });
    stranger.close();
  });
});
