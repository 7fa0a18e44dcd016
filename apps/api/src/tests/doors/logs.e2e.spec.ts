import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatableUser } from '../../doors/chatable/chatable.testing.js';
import { MqttPerson } from '../../doors/chatt/chatt.testing.js';
import { ChatCaller } from '../../doors/chitchat/chat-client.testing.js';
import { MakechatClient, signUp } from '../../doors/makechat/makechat-client.testing.js';
import { FormVisitor } from '../../doors/sfchat/sfchat-client.testing.js';
import { processLog } from '../../process-log.js';
import { freePort } from '../harness/free-port.testing.js';
import { openSocket, register, type TestPerson } from '../harness/test-client.testing.js';
import { startTestService, type TestService } from '../harness/test-service.testing.js';

// A session through all doors, in good times and bad, at the level at which everything is logged.

/** What people write and are called; each is found by a part that nothing else contains. */
const canaries = {
  text: 'Kanarienvogel 🐤 im Text',
  name: 'kanarie_name',
  displayName: 'Канарейка Ивановна',
  title: 'Ein Käfig voller Kanarien',
  email: 'canary@birds.example',
  phone: '4915550001',
  password: 'canary-correct-horse',
  address: '203.0.113.77',
  query: 'canari-requête',
  file: 'کناری',
} as const;

let service: TestService;
let sql: Sql;
let ada: TestPerson;
let room: string;
const lines: string[] = [];
const ports: Record<string, string> = {};
const door = (name: string) => `127.0.0.1:${ports[`${name}_PORT`]}`;
const from = { 'x-forwarded-for': canaries.address };

beforeAll(async () => {
  for (const name of ['MAKECHAT', 'CHITCHAT', 'MQTT', 'CHATT', 'CHATABLE', 'SFCHAT'])
    ports[`${name}_PORT`] = `${await freePort()}`;
  const log = processLog('trace', { write: (line) => lines.push(line) });
  service = await startTestService({ environment: { ...ports, TRUST_PROXY: '1' }, log });
  sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
  ada = await register(service.url, canaries.name);
  room = await ada.room({ name: canaries.title, visibility: 'public' });
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** Throws unless the answer is a success. */
async function succeeds(answer: Promise<{ status: number; text?: unknown }>): Promise<void> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`${status} ${typeof text === 'string' ? text : ''}`);
}

const send = (address: string, body: string, type = 'application/json') =>
  fetch(address, { method: 'POST', headers: { 'content-type': type, ...from }, body });

/** What somebody does at each door. Each fails when it does not work. */
const acts: Readonly<Record<string, () => Promise<unknown>>> = {
  profile: () => succeeds(ada.patch('/v1/me', { displayName: canaries.displayName, email: canaries.email }, from)),
  post: () => succeeds(ada.post(`/v1/rooms/${room}/messages`, { text: canaries.text }, from)),
  search: () => succeeds(ada.get(`/v1/search?q=${encodeURIComponent(canaries.query)}`, from)),
  rooms: () => succeeds(ada.get(`/v1/rooms?q=${encodeURIComponent(canaries.file)}`, from)),
  history: () => succeeds(ada.get(`/v1/rooms/${room}/messages`, from)),
  async malformed() {
    for (const body of [`{"text": "${canaries.text}`, `"${canaries.text}"`, canaries.text])
      await send(`${service.url}/v1/rooms/${room}/messages`, body);
    await send(
      `${service.url}/v1/auth/login`,
      JSON.stringify({ username: canaries.name, password: canaries.password }),
    );
    await fetch(`${service.url}/v1/${encodeURIComponent(canaries.text)}?q=${canaries.email}`, { headers: from });
  },

  async frames() {
    const socket = openSocket(service.url, { ticket: await ada.ticket(), headers: from });
    await socket.next('hello');
    for (const frame of [
      ...['no JSON ', '{"event":"', '{"event":"post","data":'].map((text) => `${text}${canaries.text}`),
      JSON.stringify({ event: canaries.text, ref: canaries.file, data: {} }),
      JSON.stringify({ event: 'join', ref: `${canaries.file} 2`, data: { room, password: canaries.password } }),
      JSON.stringify({
        event: 'edit',
        ref: `${canaries.file} 3`,
        data: { room, messageId: canaries.name, text: canaries.text },
      }),
    ])
      socket.socket.send(frame);
    const { event } = await socket.ask('post', { room, text: canaries.text });
    socket.close();
    if (event !== 'ack') throw new Error(event);
  },

  async mqtt() {
    const person = await MqttPerson.connect(`mqtt://${door('MQTT')}`, 'Канарейка');
    await person.subscribe('rooms/#');
    await person.client.publishAsync(`rooms/${canaries.title}/newtext`, canaries.text, { qos: 0 });
    await person.say(canaries.title, canaries.text);
    person.drop();
  },
  lastInfo: () =>
    succeeds(fetch(`http://${door('CHATT')}/data/lastinfo?user=${encodeURIComponent(canaries.displayName)}`)),

  async chitchat() {
    const caller = new ChatCaller(`http://${door('CHITCHAT')}`);
    await send(
      `http://${door('CHITCHAT')}/chats`,
      JSON.stringify({ title: canaries.title, password: canaries.password }),
    );
    const { body } = await caller.get(`/chats/${encodeURIComponent(canaries.title)}`);
    const visitor = caller.open(body.id, { headers: from });
    await visitor.opened;
    const name = `Канарейка ${++visitors}`;
    visitor.send({ event_type: 'join', name, color: 'blue' });
    await visitor.hears({ event_type: 'join', name });
    visitor.say(name, canaries.text);
    await visitor.hears({ event_type: 'send', msg: canaries.text });
  },

  async makechat() {
    const person = await signUp(new MakechatClient(`http://${door('MAKECHAT')}`));
    const { items } = (await person.get('/api/rooms?limit=100')).json;
    const theirs = items.find(({ name }: { name: string }) => name === canaries.title)._id;
    await succeeds(person.post('/api/messages', { text: canaries.text, rooms: [theirs] }));
    await person.post('/api/messages', { text: canaries.text, rooms: [{ $oid: canaries.name }] });
    const { name: username, email, password } = canaries;
    await send(`http://${door('MAKECHAT')}/api/register`, JSON.stringify({ username, email, password }));
  },

  async chatable() {
    const { phone, password } = canaries;
    const user = await ChatableUser.register(`http://${door('CHATABLE')}`, {
      email: `canary${++visitors}@birds.example`,
      phone: `${phone}${visitors}`,
      password,
    });
    const socket = await user.connect('?confirm=1');
    socket.send(canaries.text);
    socket.say(user.username, canaries.name, canaries.text);
    await expect.poll(() => user.thread(canaries.name).then(({ length }) => length)).toBeGreaterThan(0);
    socket.close();
  },

  async sfchat() {
    const [one, other] = [new FormVisitor(`http://${door('SFCHAT')}`), new FormVisitor(`http://${door('SFCHAT')}`)];
    const chat = await one.create();
    await other.join(chat.code);
    await succeeds(chat.say(canaries.text));
    await send(`http://${door('SFCHAT')}/api/v1/message/${canaries.name}/${canaries.password}`, canaries.text);
    const addresses = { 'document-uri': `https://chat.example/chat/${canaries.name}`, referrer: canaries.email };
    const report = { ...addresses, 'blocked-uri': canaries.text, 'violated-directive': canaries.file };
    const sent = send(
      `http://${door('SFCHAT')}/csp-report/`,
      JSON.stringify({ 'csp-report': report }),
      'application/csp-report',
    );
    await succeeds(sent);
  },
};
let visitors = 0;

