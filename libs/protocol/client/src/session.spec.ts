import { beforeEach, describe, expect, it } from 'vitest';
import { session as tokens } from './scripted-server.testing.js';
import { type SavedSession, Session, type SharedSession } from './session.js';
import { Unanswered, VerbatimError } from './verbatim-error.js';

/** The exchanges that were made, and what each brings. */
let exchanged: string[];
let outcome: () => Promise<typeof tokens | object>;
let generation: number;

beforeEach(() => {
  exchanged = [];
  generation = 0;
  outcome = async () => ({ ...tokens, accessToken: `access ${++generation}`, refreshToken: `refresh ${generation}` });
});

function signedIn({ signInAgain }: { signInAgain?: () => Promise<never> } = {}) {
  const changes: (string | null)[] = [];
  const session = new Session({
    refresh: async (refreshToken) => {
      exchanged.push(refreshToken);
      return (await outcome()) as never;
    },
    ...(signInAgain && { signInAgain }),
    changed: (saved) => changes.push(saved?.refreshToken ?? null),
  });
  session.begin(tokens as never, Date.now());
  return { session, changes };
}

/** As if the access token had been made so many seconds ago; it is good for 600. */
const aged = (session: Session, seconds: number) => session.begin(tokens as never, Date.now() - seconds * 1_000);
const fails = (error: Error) => {
  outcome = () => Promise.reject(error);
};

describe('signing in again', () => {
  it('does not undo that the person signed out meanwhile', async () => {
    let answer: (tokens: never) => void = () => undefined;
    const { session, changes } = signedIn({
      signInAgain: () =>
        new Promise((resolve) => {
          answer = resolve as typeof answer;
        }),
    });
    session.end();
    const asked = session.accessToken();
    session.leave();
    answer(tokens as never);
    await expect(asked).rejects.toMatchObject({ code: 'unauthenticated' });
    expect([session.user, changes]).toEqual([null, ['refresh', null]]);
  });
});

describe('an access token', () => {
  it('is used for most of its life, and renewed before it ends', async () => {
    const { session } = signedIn();
    aged(session, 470);
    expect(await session.accessToken()).toBe('access');
    aged(session, 490);
    expect(await session.accessToken()).toBe('access 1');
    expect(exchanged).toEqual(['refresh']);
  });

  it('is renewed once, however many ask for it', async () => {
    const { session } = signedIn();
    aged(session, 590);
    const asked = Array.from({ length: 10 }, () => session.accessToken());
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['access 1']));
    expect(exchanged).toEqual(['refresh']);
  });

  it('is renewed when it was refused, once for all to whom it was', async () => {
    const { session } = signedIn();
    expect(await session.accessToken('access')).toBe('access 1');
    expect(await session.accessToken('access')).toBe('access 1');
    expect(exchanged).toEqual(['refresh']);
  });
});

describe('a lost answer to an exchange', () => {
  it('has the access token used to its end, and then the refresh token tried again', async () => {
    const { session } = signedIn();
    aged(session, 590);
    fails(new Unanswered(true));
    expect(await session.accessToken()).toBe('access');
    expect(await session.accessToken()).toBe('access');
    expect(exchanged).toHaveLength(2);
    await expect(session.accessToken('access')).rejects.toThrow(Unanswered);
    expect(exchanged).toHaveLength(4);
  });

  it('is asked for once more at once', async () => {
    const { session } = signedIn();
    aged(session, 590);
    const bring = outcome;
    outcome = () => {
      outcome = bring;
      return Promise.reject(new Unanswered(true));
    };
    expect(await session.accessToken()).toBe('access 1');
    expect(exchanged).toEqual(['refresh', 'refresh']);
  });

  it('stays in doubt when the second request could not even be sent', async () => {
    const { session } = signedIn();
    aged(session, 590);
    outcome = () => {
      fails(new Unanswered(false));
      return Promise.reject(new Unanswered(true));
    };
    expect(await session.accessToken()).toBe('access');
    expect(await session.accessToken()).toBe('access');
    expect(exchanged).toHaveLength(2);
  });

  it('is no doubt where the request was not sent', async () => {
    const { session } = signedIn();
    aged(session, 590);
    fails(new Unanswered(false));
    expect(await session.accessToken()).toBe('access');
    expect(await session.accessToken()).toBe('access');
    expect(exchanged).toHaveLength(2);
  });
});

describe('a session that is over', () => {
  const refused = new VerbatimError('unauthenticated', 'no');

  it('signs the person out', async () => {
    const { session, changes } = signedIn();
    fails(refused);
    await expect(session.accessToken('access')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(session.accessToken()).rejects.toMatchObject({ code: 'unauthenticated' });
    expect([session.user, changes, exchanged.length]).toEqual([null, ['refresh', null], 1]);
  });

  it('is started again if there are credentials, once', async () => {
    let signIns = 0;
    const again = async () => ({ ...tokens, accessToken: `again ${++signIns}` }) as never;
    const { session } = signedIn({ signInAgain: again });
    fails(refused);
    const asked = [session.accessToken('access'), session.accessToken('access')];
    expect(await Promise.all(asked)).toEqual(['again 1', 'again 1']);
  });

  it('is not started again after signing out', async () => {
    const { session } = signedIn({ signInAgain: async () => tokens as never });
    session.leave();
    await expect(session.accessToken()).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a session that several clients share', () => {
  /** Clients that keep one session among them, and take turns. */
  function tabs(count: number) {
    let kept: SavedSession | null = null;
    let turn: Promise<unknown> = Promise.resolve();
    const shared: SharedSession = {
      read: () => kept,
      exclusively: (work) => {
        const result = turn.then(work);
        turn = result.catch(() => undefined);
        return result;
      },
    };
    const sessions = Array.from(
      { length: count },
      () =>
        new Session({
          refresh: async (refreshToken) => {
            exchanged.push(refreshToken);
            return (await outcome()) as never;
          },
          shared,
          changed: (session) => {
            if (session) kept = session;
          },
        }),
    );
    const [first] = sessions as [Session];
    first.begin(tokens as never, Date.now() - 590_000);
    for (const other of sessions.slice(1)) other.restore(first.saved as SavedSession);
    const end = () => {
      kept = null;
    };
    return { sessions, end };
  }

  it('is renewed by one of them, and no refresh token is used twice', async () => {
    const { sessions } = tabs(5);
    const asked = await Promise.all(sessions.flatMap((session) => [session.accessToken(), session.accessToken()]));
    expect(new Set(asked)).toEqual(new Set(['access 1']));
    expect(exchanged).toEqual(['refresh']);
  });

  it('is renewed by each in turn with the token that the one before got', async () => {
    const { sessions } = tabs(3);
    for (const session of sessions) {
      const old = session.saved?.accessToken as string;
      expect(await session.accessToken(old)).not.toBe(old);
      expect(exchanged).toEqual(['refresh']);
    }
  });

  it('is over for all of them once one has signed out', async () => {
    const { sessions, end } = tabs(2);
    end();
    for (const session of sessions) {
      await expect(session.accessToken()).rejects.toMatchObject({ code: 'unauthenticated' });
      expect(session.user).toBeNull();
    }
    expect(exchanged).toEqual([]);
  });
});
