import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatableUser } from '../../doors/chatable/chatable.testing.js';
import { MqttPerson } from '../../doors/chatt/chatt.testing.js';
import { ChatCaller } from '../../doors/chitchat/chat-client.testing.js';
import { MakechatClient, signUp } from '../../doors/makechat/makechat-client.testing.js';
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

/** Everything that somebody may do; whether it works is not what this is about. */
async function session(): Promise<void> {
  const nothing = () => undefined;
  await ada.patch('/v1/me', { displayName: canaries.displayName, email: canaries.email }, from).catch(nothing);
  await ada.post(`/v1/rooms/${room}/messages`, { text: canaries.text }, from).catch(nothing);
  await ada.get(`/v1/search?q=${encodeURIComponent(canaries.query)}`, from).catch(nothing);
  await ada.get(`/v1/rooms?q=${encodeURIComponent(canaries.file)}`, from).catch(nothing);
  await ada.get(`/v1/rooms/${room}/messages`, from).catch(nothing);
  const json = { 'content-type': 'application/json', ...from };
  const bodies = [`{"text": "${canaries.text}`, `"${canaries.text}"`, canaries.text];
  for (const body of bodies)
    await fetch(`${service.url}/v1/rooms/${room}/messages`, { method: 'POST', headers: json, body }).catch(nothing);
  const signIn = JSON.stringify({ username: canaries.name, password: canaries.password });
  await fetch(`${service.url}/v1/auth/login`, { method: 'POST', headers: json, body: signIn }).catch(nothing);
  await fetch(`${service.url}/v1/${encodeURIComponent(canaries.text)}?q=${canaries.email}`, { headers: from }).catch(
    nothing,
  );
  await atSockets().catch(nothing);
  await atOlderDoors();
}

async function atSockets(): Promise<void> {
  const socket = openSocket(service.url, { ticket: await ada.ticket() });
  await socket.next('hello');
  for (const frame of [
    ...['no JSON ', '{"event":"', '{"event":"post","data":'].map((text) => `${text}${canaries.text}`),
    JSON.stringify({ event: 'post', ref: canaries.file, data: { room, text: canaries.text } }),
    JSON.stringify({ event: canaries.text, ref: 1, data: {} }),
    JSON.stringify({ event: 'join', ref: 2, data: { room, password: canaries.password } }),
    JSON.stringify({ event: 'edit', ref: 3, data: { room, messageId: canaries.name, text: canaries.text } }),
  ])
    socket.socket.send(frame);
  await socket.ask('ping', {});
  socket.close();
}

async function atOlderDoors(): Promise<void> {
  const nothing = () => undefined;
  const http = async (address: string, body: unknown, type = 'application/json') => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    await fetch(address, { method: 'POST', headers: { 'content-type': type, ...from }, body: text }).catch(nothing);
  };
  await MqttPerson.connect(`mqtt://${door('MQTT')}`, canaries.displayName)
    .then(async (person) => {
      await person.subscribe('rooms/#');
      await person.client.publishAsync(`rooms/${canaries.title}/newtext`, canaries.text, { qos: 0 });
      await person.say(canaries.title, canaries.text, 0);
      person.drop();
    })
    .catch(nothing);
  await fetch(`http://${door('CHATT')}/data/lastinfo?user=${encodeURIComponent(canaries.displayName)}`).catch(nothing);
  const caller = new ChatCaller(`http://${door('CHITCHAT')}`);
  await http(`http://${door('CHITCHAT')}/chats`, { title: canaries.title, password: canaries.password });
  await caller
    .get(`/chats/${encodeURIComponent(canaries.title)}`)
    .then(async ({ body }) => {
      const visitor = await caller.enter(body.id, canaries.displayName);
      visitor.say(canaries.displayName, canaries.text);
    })
    .catch(nothing);
  const makechat = new MakechatClient(`http://${door('MAKECHAT')}`);
  await signUp(makechat)
    .then(() => makechat.post('/api/messages', { text: canaries.text, rooms: [{ $oid: canaries.name }] }))
    .catch(nothing);
  await http(`http://${door('MAKECHAT')}/api/register`, {
    username: canaries.name,
    email: canaries.email,
    password: canaries.password,
  });
  await ChatableUser.register(`http://${door('CHATABLE')}`, {
    email: canaries.email,
    phone: canaries.phone,
    password: canaries.password,
  })
    .then(async (user) => {
      const socket = await user.connect();
      socket.send(canaries.text);
      socket.say(user.username, canaries.name, canaries.text);
      socket.close();
    })
    .catch(nothing);
  await http(`http://${door('SFCHAT')}/api/v1/message/${canaries.name}/${canaries.password}`, canaries.text);
  await http(
    `http://${door('SFCHAT')}/csp-report/`,
    {
      'csp-report': {
        'document-uri': `https://chat.example/chat/${canaries.name}`,
        referrer: canaries.email,
        'blocked-uri': canaries.text,
      },
    },
    'application/csp-report',
  );
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
    await session();
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
