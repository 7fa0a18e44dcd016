import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Recorded, roomStream } from '@verbatim/domain';
import { getUsers, type Message, searchMessages, timeline } from '@verbatim/projections';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CreateRoomCommand, CreateRoomHandler } from '../../application/rooms/room-commands.js';
import { readConfig } from '../../config.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { openTools, type Tools } from '../tools.js';
import { readOptions } from './import-command.js';
import { type ImportReport, importIrc } from './import-irc.js';
import type { LogFile } from './import-plan.js';
import { importer } from './import-room.js';
import { readIrcLog } from './irc-log.js';
import { accountOf } from './nickname-account.js';
import { readersSee } from './readers.js';

const days = ['2005-09-26', '2013-05-05'];
const testData = (day: string) => fileURLToPath(new URL(`test-data/${day}.txt`, import.meta.url));

/** The options for importing the test data into the room of this name. */
const optionsFor = (room: string) => readOptions([...days.map(testData), '--room', room]);

describe('an import of two days of a real channel', () => {
  let database: string;
  let folder: string;
  let tools: Tools;
  let report: ImportReport;

  beforeAll(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-import-'));
    tools = await start();
    report = await importIrc(tools, await optionsFor('#ubuntu'));
  });

  afterAll(async () => {
    await tools?.close();
    await dropDatabase(database);
    await rm(folder, { recursive: true, force: true });
  });

  it('imports or reports every line', () => {
    for (const { lines, taken, skipped, refused } of report.files) {
      expect(Object.values(taken).reduce((sum, count) => sum + count) + skipped.length).toBe(lines);
      expect(refused).toEqual([]);
    }
    expect(report.files.map(({ taken }) => [taken.message, taken.action])).toEqual([
      [1258, 8],
      [1127, 2],
    ]);
  });

  it('reproduces every message in order, code point for code point, with its author and time', async () => {
    const messages = await allMessages(report.roomId);
    expect(messages.map(({ text }) => text)).toEqual((await spoken()).map(({ text }) => text.normalize('NFC')));
    expect(messages.map(({ author }) => author.displayName)).toEqual((await spoken()).map(({ nick }) => nick.trim()));
    expect(messages.map(({ kind }) => kind)).toEqual((await spoken()).map(({ kind }) => kind));
    expect(messages[0]?.postedAt).toBe('2005-09-26T06:53:00.000Z');
    expect(messages.at(-1)?.postedAt).toBe('2013-05-05T18:59:00.000Z');
  });

  it('makes its messages searchable', async () => {
    const { items } = await searchMessages(tools.readModels.db, {
      viewer: importer.id,
      q: 'there was a bug in udev',
      page: { limit: 5 },
    });
    expect(items.map(({ text }) => text)).toContain('there was a bug in udev up to the very last version');
  });

  it('waits until readers see it, and reports if they do not in time', async () => {
    const { db } = tools.readModels;
    const { roomId } = await importIrc(tools, { files: [logFile('w', '[00:00] <a> x')], room: '#waiting' });
    await tools.sql.begin(async (tx) => {
      await tx`lock table ${tx(db.schema())}.search in access exclusive mode`;
      const message = { messageId: randomUUID(), text: 'late', replyTo: null, kind: 'text' } as const;
      const actor = { id: accountOf('a').userId, role: 'user' } as const;
      await tools.rooms.send(roomId, { type: 'PostMessage', actor, ...message }, { correlation: randomUUID() });
      expect(await readersSee(tools, roomId, 300)).toBe(false);
    });
    expect(await readersSee(tools, roomId)).toBe(true);
  });

  it('gives every speaker an account of their own', async () => {
    const authors = new Map((await allMessages(report.roomId)).map(({ author }) => [author.id, author.displayName]));
    expect(new Set(authors.values())).toEqual(new Set((await spoken()).map(({ nick }) => nick.trim())));
    expect(authors.size).toBe(new Set(authors.values()).size);
    const [seveas = ''] = authors.keys();
    expect((await getUsers(tools.readModels.db, [seveas])).get(seveas)).toMatchObject({
      username: expect.stringMatching(/^seveas-[0-9a-f]{12}$/),
      displayName: 'Seveas',
      createdAt: '2005-09-26T06:53:00.000Z',
    });
  });

  it('changes nothing when repeated', async () => {
    const head = await tools.store.head();
    const again = await importIrc(tools, await optionsFor('#UBUNTU'));
    expect(again).toEqual({ ...report, files: report.files.map((file) => ({ ...file, events: 0 })) });
    expect(await tools.store.head()).toBe(head);
  });

  it('that is interrupted repeatedly results in the same room as an uninterrupted one', async () => {
    const options = await optionsFor('#interrupted');
    let roomId = '';
    for (let limit = 150; roomId === ''; limit += 900) {
      // Lines that a room already has are skipped, so each attempt gets a little further.
      const interrupt = ({ done }: { done: number }) => {
        if (done > limit) throw new Error('interrupted');
      };
      roomId = await importIrc(tools, options, interrupt).then(
        (whole) => whole.roomId,
        (error) => {
          expect(error.message).toBe('interrupted');
          return '';
        },
      );
    }
    expect(await happened(roomId)).toEqual(await happened(report.roomId));
  });

  it('continues after its process was killed', async () => {
    const ends: unknown[] = [];
    for (const percent of [10, 50]) {
      const killed = runCli('#killed');
      await Promise.race([killed.reaches(percent), killed.ended]);
      killed.child.kill('SIGKILL');
      ends.push(await killed.ended);
    }
    expect(ends).toContain('SIGKILL');
    const last = runCli('#killed');
    expect(await last.ended).toBe(0);
    const [, roomId = ''] = /id is (\S+)\./.exec(last.printed()) ?? [];
    expect(await happened(roomId)).toEqual(await happened(report.roomId));
  }, 60_000);

  it('continues when all connections to the database are lost meanwhile', async () => {
    const options = await optionsFor('#cut');
    let cuts = 0;
    const { roomId } = await importIrc(tools, options, ({ done }) => {
      if (done < (cuts + 1) * 700) return;
      cuts++;
      tools.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.catch(() => undefined);
    });
    expect(cuts).toBe(3);
    expect(await happened(roomId)).toEqual(await happened(report.roomId));
  });

  it('does not restart a completed file, whatever has happened since', async () => {
    const first = { files: [logFile('a', '[00:00] <a> x\n=== a has joined\n=== b has left')], room: '#small' };
    const second = { files: [logFile('b', '=== a has left\n=== b has joined')], room: '#small' };
    await importIrc(tools, first);
    await importIrc(tools, second);
    const head = await tools.store.head();
    const again = await importIrc(tools, {
      files: [...second.files, ...first.files, ...second.files],
      room: '#small',
    });
    expect(again.files.map(({ events }) => events)).toEqual([0, 0, 0]);
    expect(again.files[1]?.skipped.map(({ line }) => line)).toEqual([2, 3]);
    expect(await tools.store.head()).toBe(head);
  });

  it('leaves rooms alone that were not created by an import', async () => {
    const actor = { id: randomUUID(), role: 'user' } as const;
    const settings = { topic: '', visibility: 'public', history: 'full', password: null } as const;
    const opening = new CreateRoomCommand(
      randomUUID(),
      { actor, name: 'Ours', ...settings },
      { correlation: randomUUID() },
    );
    await new CreateRoomHandler(tools.rooms, tools.names, tools.passwords).execute(opening);
    await expect(importIrc(tools, { files: [], room: 'ours' })).rejects.toThrow(/was not created by an import/);
  });

  it('may run twice at the same time', async () => {
    const other = await start();
    try {
      const options = await optionsFor('#twice');
      const reports = await Promise.all([importIrc(tools, options), importIrc(other, options)]);
      const roomId = reports[0]?.roomId ?? '';
      expect(await happened(roomId)).toEqual(await happened(report.roomId));
      for (const { files } of reports) expect(files.flatMap(({ refused }) => refused)).toEqual([]);
    } finally {
      await other.close();
    }
  });

  const start = () =>
    openTools({
      config: readConfig({ VERBATIM_DATA: folder }),
      database: { url: database, directUrl: database, lost: new Promise(() => {}), stop: async () => {} },
      log: pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
    });

  /** Imports the test data with the built CLI, in a separate process. */
  function runCli(room: string) {
    const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
    const args = [cli, 'import', 'irc', ...days.map(testData), '--room', room];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, DATABASE_URL: database, VERBATIM_DATA: folder },
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        child.emit('printed');
      });
    }
    return {
      child,
      printed: () => printed,
      /** The exit code, or the signal that terminated it. */
      ended: once(child, 'close').then(([code, signal]) => code ?? signal),
      async reaches(percent: number): Promise<void> {
        const shown = () => [...printed.matchAll(/(\d+) %/g)].map(([, number]) => Number(number));
        while (Math.max(...shown()) < percent) await once(child, 'printed');
      },
    };
  }

  async function allMessages(roomId: string): Promise<Message[]> {
    const messages: Message[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = { limit: 200, ...(cursor !== undefined && { cursor }) };
      const query = { room: roomId, order: 'oldest', visibleFrom: 0n, viewer: importer.id, page } as const;
      const { items, next } = await timeline(tools.readModels.db, query);
      messages.push(...items);
      cursor = next;
    }
    return messages;
  }

  /** What happened in a room, without what differs between identical rooms. */
  async function happened(roomId: string): Promise<object[]> {
    const events: Recorded[] = [];
    for (let full = true; full; ) {
      const page = await tools.openLog.read(roomStream(roomId), BigInt(events.length), 500);
      events.push(...page);
      full = page.length === 500;
    }
    return events.map(({ type, actor, occurredAt, data }) => ({
      ...{ type, actor, occurredAt },
      data: type === 'RoomCreated' ? { ...data, name: '' } : data,
    }));
  }
});

function logFile(digest: string, text: string): LogFile {
  const log = readIrcLog(Buffer.from(text), { date: '2005-09-26', timeZone: 'UTC' });
  if (typeof log === 'string') throw new Error(log);
  return { name: digest, digest, ...log };
}

/** Everything said in the test data, read in the simplest way. */
async function spoken(): Promise<{ kind: string; nick: string; text: string }[]> {
  const logs = await Promise.all(days.map((day) => readFile(testData(day), 'utf8')));
  const announced = /^=== (?!mode\/|.* (?:has (?:joined|left) #ubuntu|is now known as \S+$))(\S+) (.*)$/i;
  return logs
    .join('')
    .split('\n')
    .flatMap((line) => {
      const message = /^\[..:..\] <([^>]+)> (.+)$/.exec(line);
      if (message) return { kind: 'text', nick: message[1] ?? '', text: message[2] ?? '' };
      const action = /^\[..:..\] {2}\* (\S+) (.*)$/.exec(line) ?? announced.exec(line);
      return action ? { kind: 'action', nick: action[1] ?? '', text: action[2] ?? '' } : [];
    });
}