/** Does it all; says what did not work. */
async function session(): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, act] of Object.entries(acts))
    await act().catch((error: Error) => failed.push(`${name}: ${error.message}`));
  return failed;
}

/** What makes requests fail for reasons that are logged: tables that are gone, or refuse what is written to them. */
const troubles: readonly [what: string, begin: string, end: string][] = [
  [
    'the read models are gone',
    'alter table {read}.messages rename to gone',
    'alter table {read}.gone rename to messages',
  ],
  ['rooms cannot be listed', 'alter table {read}.rooms rename to gone', 'alter table {read}.gone rename to rooms'],
  [
    'no event can be stored',
    'alter table log.events add constraint never check (false) not valid',
    'alter table log.events drop constraint never',
  ],
  [
    'no name can be claimed',
    'alter table vault.names add constraint never check (false) not valid',
    'alter table vault.names drop constraint never',
  ],
];

async function during(statement: string): Promise<void> {
  const [row] = await sql<
    { schema: string }[]
  >`select 'read_' || n as schema from desk.read_schemas where state = 'live'`;
  await sql.unsafe(statement.replaceAll('{read}', row?.schema ?? ''));
}

describe('the log of a session through all doors', () => {
  it('says nothing personal while all is well', async () => {
    expect(await session()).toEqual([]);
    expectNothingPersonal();
  });

  it.each(troubles)(
    'says nothing personal while %s, but what failed and under which trace',
    async (_, begin, end) => {
      const before = lines.length;
      await during(begin);
      try {
        await session();
      } finally {
        await during(end);
      }
      const told = lines.slice(before).map((line) => JSON.parse(line));
      expect(told.filter(({ level }) => level >= 40).length).toBeGreaterThan(0);
      for (const entry of told.filter(({ msg, door }) => msg === 'a request failed' && !door))
        expect(entry).toMatchObject({
          traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          err: { stack: expect.any(String) },
        });
      expectNothingPersonal();
    },
    120_000,
  );

  it('says nothing personal when all connections to the database are cut', async () => {
    const cut = async () => {
      for (let i = 0; i < 20; i++) {
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await Promise.all([cut(), session()]);
    expectNothingPersonal();
  }, 120_000);

  it('is a line of JSON for each entry, with a level, a time and a sentence', () => {
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        msg: expect.any(String),
      });
  });
});

function expectNothingPersonal(): void {
  const all = lines.join('');
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  const traces = Object.entries({ ...canaries, token: ada.accessToken, refreshToken: ada.refreshToken });
  const found = traces.flatMap(([kind, text]) =>
    lines
      .filter((line) => [text, escaped(text), encodeURIComponent(text)].some((form) => line.includes(form)))
      .map((line) => `${kind}: ${line}`),
  );
  expect(found).toEqual([]);
  expect(all).not.toMatch(/canar|kanari|Канар|کناری/i);
}
