import { register, type TestPerson } from '../harness/test-client.testing.js';

/** Where attackers come from; bystanders come from 127.0.0.1. Only Linux has all of 127.0.0.0/8 by default. */
export const attackersAddress = process.platform === 'linux' ? '127.0.0.66' : '127.0.0.1';

/** Where the doors for older clients are, as URLs. */
export interface DoorAddresses {
  readonly chitchat: string;
  readonly mqtt: string;
}

/** A service under attack, as attackers see it. */
export interface Target {
  readonly url: string;
  readonly doors: DoorAddresses;
  /** Creates an ordinary account. Use few: registration is limited by address. */
  attacker(): Promise<TestPerson>;
}

export const targetAt = (url: string, doors: DoorAddresses): Target => ({ url, doors, attacker: () => register(url) });

/** Counts of what an attack has done, such as `pings: 120000`. Printed, so that an attack that does nothing is noticed. */
export type Deeds = Record<string, number>;

/** Attacks until `signal` is aborted; resolves once everything is cleaned up. Never rejects because of lost connections. */
export type Assault = (signal: AbortSignal, deeds: Deeds) => Promise<void>;

/** One way to attack the service. Each kind has its own file, listed in `all-attacks.testing.ts`. */
export interface Attack {
  /** What attackers do, as the end of "survives ...". */
  readonly name: string;
  /** Creates the accounts, rooms and messages that the attack needs. */
  prepare(target: Target): Promise<Assault>;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Repeats something every `everyMs` until the signal is aborted. Ignores failures. */
export async function again(signal: AbortSignal, everyMs: number, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now();
    await work().catch(() => undefined);
    await pause(Math.max(1, everyMs - (performance.now() - begun)));
  }
}
