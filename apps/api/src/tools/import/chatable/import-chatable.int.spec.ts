import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conversations, directMessages, getUsers } from '@verbatim/projections';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { directRoomId } from '../../../application/rooms/direct-rooms.js';
import { readConfig } from '../../../config.js';
import { createDatabase, dropDatabase } from '../../../tests/harness/database.testing.js';
import { openTools, type Tools } from '../../tools.js';
import { readDump } from './chatable-dump.js';
import { importChatable, issueResets } from './import-chatable.js';
import { importChatableCommand } from './import-chatable-command.js';

const userColumns = 'id, username, first_name, last_name, email, phone_number, password, is_active, created_at';
const users = [
  ['1', 'Ada', 'Ada', 'Lovelace', 'Ada@example.com', '441', 'x', 't', '2015-03-01 09:00:00.5+00'],
  ['2', 'bob', 'Bob', 'Ώmega', 'bob@example.com', '442', 'x', 't', '2015-03-01 10:00:00'],
  ['3', 'ada', 'Other', 'Ada', 'no address', '443', 'x', 't', '2015-03-02 09:00:00+00'],
  ['4', 'x1', 'X', 'One', 'x1@example.com', '444', 'x', 'f', '2015-03-03 09:00:00+00'],
];
const envelopeColumns =
  'id, user_id, with_user_id, is_incoming, created_at, deleted_at, read_at, message, message_type';
const envelope = (from: string, to: string, incoming: 't' | 'f', at: string, message: string, deleted = '\\N') => [
  ...['0', from, to, incoming, at, deleted, '\\N', message, '0'],
];
const noon = '2015-03-04 12:00:00';
const envelopes = [
  envelope('1', '2', 'f', `${noon}.000002+00`, 'the second'),
  envelope('2', '1', 't', `${noon}.000002+00`, 'the second'),
  envelope('1', '2', 'f', `${noon}.000001+00`, 'the first'),
  // Only the copy of the recipient was stored.
  envelope('1', '2', 't', `${noon}.000003+00`, 'yes?\\nAda?'),
  // The same text twice in the same instant.
  ...Array.from({ length: 2 }, () => envelope('2', '1', 'f', `${noon}.000004+00`, 'twice')),
  envelope('2', '1', 'f', `${noon}.000005+00`, 'gone', noon),
  envelope('1', '2', 't', `${noon}.000005+00`, 'gone', noon),
  envelope('1', '2', 'f', `${noon}.000006+00`, 'half gone', noon),
  envelope('2', '1', 't', `${noon}.000006+00`, 'half gone'),
  envelope('4', '3', 'f', `${noon}+00`, 'from someone who left'),
  envelope('1', '1', 'f', `${noon}+00`, 'to myself'),
  envelope('1', '2', 'f', `${noon}+00`, '  '),
  envelope('1', '9', 'f', `${noon}+00`, 'to no one'),
];

const dumpOf = (userRows: readonly string[][], envelopeRows: readonly string[][]) =>
  [
    `COPY public.users (${userColumns}) FROM stdin;`,
    ...userRows.map((row) => row.join('\t')),
    '\\.',
    `COPY public.envelopes (${envelopeColumns}) FROM stdin;`,
    ...envelopeRows.map((row) => row.join('\t')),
    '\\.\n',
  ].join('\n');

