import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRejection, userStream } from '@verbatim/domain';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { newId } from '../../new-id.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { openTools, type Tools } from '../../tools/tools.js';
import { SessionRevoker } from './session-revoker.js';

const DAY = 86_400_000;

let tools: Tools;
let url: string;
let folder: string;
let now = Date.now();

beforeAll(async () => {
  url = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-test-'));
  tools = await openTools({
    config: readConfig({ VERBATIM_DATA: folder }),
    database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
    log: pino({ level: 'error' }),
    clock: () => new Date(now),
  });
});
afterAll(async () => {
  await tools.close();
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

const context = () => ({ correlation: newId() });

async function account(): Promise<string> {
  const userId = newId();
  const plain = { displayName: 'Ada', email: null, role: 'user', origin: 'registration' } as const;
  const register = { type: 'RegisterUser', actor: null, username: `ada-${userId.slice(-12)}`, ...plain } as const;
  if (isRejection(await tools.users.send(userId, register, context()))) throw new Error('no account');
  return userId;
}

async function session(userId: string): Promise<{ sessionId: string; refreshToken: string }> {
  const sessionId = newId();
  const device = { address: null, userAgent: null };
  const refreshToken = await tools.sessions.start({ sessionId, userId, how: 'password', device });
  return { sessionId, refreshToken: refreshToken ?? '' };
}

const sweep = () => new SessionRevoker(tools.users, tools.sessions).revokeExpired(context);

const endsOf = async (userId: string) =>
  (await tools.openLog.read(userStream(userId), 0n, 100))
    .filter((event) => event.type === 'SessionRevoked')
    .map(({ data }) => data);

describe('sessions past their end', () => {
  it('are ended with an event, once, and others are not', async () => {
    const userId = await account();
    const [unused, renewed] = [await session(userId), await session(userId)];
    now += 29 * DAY;
    const { sessionId } = renewed;
    expect(await tools.sessions.rotate(renewed.refreshToken)).toMatchObject({ outcome: 'rotated', sessionId });
    now += 2 * DAY;
    await sweep();
    await sweep();
    expect(await endsOf(userId)).toEqual([{ sessionId: unused.sessionId, cause: 'expired' }]);
    expect(tools.sessions.isRevoked(unused.sessionId, userId)).toBe(true);
    expect(tools.sessions.isRevoked(sessionId, userId)).toBe(false);
  });

  it('are those that were renewed for 90 days as well', async () => {
    const userId = await account();
    const { sessionId, refreshToken } = await session(userId);
    let token = refreshToken;
    for (let month = 0; month < 4; month++) {
      now += 22 * DAY;
      const rotation = await tools.sessions.rotate(token);
      expect(rotation.outcome).toBe('rotated');
      if (rotation.outcome === 'rotated') token = rotation.refreshToken;
    }
    await sweep();
    expect(await endsOf(userId)).toEqual([]);
    now += 3 * DAY;
    await sweep();
    expect(await endsOf(userId)).toEqual([{ sessionId, cause: 'expired' }]);
    expect(await tools.sessions.rotate(token)).toEqual({ outcome: 'unknown' });
  });
});
