import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import { isRejection, type Rejection, userStream } from '@verbatim/domain';
import { PostgresKeyRing } from '@verbatim/event-store';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../config.js';
import { newId } from '../../new-id.js';
import { Attempts } from '../../storage/limits/attempts.js';
import { AccessTokens } from '../../storage/vault/access-tokens.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { NameCipher } from '../../storage/vault/name-cipher.js';
import { SecondFactors } from '../../storage/vault/second-factors.js';
import { masterKey } from '../../storage/vault/secrets.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { openTools, type Tools } from '../../tools/tools.js';
import { AccountOpener } from '../accounts/account-opener.js';
import { Lockouts } from '../sessions/lockouts.js';
import { PasswordResetIssuer } from '../sessions/password-reset-issuer.js';
import { Proving } from '../sessions/proving.js';
import { SessionRevoker } from '../sessions/session-revoker.js';
import { SessionStarter, type SignedIn } from '../sessions/session-starter.js';
import { SignInCommand, signInCommandHandlers } from '../sessions/sign-in.js';
import { RegisterUserCommand, RegisterUserHandler } from './register-user.js';
import { Registration } from './registration.js';

/** A door that does nothing but send commands. */
@Module({})
class BareDoor {}

let url: string;
let folder: string;
let tools: Tools;
let apps: INestApplicationContext[] = [];

beforeAll(async () => {
  url = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-test-'));
  tools = await openTools({
    config: readConfig({ VERBATIM_DATA: folder }),
    database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
    log: pino({ level: 'error' }),
  });
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await tools.close();
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

/** The command bus of a service with this registration mode, in which 3 failed sign-ins and 2 registrations are the limit. */
async function commandsOf(mode: Registration['mode']): Promise<CommandBus> {
  const { sql, time, users, names, sessions } = tools;
  const master = await masterKey(folder, undefined);
  const keys = await PostgresKeyRing.open(sql, master);
  const nameCipher = await NameCipher.open(keys);
  const accessTokens = await AccessTokens.open(sql, master, time.now);
  const credentials = new Credentials(sql, time.now);
  const settings = readConfig({
    LIMIT_SIGN_IN: '3/60',
    LIMIT_SIGN_IN_ADDRESS: '5/60',
    LIMIT_REGISTRATION: '2/3600',
  });
  const parts = [
    ...[users, names, sessions, accessTokens, time, credentials, new SecondFactors(sql, keys, time.now)],
    ...[new Attempts(sql, nameCipher, settings), new Registration(mode), new Lockouts(names, users, pino())],
  ];
  const app = await NestFactory.createApplicationContext(
    {
      module: BareDoor,
      imports: [CqrsModule.forRoot()],
      providers: [
        ...parts.map((part) => ({ provide: part.constructor as Type, useValue: part })),
        ...[AccountOpener, PasswordResetIssuer, Proving, SessionRevoker, SessionStarter, RegisterUserHandler],
        ...signInCommandHandlers,
      ],
    },
    { logger: ['error'] },
  );
  await app.init();
  apps = [...apps, app];
  return app.get(CommandBus);
}

let addresses = 0;
const client = (address = `198.18.0.${++addresses}`) => ({ address, device: { address, userAgent: null } });
const context = () => ({ correlation: newId() });
const password = 'a good password';
const freshName = () => `ada-${newId().slice(-12)}`;

const register = (commands: CommandBus, from = client(), username = freshName()) =>
  commands.execute(new RegisterUserCommand({ username, password }, from, context()));
const signIn = (commands: CommandBus, username: string, secret: string, from = client()) =>
  commands.execute(new SignInCommand({ username, password: secret }, from, context()));

const outcome = (answer: SignedIn | Rejection) => (isRejection(answer) ? answer.rejected : 'signed in');

describe('a door that only sends commands', () => {
  it('registers and signs in', async () => {
    const commands = await commandsOf('open');
    const username = freshName();
    expect(outcome(await register(commands, client(), username))).toBe('signed in');
    expect(outcome(await signIn(commands, username, password))).toBe('signed in');
    expect(outcome(await signIn(commands, username, 'wrong password'))).toBe('Unauthenticated');
  });

  it('is limited by the failed sign-ins to an account, which is locked out with an event', async () => {
    const commands = await commandsOf('open');
    const username = freshName();
    const ada = await register(commands, client(), username);
    if (isRejection(ada)) throw new Error(ada.detail);
    for (let i = 0; i < 3; i++)
      expect(outcome(await signIn(commands, username, 'wrong password'))).toBe('Unauthenticated');
    const limited = await signIn(commands, username, password);
    expect(limited).toMatchObject({ rejected: 'TooSoon', retryAfterMs: expect.any(Number) });
    await vi.waitFor(async () => {
      const events = await tools.openLog.read(userStream(ada.userId), 0n, 100);
      expect(events.filter(({ type }) => type === 'SignInLockedOut')).toHaveLength(1);
    });
  });

  it('is limited by the failed sign-ins from an address', async () => {
    const commands = await commandsOf('open');
    const from = client();
    const tries = [];
    for (let i = 0; i < 6; i++) tries.push(outcome(await signIn(commands, freshName(), 'wrong password', from)));
    expect(tries).toEqual([...Array(5).fill('Unauthenticated'), 'TooSoon']);
  });

  it('is limited by the registrations from an address', async () => {
    const commands = await commandsOf('open');
    const from = client();
    const tries = [await register(commands, from), await register(commands, from), await register(commands, from)];
    expect(tries.map(outcome)).toEqual(['signed in', 'signed in', 'TooSoon']);
  });

  it.each(['invite', 'closed'] as const)('cannot register where registration is "%s"', async (mode) => {
    expect(outcome(await register(await commandsOf(mode)))).toBe('NotAllowed');
  });
});