describe('an import of a dump of chatable', () => {
  let database: string;
  let folder: string;
  let file: string;
  let tools: Tools;

  beforeAll(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-chatable-'));
    file = join(folder, 'chatable.sql');
    await writeFile(file, dumpOf(users, envelopes));
    tools = await openTools({
      config: readConfig({ VERBATIM_DATA: folder }),
      database: { url: database, directUrl: database, lost: new Promise(() => undefined), stop: async () => undefined },
      log: pino({ level: 'error' }),
    });
  });
  afterAll(async () => {
    await tools?.close();
    await dropDatabase(database);
    await rm(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[]) =>
    importChatableCommand.run(args, {
      config: readConfig({}),
      log: pino({ level: 'silent' }),
      database: () => Promise.reject(new Error('not needed')),
      tools: async () => tools,
    });

  it('can do a dry run without a database', async () => {
    const shown = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const noTools = () => Promise.reject(new Error('not needed'));
    const surroundings = { config: readConfig({}), log: pino({ level: 'silent' }), database: noTools, tools: noTools };
    expect(await importChatableCommand.run([file, '--dry-run'], surroundings)).toBe(0);
    const text = shown.mock.calls.join('');
    shown.mockRestore();
    expect(text).toContain('4 people, 7 messages in 2 conversations');
    expect(text).toContain('left out 1 times: a message that both have deleted');
    expect(text).toContain('left out 1 times: a copy of a message to oneself');
  });

  it('creates accounts, and imports each message once, in order and with its time', async () => {
    const dump = await readDump(file);
    const { people, refused, visible, events } = await importChatable(tools, dump);
    expect([refused, visible]).toEqual([[], true]);
    expect(events).toBeGreaterThan(0);
    const [ada, bob, otherAda, x1] = people;
    if (!ada || !bob || !otherAda || !x1) throw new Error('a person is missing');
    expect([ada.username, bob.username]).toEqual(['ada', 'bob']);
    expect([otherAda.username, x1.username]).toEqual([
      expect.stringMatching(/^ada-[\da-f]{12}$/),
      expect.stringMatching(/^x1-[\da-f]{12}$/),
    ]);
    const found = await directMessages(tools.readModels.db, directRoomId(ada.userId, bob.userId), {
      offset: 0,
      limit: 10,
    });
    expect(found.toReversed().map(({ author, text }) => [author.username, text])).toEqual([
      ['ada', 'the first'],
      ['ada', 'the second'],
      ['bob', 'yes?\nAda?'],
      ['bob', 'twice'],
      ['bob', 'twice'],
      ['ada', 'half gone'],
    ]);
    expect(new Set(found.map(({ postedAt }) => postedAt))).toEqual(new Set(['2015-03-04T12:00:00.000Z']));
    const inbox = await conversations(tools.readModels.db, otherAda.userId, { offset: 0, limit: 10 });
    expect(inbox).toMatchObject([{ peer: { id: x1.userId }, latest: { text: 'from someone who left' } }]);
    const person = await getUsers(tools.readModels.db, [ada.userId]);
    expect(person.get(ada.userId)).toMatchObject({
      displayName: 'Ada Lovelace',
      createdAt: '2015-03-01T09:00:00.500Z',
    });
    expect((await tools.users.newest(x1.userId)).state.status).toBe('deactivated');
    expect((await tools.users.newest(ada.userId)).state.email).toBe('Ada@example.com');
    // No one else can register with these now.
    const claim = { email: 'ADA@example.com', phone: '1' };
    expect(await tools.contacts.claim(otherAda.userId, claim, async () => true)).toBe(false);
  });

  it('changes nothing when repeated, and adds what is new in a later dump', async () => {
    const again = await importChatable(tools, await readDump(file));
    expect(again.events).toBe(0);
    const later = join(folder, 'later.sql');
    await writeFile(
      later,
      dumpOf(users, [...envelopes, envelope('2', '1', 'f', '2016-01-01 00:00:00+00', 'a year later')]),
    );
    const report = await importChatable(tools, await readDump(later));
    expect(report.events).toBe(1);
  });

  it('writes a link for everyone without a password', async () => {
    const shown = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const links = join(folder, 'links.tsv');
    expect(await run([file, '--links', links, '--url', 'https://chat.example.org/'])).toBe(0);
    shown.mockRestore();
    const lines = (await readFile(links, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(lines).toHaveLength(3);
    expect(lines).toContainEqual([
      'ada',
      'Ada@example.com',
      expect.stringMatching(/^https:\/\/chat\.example\.org\/admin\/#\/reset\?token=[\w-]{43}$/),
    ]);
  });

  it('issues no link to people who already have a password', async () => {
    const { people } = await importChatable(tools, await readDump(file));
    const [ada] = people;
    await tools.sql`insert into vault.credentials (user_id, password_hash) values (${ada?.userId ?? ''}, 'a hash')`;
    const issued = [...(await issueResets(tools, people)).keys()].map(({ username }) => username);
    expect(issued).not.toContain('ada');
    expect(issued).toContain('bob');
  });
});
