import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatableUser } from '../doors/chatable/chatable.testing.js';
import { MqttPerson } from '../doors/chatt/chatt.testing.js';
import { ChatCaller } from '../doors/chitchat/chat-client.testing.js';
import { MakechatClient, signUp } from '../doors/makechat/makechat-client.testing.js';
import { freePort } from '../tests/harness/free-port.testing.js';
import { password, register, type TestPerson, type TestSocket } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';
import { FakeCollector, type ReceivedMetric, type ReceivedSpan } from './collector.testing.js';

// Two replicas of one database send to one FakeCollector.

const title = 'Zwölf Boxkämpfer';
const secretText = 'Quarzglas für Šárka 🜚';

let collector: FakeCollector;
let here: TestService;
let there: TestService;
let ada: TestPerson;
let room: string;
let follower: TestSocket;
const ports: Record<string, string> = {};

const environment = (replica: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20sesame',
  OTEL_SERVICE_NAME: 'chat',
  OTEL_RESOURCE_ATTRIBUTES: `replica=${replica}`,
  OTEL_METRIC_EXPORT_INTERVAL: '500',
});

beforeAll(async () => {
  collector = await FakeCollector.start();
  for (const door of ['MAKECHAT', 'CHITCHAT', 'MQTT', 'CHATABLE']) ports[`${door}_PORT`] = `${await freePort()}`;
  here = await startTestService({ environment: { ...environment('here'), ...ports } });
  there = await startTestService({ environment: environment('there'), beside: here });
  ada = await register(here.url);
  room = await ada.room({ name: title, visibility: 'public' });
  follower = await ada.at(there.url).follow(room);
}, 120_000);
afterAll(async () => {
  await there.stop();
  await here.stop();
  await collector.stop();
});

/** The traces of the messages posted in rooms since `before`, once each of them is complete. */
async function tracesOf(act: () => Promise<unknown>, { in: inRoom = room, followed = ['there'] } = {}) {
  const known = new Set(collector.spans.map(({ traceId }) => traceId));
  await act();
  const news = () => collector.spans.filter(({ traceId }) => !known.has(traceId));
  const posted = () =>
    news().filter(
      ({ name, attributes }) =>
        name === 'PostMessage' && (inRoom === '' || attributes['verbatim.stream'] === `room-${inRoom}`),
    );
  await expect.poll(() => posted().length, { timeout: 20_000 }).toBeGreaterThan(0);
  const traceId = posted()[0]!.traceId;
  const complete = () => {
    const names = collector.trace(traceId).map(({ name, service }) => `${name} ${service.replica}`);
    const delivered = followed.every((replica) => names.includes(`deliver ${replica}`));
    return delivered && names.filter((name) => name.startsWith('project')).length >= 2;
  };
  await expect.poll(complete, { timeout: 20_000 }).toBe(true);
  expect(new Set(posted().map(({ traceId }) => traceId)).size).toBe(1);
  return collector.trace(traceId);
}

const rootOf = (trace: readonly ReceivedSpan[]) => trace.filter(({ parentSpanId }) => parentSpanId === '');
const named = (trace: readonly ReceivedSpan[], name: string) => trace.filter((span) => span.name === name);

