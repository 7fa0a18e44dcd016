import { register, type TestPerson } from '../harness/test-client.testing.js';

/** Where attackers come from; bystanders come from 127.0.0.1. Only Linux has all of 127.0.0.0/8 without further ado. */
export const attackersAddress = process.platform === 'linux' ? '127.0.0.66' : '127.0.0.1';

/** A service under attack, as attackers see it. */
export interface Target {
  readonly url: string;
  /** Makes an ordinary account. Few of them: registering is limited by address. */
  attacker(): Promise<TestPerson>;
}

export const targetAt = (url: string): Target => ({ url, attacker: () => register(url) });

/** What an attack has done so far, by name: `pings: 120000`. It is printed, so that an attack that did nothing is noticed. */
export type Deeds = Record<string, number>;

/** Attacks until `signal` is aborted; resolves when nothing of it is left. Never rejects for being cut off. */
export type Assault = (signal: AbortSignal, deeds: Deeds) => Promise<void>;

/** One way to bring the service down. Each kind is a file of its own, listed in `all-attacks.testing.ts`. */
export interface Attack {
  /** What attackers do, as the end of "survives ...". */
  readonly name: string;
  /** Makes accounts, rooms and messages that the attack needs. */
  prepare(target: Target): Promise<Assault>;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Does something again and again, as often as once in `everyMs`, until the signal is aborted. Failures are not looked at. */
export async function again(signal: AbortSignal, everyMs: number, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now();
    await work().catch(() => undefined);
    await pause(Math.max(1, everyMs - (performance.now() - begun)));
  }
}
