import { randomBytes } from 'node:crypto';
import { openChat } from '@verbatim/domain';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { readConfig } from '../../config.js';
import type { Database } from '../../storage/database/database.js';
import { newChatSecret } from '../../storage/ephemeral/chat-secrets.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { UsageError } from '../command.js';
import { openTools, type Tools } from '../tools.js';
import { importSfchatCommand } from './import-sfchat-command.js';
import { sfchatCommand } from './sfchat-command.js';

const DAY_MS = 86_400_000;

let url: string;
let tools: Tools;
let printed = '';
let complained = '';
let now = Date.parse('2026-03-01T12:00:00Z');
const config = readConfig({ MASTER_KEY: randomBytes(32).toString('base64'), LOG_LEVEL: 'silent' });
const log = pino({ level: 'silent' });

beforeAll(async () => {
  url = await createDatabase();
  const database: Database = { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined };
  tools = await openTools({ config, database, log, clock: () => new Date(now) });
});
afterEach(() => {
  vi.restoreAllMocks();
  printed = complained = '';
});
afterAll(async () => {
  await tools?.close();
  await dropDatabase(url);
});

/** Captures the output. */
function listen(): void {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained += text;
    return true;
  });
}

function run(...args: string[]): Promise<number> {
  listen();
  const unused = () => Promise.reject(new Error('not needed'));
  return sfchatCommand.run(args, { config, log, database: unused, tools: async () => tools });
}

async function openOne(): Promise<string> {
  const code = newChatSecret();
  await tools.chats.open({ code, token: newChatSecret() }, openChat, new Date(now), 100);
  return code;
}

it('shows how many chats there are, without their content', async () => {
  const code = await openOne();
  expect(await run('status')).toBe(0);
  expect(printed).toContain('1 waiting for the other person, 0 going on, 0 ended; 0 texts not confirmed.');
  expect(printed).toContain('2026-03-01  opened  1');
  expect(printed).not.toContain(code);
});

it('cleans up in two phases', async () => {
  now += DAY_MS;
  expect(await run('clear')).toBe(0);
  expect(printed).toBe('1 chat(s) closed, 0 chat(s) deleted!\n');
  now += 60_000;
  printed = '';
  expect(await run('clear')).toBe(0);
  expect(printed).toBe('0 chat(s) closed, 1 chat(s) deleted!\n');
});

it('ends one chat, or all', async () => {
  const codes = [await openOne(), await openOne(), await openOne()];
  const [first] = await tools.chats.list(10);
  expect(await run('end', first?.id ?? '')).toBe(0);
  expect(await run('end', 'nothing', '01985f6e-7a2c-7000-8000-0000000000a1')).toBe(1);
  expect(complained).toContain('There is no chat nothing.');
  printed = '';
  expect(await run('end', '--all')).toBe(0);
  expect(printed).toBe('2 chat(s) closed.\n');
  for (const code of codes) expect((await tools.chats.find(code))?.state.status).toBe('closed');
});

it('explains its usage', async () => {
  for (const args of [[], ['status', 'x'], ['clear', 'x'], ['end'], ['delete']])
    await expect(run(...args)).rejects.toThrow(UsageError);
});

it('explains why there is nothing to import', async () => {
  listen();
  expect(await importSfchatCommand.run([], {} as never)).toBe(0);
  expect(printed).toContain('There is nothing to import from SFChat');
});
