import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Message, searchMessages, timeline } from '@verbatim/projections';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { openTools, type Tools } from '../tools.js';
import { readOptions } from './import-command.js';
import { importIrc } from './import-irc.js';
import type { LogFile } from './import-plan.js';
import { importer } from './import-room.js';
import { readIrcLog } from './irc-log.js';
import { undoImport } from './undo-import.js';

const day = fileURLToPath(new URL('./test-data/2005-09-26.txt', import.meta.url));

describe('undoing an import', () => {
  let database: string;
  let folder: string;
  let tools: Tools;

  beforeAll(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-undo-'));
    tools = await start();
  });
  afterAll(async () => {
    await tools?.close();
    await dropDatabase(database);
    await rm(folder, { recursive: true, force: true });
  });

  it('redacts what was imported, closes and hides the room, and lets its name go', async () => {
    const { roomId } = await importIrc(tools, {
      files: [log('a', ['ayşe', 'Nuñez']), log('b', ['明'])],
      room: '#gone',
    });
    const dry = await undoImport(tools, { room: '#GONE', dryRun: true });
    expect(dry).toMatchObject({ roomId, redacted: 3, room: 'closed' });
    expect(await texts(roomId)).toEqual(['ayşe in a', 'Nuñez in a', '明 in b']);

    const undone = await undoImport(tools, { room: '#GONE', dryRun: false });
    expect(undone).toMatchObject({ roomId, redacted: 3, room: 'closed', visible: true });
    expect(undone.files.map(({ digest, messages }) => [digest, messages])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(await texts(roomId)).toEqual([null, null, null]);
    expect((await tools.rooms.newest(roomId)).state).toMatchObject({ status: 'closed', visibility: 'hidden' });
    expect(await found('ayşe')).toEqual([]);
  });

  it('changes nothing when it is done again', async () => {
    const head = await tools.store.head();
    const again = await undoImport(tools, { room: '#gone', dryRun: false });
    expect(again).toMatchObject({ redacted: 0, room: 'closed before' });
    expect(await tools.store.head()).toBe(head);
  });

  it('lets the same files be imported again under the same name', async () => {
    const again = await importIrc(tools, { files: [log('a', ['ayşe'])], room: '#gone' });
    expect(await texts(again.roomId)).toEqual(['ayşe in a']);
    expect((await undoImport(tools, { room: '#gone', dryRun: false })).roomId).toBe(again.roomId);
  });

  it('of one file leaves the others, and lets those leave who have nothing else in the room', async () => {
    const files = [log('1111', ['only', 'both']), log('2222', ['both', 'later'])];
    const { roomId } = await importIrc(tools, { files, room: '#part' });
    const undone = await undoImport(tools, { room: roomId, files: ['1111'], dryRun: false });
    expect(undone).toMatchObject({ redacted: 2, room: 'kept' });
    expect(await texts(roomId)).toEqual([null, null, 'both in 2222', 'later in 2222']);
    expect(await memberNames(roomId)).toEqual(['Importer', 'both', 'later']);
  });

  it('lets one file be imported again into the same room, once, and be undone again', async () => {
    const files = [log('1111', ['only', 'both'])];
    const first = await importIrc(tools, { files, room: '#part' });
    expect((await importIrc(tools, { files, room: '#part' })).files[0]?.events).toBe(0);
    const standing = async () => (await texts(first.roomId)).filter((text) => text !== null);
    expect(await standing()).toEqual(['both in 2222', 'later in 2222', 'only in 1111', 'both in 1111']);
    await undoImport(tools, { room: '#part', files: ['1111'], dryRun: false });
    expect(await standing()).toEqual(['both in 2222', 'later in 2222']);
    await importIrc(tools, { files, room: '#part' });
    expect(await standing()).toEqual(['both in 2222', 'later in 2222', 'only in 1111', 'both in 1111']);
  });

  it('leaves what others have posted, and the room open', async () => {
    const { roomId } = await importIrc(tools, { files: [log('c', ['x'])], room: '#shared' });
    const actor = { id: randomUUID(), role: 'user' } as const;
    const context = { correlation: randomUUID() };
    await tools.rooms.send(roomId, { type: 'JoinRoom', actor }, context);
    const said = { messageId: randomUUID(), text: 'mine', replyTo: null, kind: 'text' } as const;
    await tools.rooms.send(roomId, { type: 'PostMessage', actor, ...said }, context);
    expect(await undoImport(tools, { room: '#shared', dryRun: false })).toMatchObject({
      redacted: 1,
      room: 'kept',
    });
    expect(await texts(roomId)).toEqual([null, 'mine']);
    expect((await tools.rooms.newest(roomId)).state).toMatchObject({ status: 'open', visibility: 'public' });
  });

  it('refuses rooms and files that are not there', async () => {
    const undo = (room: string, files?: string[]) => undoImport(tools, { room, files, dryRun: false });
    await expect(undo('#nowhere')).rejects.toThrow(/no imported room “#nowhere”/);
    await expect(undo(randomUUID())).rejects.toThrow(/no imported room/);
    await expect(undo('#shared', ['dddd'])).rejects.toThrow(/nothing from the file dddd. It has these files.*\n {2}c$/);
  });

  it('that was broken off halfway is completed by the same call, and nothing is imported before', async () => {
    const options = await readOptions([day, '--room', '#half']);
    const { roomId } = await importIrc(tools, options);
    const breakOff = () => {
      throw new Error('broken off');
    };
    await expect(undoImport(tools, { room: '#half', dryRun: false }, breakOff)).rejects.toThrow('broken off');
    await expect(importIrc(tools, options)).rejects.toThrow(/undoing it has begun/);
    const rest = await undoImport(tools, { room: '#half', dryRun: false });
    expect(rest.redacted).toBe(1266 - 100);
    expect(new Set(await texts(roomId))).toEqual(new Set([null]));
  });

  it('continues after its process was killed', async () => {
    expect(await cli('import', 'irc', day, '--room', '#killed').ended).toBe(0);
    const killed = cli('import', 'undo', '--room', '#killed');
    await Promise.race([killed.prints(/redacting: [1-9]/), killed.ended]);
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    const last = cli('import', 'undo', '--room', '#killed');
    expect(await last.ended).toBe(0);
    expect(last.printed()).toMatch(/(\d+) messages redacted.\nThe room was closed and hidden; its name is free./);
    const [, roomId = ''] = /\(([0-9a-f-]{36})\)/.exec(last.printed()) ?? [];
    expect(new Set(await texts(roomId))).toEqual(new Set([null]));
  }, 60_000);

  it('is not needed where a log cannot be read: no room is made of it', async () => {
    const path = join(folder, '2005-09-26.json');
    await writeFile(path, '{"messages": []}');
    const refused = cli('import', 'irc', path, '--room', '#unread');
    expect(await refused.ended).toBe(2);
    expect(refused.printed()).toContain('Its format is unknown. Known are: ubuntu');
    await expect(undoImport(tools, { room: '#unread', dryRun: true })).rejects.toThrow(/no imported room/);
  }, 60_000);

  const start = () =>
    openTools({
      config: readConfig({ VERBATIM_DATA: folder }),
      database: { url: database, directUrl: database, lost: new Promise(() => {}), stop: async () => {} },
      log: pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
    });

  /** The built command line, as a process of its own. */
  function cli(...args: string[]) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('../../../dist/cli.js', import.meta.url)), ...args], {
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
      /** The exit code, or the signal that ended it. */
      ended: once(child, 'close').then(([code, signal]) => code ?? signal),
      async prints(pattern: RegExp): Promise<void> {
        while (!pattern.test(printed)) await once(child, 'printed');
      },
    };
  }

  /** What the read models show of the room; null for what was redacted. */
  async function texts(roomId: string): Promise<(string | null)[]> {
    const messages: Message[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = { limit: 200, ...(cursor !== undefined && { cursor }) };
      const query = { room: roomId, order: 'oldest', visibleFrom: 0n, viewer: importer.id, page } as const;
      const { items, next } = await timeline(tools.readModels.db, query);
      messages.push(...items);
      cursor = next;
    }
    return messages.map(({ text }) => text);
  }

  async function found(q: string): Promise<(string | null)[]> {
    const query = { viewer: importer.id, q, page: { limit: 5 } };
    return (await searchMessages(tools.readModels.db, query)).items.map(({ text }) => text);
  }

  async function memberNames(roomId: string): Promise<string[]> {
    const { state } = await tools.rooms.newest(roomId);
    const ids = [...state.members.entries()].map(([id]) => id);
    const names = await Promise.all(ids.map(async (id) => (await tools.users.current(id)).state.displayName ?? ''));
    return names.sort();
  }
});

/** A log in which each of these people says one thing. */
function log(digest: string, nicks: readonly string[]): LogFile {
  const text = nicks.map((nick, i) => `[00:0${i}] <${nick}> ${nick} in ${digest}`).join('\n');
  const read = readIrcLog(Buffer.from(text), { date: '2005-09-26', timeZone: 'UTC' });
  if (typeof read === 'string') throw new Error(read);
  return { name: digest, digest, ...read };
}
