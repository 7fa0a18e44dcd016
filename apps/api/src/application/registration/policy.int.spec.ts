import { CommandBus } from '@nestjs/cqrs';
import { isRejection, type Rejection, userStream } from '@verbatim/domain';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { door } from '../../host/part.js';
import { newId } from '../../new-id.js';
import { OpenLog } from '../../storage/open-log.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import type { SignedIn } from '../sessions/session-starter.js';
import { SignInCommand } from '../sessions/sign-in.js';
import { RegisterUserCommand } from './register-user.js';
import type { Registration } from './registration.js';

let commands: CommandBus;
let log: OpenLog;
let services: TestService[] = [];

/** A door that does nothing but send commands. */
const bareDoor = door({
  name: 'bare',
  open(application) {
    commands = application.get(CommandBus);
    log = application.get(OpenLog);
    return {};
  },
});

/** The command bus of a service with this registration mode, in which 3 failed sign-ins and 2 registrations are the limit. */
async function commandsOf(mode: Registration['mode']): Promise<CommandBus> {
  const limits = { LIMIT_SIGN_IN: '3/60', LIMIT_SIGN_IN_ADDRESS: '5/60', LIMIT_REGISTRATION: '2/3600' };
  const environment = { REGISTRATION: mode, RATE_LIMITS: 'on', ...limits };
  const [first] = services;
  services = [...services, await startTestService({ environment, doors: [bareDoor], ...(first && { beside: first }) })];
  return commands;
}

let open: CommandBus;

beforeAll(async () => {
  open = await commandsOf('open');
});
afterAll(async () => {
  for (const service of services.toReversed()) await service.stop();
});

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
    const username = freshName();
    expect(outcome(await register(open, client(), username))).toBe('signed in');
    expect(outcome(await signIn(open, username, password))).toBe('signed in');
    expect(outcome(await signIn(open, username, 'wrong password'))).toBe('Unauthenticated');
  });

  it('is limited by the failed sign-ins to an account, which is locked out with an event', async () => {
    const username = freshName();
    const ada = await register(open, client(), username);
    if (isRejection(ada)) throw new Error(ada.detail);
    for (let i = 0; i < 3; i++) expect(outcome(await signIn(open, username, 'wrong password'))).toBe('Unauthenticated');
    const limited = await signIn(open, username, password);
    expect(limited).toMatchObject({ rejected: 'TooSoon', retryAfterMs: expect.any(Number) });
    await vi.waitFor(async () => {
      const events = await log.read(userStream(ada.userId), 0n, 100);
      expect(events.filter(({ type }) => type === 'SignInLockedOut')).toHaveLength(1);
    });
  });

  it('is limited by the failed sign-ins from an address', async () => {
    const from = client();
    const tries = [];
    for (let i = 0; i < 6; i++) tries.push(outcome(await signIn(open, freshName(), 'wrong password', from)));
    expect(tries).toEqual([...Array(5).fill('Unauthenticated'), 'TooSoon']);
  });

  it('is limited by the registrations from an address', async () => {
    const from = client();
    const tries = [await register(open, from), await register(open, from), await register(open, from)];
    expect(tries.map(outcome)).toEqual(['signed in', 'signed in', 'TooSoon']);
  });

  it.each(['invite', 'closed'] as const)('cannot register where registration is "%s"', async (mode) => {
    expect(outcome(await register(await commandsOf(mode)))).toBe('NotAllowed');
  });
});
