import {
  inMaintenance,
  MAINTENANCE,
  type MaintenanceEvent,
  type MaintenanceState,
  maintenance,
  type Recorded,
  type Rejection,
  stopsInMaintenance,
  streamName,
} from '@verbatim/domain';
import type { Clock } from '../clock.js';
import type { AnyCommand, Gate } from './mailbox.js';

/**
 * Whether the service is in maintenance, as this process knows it from the feed: a field in memory, which every mailbox checks
 * before it records anything. A program without a feed, such as an import on the command line, is run by the operator and
 * is not stopped.
 */
export class Maintenance implements Gate {
  private state: MaintenanceState = maintenance.initialState;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** The current maintenance, or null. */
  get now(): MaintenanceState['on'] {
    return this.state.on;
  }

  refusal(command: AnyCommand): Rejection | null {
    const { on } = this.state;
    return on !== null && stopsInMaintenance(command) ? inMaintenance(on, this.clock().toISOString()) : null;
  }

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    let { state } = this;
    for (const event of events)
      if (event.stream === STREAM && event.revision > state.revision)
        state = maintenance.evolve(state, event as Recorded<MaintenanceEvent>);
    this.adopt(state);
  }

  /** Adopts a state that was folded elsewhere, unless it is older than that from the feed. */
  adopt(state: MaintenanceState): void {
    if (state.revision <= this.state.revision) return;
    this.state = state;
    for (const listener of this.listeners) listener();
  }

  /** Calls `listener` whenever maintenance starts or ends, or its notice changes. */
  whenChanged(listener: () => void): void {
    this.listeners.add(listener);
  }
}

const STREAM = streamName(maintenance.category, MAINTENANCE);
