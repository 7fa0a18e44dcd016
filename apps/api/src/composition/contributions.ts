import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Recorded } from '@verbatim/domain';
import type { Metric } from 'prom-client';

/**
 * The order in which the feed calls its sinks. Revoked sessions come before states, so that a reinstated user finds their
 * old sessions revoked; states come before everything that acts on them.
 */
const stages = ['guards', 'revocations', 'states', 'caches', 'subscribers', 'others'] as const;
export type Stage = (typeof stages)[number];

/** Reacts to events as they arrive: each event of the log once, in order. */
export class FeedSink {
  constructor(
    /** For the log. */
    readonly name: string,
    readonly stage: Stage,
    /** Must not wait for a database: see `Feed`. */
    readonly handle: (events: readonly Recorded[]) => void,
    /** Restores a safe state after `handle` failed with these events. */
    readonly rescue?: (events: readonly Recorded[]) => void,
  ) {}
}

/** Deletes expired data every ten minutes; with `atStart` also once when the read models have caught up. */
export class Sweep {
  constructor(
    /** For the log. */
    readonly name: string,
    readonly run: () => Promise<unknown>,
    readonly atStart = false,
  ) {}
}

/** A readiness condition: the service takes traffic only while all of them hold. */
export class ReadinessCheck {
  constructor(
    /** Shown to operators when it fails. */
    readonly name: string,
    /** A string explains in one sentence why it fails. */
    readonly ready: () => boolean | string | Promise<boolean | string>,
  ) {}
}

/**
 * A metric read when Prometheus scrapes it. One whose name ends with `_total` is a counter: it only grows until the
 * process ends.
 */
export class Figure {
  constructor(
    readonly name: `verbatim_${string}`,
    readonly help: string,
    readonly read: () => number | Promise<number>,
  ) {}

  get counts(): boolean {
    return this.name.endsWith('_total');
  }
}

/** Metrics updated as things happen. They are not registered yet. */
export class Measurements {
  constructor(readonly metrics: readonly Metric[]) {}
}

/** What a door or unit contributes when it is opened. */
export interface Contributed {
  readonly figures?: readonly Figure[];
  readonly checks?: readonly ReadinessCheck[];
  readonly sinks?: readonly FeedSink[];
  readonly sweeps?: readonly Sweep[];
}

/**
 * What modules contribute to the process as a whole. A module declares a contribution as a provider; a door or unit
 * returns it from `open`.
 */
@Injectable()
export class Contributions {
  private readonly opened: Contributed[] = [];

  constructor(private readonly discovery: DiscoveryService) {}

  /** Adds the contributions of a door or unit. */
  add(opened: Contributed): void {
    this.opened.push(opened);
  }

  /** The sinks in the order in which the feed has to call them. */
  sinks(): FeedSink[] {
    const sinks = [...this.provided(FeedSink), ...this.opened.flatMap(({ sinks = [] }) => sinks)];
    return sinks.sort((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage));
  }

  sweeps(): Sweep[] {
    return [...this.provided(Sweep), ...this.opened.flatMap(({ sweeps = [] }) => sweeps)];
  }

  checks(): ReadinessCheck[] {
    return [...this.provided(ReadinessCheck), ...this.opened.flatMap(({ checks = [] }) => checks)];
  }

  figures(): Figure[] {
    return [...this.provided(Figure), ...this.opened.flatMap(({ figures = [] }) => figures)];
  }

  measurements(): Metric[] {
    return this.provided(Measurements).flatMap(({ metrics }) => metrics);
  }

  /** Providers of this class, or of several at once where a module provides an array of them. */
  private provided<T>(type: abstract new (...args: never[]) => T): T[] {
    const instances: unknown[] = this.discovery.getProviders().flatMap(({ instance }) => instance);
    return [...new Set(instances.filter((instance): instance is T => instance instanceof type))];
  }
}
