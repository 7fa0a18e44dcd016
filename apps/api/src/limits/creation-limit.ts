import type { Rejection } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { addressKey } from './address-key.js';
import { Allowance } from './allowance.js';
import { limitedFor } from './limited.js';
import type { Rate } from './rate.js';

/** Addresses kept in memory. */
const REMEMBERED = 50_000;

/** Limits how many rooms may be created from one address through a door that needs no account for it. */
export class CreationLimit {
  private readonly addresses = new LRUCache<string, Allowance>({ max: REMEMBERED });

  constructor(private readonly rate: Rate) {}

  spend(address: string): Rejection | null {
    const key = addressKey(address);
    const allowance = this.addresses.get(key) ?? new Allowance(this.rate);
    this.addresses.set(key, allowance);
    return limitedFor(allowance.spend());
  }
}