function expectOneTree(trace: readonly ReceivedSpan[], root: string): void {
  expect(rootOf(trace).map(({ name, service }) => [name, service.replica])).toEqual([[root, 'here']]);
  const ids = trace.map(({ spanId }) => spanId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(trace.filter(({ parentSpanId }) => parentSpanId !== '' && !ids.includes(parentSpanId))).toEqual([]);
}

const door = (name: string) => `127.0.0.1:${ports[`${name}_PORT`]}`;

describe('a post is one trace, from the door to the frame of a follower at another replica', () => {
  it('from the REST API', async () => {
    const trace = await tracesOf(() => ada.says(room, secretText));
    expectOneTree(trace, 'POST /v1/rooms/:id/messages');
    const [root] = rootOf(trace);
    expect(root?.attributes).toMatchObject({ 'http.request.method': 'POST', 'http.response.status_code': 201 });
    const [command] = named(trace, 'PostMessage');
    expect(command?.parentSpanId).toBe(root?.spanId);
    expect(named(trace, 'append').map(({ parentSpanId }) => parentSpanId)).toEqual([command?.spanId]);
    expect(
      named(trace, 'feed')
        .map(({ service }) => service.replica)
        .sort(),
    ).toEqual(['here', 'there']);
    expect(named(trace, 'deliver').map(({ attributes }) => attributes['verbatim.followers'])).toEqual([1]);
    expect(
      named(trace, 'project')
        .map(({ attributes }) => attributes['verbatim.projection'])
        .sort(),
    ).toEqual([...['search', 'timeline']]);
    await follower.next('events');
  });

  it('from a frame', async () => {
    const socket = await ada.connect();
    const trace = await tracesOf(() => socket.ask('post', { room, text: secretText }));
    expectOneTree(trace, 'frame post');
    socket.close();
  });

  it('from MQTT', async () => {
    const mqtt = await MqttPerson.connect(`mqtt://${door('MQTT')}`, ada.username, {
      username: ada.username,
      password,
    });
    await mqtt.subscribe('rooms/#');
    const trace = await tracesOf(() => mqtt.say(title, secretText), { followed: ['here', 'there'] });
    expectOneTree(trace, 'mqtt publish');
    mqtt.drop();
  });

  it('from chitchat', async () => {
    const caller = new ChatCaller(`http://${door('CHITCHAT')}`);
    const { id: number } = (await caller.get(`/chats/${encodeURIComponent(title)}`)).body;
    const ann = await caller.enter(number, 'Ännchen');
    const trace = await tracesOf(async () => ann.say('Ännchen', secretText), { followed: ['here', 'there'] });
    expectOneTree(trace, 'chitchat message');
    expect(named(trace, 'PostMessage')[0]?.attributes).toMatchObject({ 'verbatim.door': 'chitchat' });
  });

  it('from makechat', async () => {
    const cid = await signUp(new MakechatClient(`http://${door('MAKECHAT')}`));
    const { items } = (await cid.get('/api/rooms?limit=100')).json;
    const roomId = items.find(({ name }: { name: string }) => name === title)._id;
    const trace = await tracesOf(() => cid.post('/api/messages', { text: secretText, rooms: [roomId] }));
    expectOneTree(trace, 'POST /*');
  });

  it('from chatable', async () => {
    const [bob, eve] = [await ChatableUser.register(`http://${door('CHATABLE')}`), await register(here.url)];
    const socket = await bob.connect();
    const trace = await tracesOf(async () => socket.say(bob.username, eve.username, secretText), {
      in: '',
      followed: [],
    });
    expectOneTree(trace, 'chatable packet');
    socket.close();
  });

  it('from a program at an incoming webhook', async () => {
    const { body: hook } = await ada.post(`/v1/rooms/${room}/incoming-webhooks`, { name: 'Bötin' });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ text: secretText });
    const trace = await tracesOf(() => fetch(`${here.url}${hook.path}`, { method: 'POST', headers, body }));
    expectOneTree(trace, 'POST /v1/hooks/:token');
  });
});

describe('a client with its own tracing', () => {
  const clientTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const post = (traceparent: string) => ada.post(`/v1/rooms/${room}/messages`, { text: secretText }, { traceparent });

  it('finds its trace linked from ours, which has its own id', async () => {
    const trace = await tracesOf(() => post(`00-${clientTrace}-00f067aa0ba902b7-01`));
    expect(rootOf(trace)[0]?.linkedTraces).toEqual([clientTrace]);
    expect(trace[0]?.traceId).not.toBe(clientTrace);
  });

  it.each([
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `ff-${clientTrace}-00f067aa0ba902b7-01`,
    `00-${clientTrace}-00f067aa0ba902b7-01-more`,
    `00-${clientTrace.toUpperCase()}-00f067aa0ba902b7-01`,
    `00-${clientTrace}-00f067aa0ba902b7-01,00-${clientTrace}-00f067aa0ba902b7-01`,
    'a'.repeat(300),
    '',
  ])('is served without a link when its header is not valid: %j', async (traceparent) => {
    const trace = await tracesOf(() => post(traceparent));
    expect(rootOf(trace)[0]?.linkedTraces).toEqual([]);
  });
});

describe('what is sent', () => {
  it('has the credential of the collector and the name of the service', () => {
    expect(new Set(collector.headers.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer sesame']));
    expect(collector.spans[0]?.service).toMatchObject({
      'service.name': 'chat',
      'service.version': expect.any(String),
    });
  });

  it('contains no texts, names, addresses or credentials', () => {
    const sent = Buffer.concat(collector.bodies).toString('latin1');
    expect(sent).toContain('PostMessage');
    const personal = [title, secretText, ada.username, 'Ännchen', 'Lovelace', 'example.com', password, ada.accessToken];
    for (const text of [...personal, '127.0.0.1', 'sesame'])
      expect(sent, text).not.toContain(Buffer.from(text).toString('latin1'));
  });

  it('includes the metrics that Prometheus can read', async () => {
    // Either replica may have sent the newest metrics.
    const largest = (name: string, of: (metric: ReceivedMetric) => number | undefined) =>
      Math.max(...collector.metrics.filter((one) => one.name === name).map((one) => of(one) ?? 0));
    const values = (name: string) => largest(name, ({ values: [first] }) => first);
    const counted = ({ buckets }: ReceivedMetric) => buckets.reduce((sum, count) => sum + count, 0);
    await expect.poll(() => values('verbatim_messages_total'), { timeout: 10_000 }).toBeGreaterThan(5);
    expect(values('verbatim_store_append_seconds')).toBeGreaterThan(0);
    expect(largest('verbatim_store_append_seconds', counted)).toBeGreaterThan(5);
    const text = await (await fetch(`${here.url}/metrics`)).text();
    const offered = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const sent = new Set(collector.metrics.map(({ name }) => name));
    expect(offered.filter((name) => !sent.has(`${name}`))).toEqual([]);
  });
});
