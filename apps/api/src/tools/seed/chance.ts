import { createHash } from 'node:crypto';

/**
 * Random numbers that depend only on seed and purpose: sfc32, from Chris Doty-Humphrey's PractRand. Drawing more for one purpose
 * does not change what is drawn for another. Not for secrets.
 */
export class Chance {
  private readonly state: Uint32Array;

  constructor(seed: number, purpose: string) {
    const bytes = createHash('sha256').update(`${seed} ${purpose}`).digest();
    this.state = Uint32Array.from({ length: 4 }, (_, i) => bytes.readUInt32LE(i * 4));
    this.state[3] = 1;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** From 0 up to but not including 1. */
  share(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** A whole number from 0 up to but not including `count`. */
  below(count: number): number {
    return Math.floor(this.share() * count);
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.share() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    if (picked === undefined) throw new Error('There is nothing to pick from.');
    return picked;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  private word(): number {
    const [a = 0, b = 0, c = 0, count = 0] = this.state;
    const word = (a + b + count) >>> 0;
    this.state.set([(b ^ (b >>> 9)) >>> 0, (c + (c << 3)) >>> 0, (((c << 21) | (c >>> 11)) + word) >>> 0, count + 1]);
    return word;
  }
}
