import { isRejection, type Rejection, type RoomEvent, type RoomState, room } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { type Decided, mailboxLimits } from '../../write-side/mailbox.js';
import type { Tools } from '../tools.js';
import type { Step } from './import-plan.js';
import { importer } from './import-room.js';
import { answered, ImportStopped, PATIENCE_MS, patiently } from './patience.js';

/** The result of delivering steps. */
export interface Delivery {
  /** Events that the room recorded for them. */
  readonly events: number;
  /** Steps that the room unexpectedly refused, with the reason as a sentence. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

/**
 * Commands sent together. A later step must never overtake an earlier one, because its place tells the room that it has all
 * earlier steps. A room decides commands that queued up while it was busy as one batch and stores a prefix of it or
 * nothing; a second batch, however, might be stored when the first was not.
 */
const BATCH = mailboxLimits.batch - 1;

/** Sends steps to a room, in order, each until its outcome is known. Calls `onLine` with the line of each. */
export async function deliver(
  { rooms, readModels }: Tools,
  roomId: string,
  steps: readonly Step[],
  onLine: (line: number) => void,
): Promise<Delivery> {
  const correlation = newId();
  const refused: { line: number; reason: string }[] = [];
  let events = 0;
  let sentThrough = -1;
  for (let next = 0; next < steps.length; ) {
    const outcomes = await patiently(() => sendNext(steps.slice(next, next + BATCH)));
    for (const outcome of outcomes) {
      const step = steps[next++] as Step;
      if (isRejection(outcome)) refused.push({ line: step.line, reason: outcome.detail });
      else events += outcome.events;
      onLine(step.line);
    }
  }
  return { events, refused };

  /** Sends as many steps as can be sent together. Returns the outcomes up to the first unknown one, at least one. */
  async function sendNext(candidates: readonly Step[]): Promise<Outcome[]> {
    const { state, position } = await rooms.newest(roomId);
    // The room looks up message ids that it no longer remembers in the read models.
    if (!(await readModels.reached(position, PATIENCE_MS)))
      throw new ImportStopped('The read models are too far behind.');
    // This changes nothing, but keeps the room busy until all steps have arrived for its next batch.
    rooms.send(roomId, { type: 'ChangeRoom', actor: importer }, { correlation }).catch(() => undefined);
    const chunk = decidableTogether(state, candidates);
    const answers = await Promise.allSettled(
      chunk.map(async (step) => {
        const repeated = step.place <= sentThrough;
        const { command, occurredAt } = step;
        const outcome = answered(await rooms.send(roomId, command, { correlation, occurredAt }));
        if (repeated && isLost(step, outcome)) throw new ImportStopped(`Line ${step.line} was lost.`);
        return outcome;
      }),
    );
    sentThrough = Math.max(sentThrough, chunk.at(-1)?.place ?? -1);
    const known: Outcome[] = [];
    for (const answer of answers) {
      if (answer.status === 'fulfilled') known.push(answer.value);
      else if (known.length > 0) break;
      else throw answer.reason;
    }
    return known;
  }
}

/**
 * The first of these steps that the room can decide in one batch. At first a room remembers all its messages and looks up
 * none. Once it has started to forget some, it looks up every message before it is posted, at the beginning of a batch. So
 * no post may follow in the batch in which that starts, because the other steps would not wait for it.
 */
function decidableTogether(before: RoomState, steps: readonly Step[]): readonly Step[] {
  const forgets = ({ messages }: RoomState) => messages.since >= 0n;
  let state = before;
  for (const [i, { command, occurredAt }] of steps.entries()) {
    if (forgets(before)) break;
    if (forgets(state) && command.type === 'PostMessage') return steps.slice(0, i);
    const decision = room.decide(command, state, occurredAt);
    if (isRejection(decision)) continue;
    for (const fact of decision.events) {
      const revision = state.revision + 1n;
      state = room.evolve(state, { ...fact, revision, at: occurredAt, actor: command.actor.id } as RoomEvent);
    }
  }
  return steps;
}

type Outcome = Decided<RoomState> | Rejection;

/** Whether a message of unknown outcome was not posted and never will be, because the room has stored later steps. */
const isLost = ({ command }: Step, outcome: Outcome): boolean =>
  command.type === 'PostMessage' &&
  !isRejection(outcome) &&
  outcome.events === 0 &&
  !outcome.state.messages.get(command.messageId);
