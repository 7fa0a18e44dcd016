import { positionHeader } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from './refusal.js';

export const POSITION_HEADER = 'verbatim-position';

/** Milliseconds a write waits until reads show it; after that the response carries its position instead. */
const WRITE_PATIENCE_MS = 2_000;
/** Milliseconds a read waits for the position that the client sent. */
const READ_PATIENCE_MS = 5_000;
/** Milliseconds after which a waiting read checks whether the position exists at all. */
const CHECK_POSITION_AFTER_MS = 250;

/** How far the read models have got. */
export interface ReadModelProgress {
  /** Whether all events up to `position` were applied within `patienceMs`. */
  reached(position: bigint, patienceMs: number): Promise<boolean>;
  /** Position of the last event of the log. */
  head(): Promise<bigint>;
}

/** Lets a client read what it wrote, on any replica. */
export class ReadYourWrites {
  constructor(private readonly readModels: ReadModelProgress) {}

  /** Waits until a following read shows what was written at `position`, or sends the client the position to wait for. */
  async written(position: bigint, reply: FastifyReply): Promise<boolean> {
    const visible = await this.readModels.reached(position, WRITE_PATIENCE_MS);
    if (!visible) reply.header(POSITION_HEADER, `${position}`);
    return visible;
  }

  /** Makes a read wait for the position that the client names. */
  async beforeRead(request: FastifyRequest): Promise<void> {
    const header = request.headers[POSITION_HEADER];
    if (header === undefined) return;
    const position = positionHeader.safeParse(header).data;
    if (position === undefined) {
      throw new Refusal('invalid_request', 'The header Verbatim-Position must be a number.', {
        errors: [{ path: 'headers.verbatim-position', message: 'must be a whole number' }],
      });
    }
    if (!(await this.shown(BigInt(position)))) {
      throw new Refusal('unavailable', 'The read models have not reached this position yet. Try again later.');
    }
  }

  /**
   * Clients get positions of events that are stored, so one past the end of the log is of the time before the service was
   * moved to another store, or before a backup was restored. Its client is shown everything that there is.
   */
  private async shown(position: bigint): Promise<boolean> {
    if (await this.readModels.reached(position, CHECK_POSITION_AFTER_MS)) return true;
    const reached = this.readModels.reached(position, READ_PATIENCE_MS);
    const head = await Promise.race([reached.then(() => position), this.readModels.head().catch(() => position)]);
    return head < position ? this.readModels.reached(head, READ_PATIENCE_MS) : reached;
  }
}
