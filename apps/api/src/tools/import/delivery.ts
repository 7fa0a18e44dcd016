import { isRejection, type Rejection, type RoomEvent, type RoomState, room } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { type Decided, mailboxLimits } from '../../write-side/mailbox.js';
import type { Tools } from '../tools.js';
import type { Step } from './import-plan.js';
import { importer } from './import-room.js';
import { answered, ImportStopped, PATIENCE, patiently } from './patience.js';

/** What came of the steps. */
export interface Delivery {
  /** Events that the room has got by them. */
  readonly events: number;
  /** Steps that the room refused against all expectation, and why: a sentence. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

/**
 * Commands sent together at most. No step may be overtaken by later ones, whose places would tell the room that it had
 * taken everything before. A room decides what has piled up while it was busy as one batch, of which a beginning is
 * stored or nothing; a second batch, however, might be stored when the first was not.
 */
const TOGETHER = mailboxLimits.batch - 1;

/** Sends steps to a room, in order, each until it is known what came of it; `tell` hears the line of each. */
export async function deliver(
  { rooms, readModels }: Tools,
  roomId: string,
  steps: readonly Step[],
  tell: (line: number) => void,
): Promise<Delivery> {
  const correlation = newId();
  const refused: { line: number; reason: string }[] = [];
  let events = 0;
  let sentThrough = -1;
  for (let next = 0; next < steps.length; ) {
    const outcomes = await patiently(() => sendNext(steps.slice(next, next + TOGETHER)));
    for (const outcome of outcomes) {
      const step = steps[next++] as Step;
      if (isRejection(outcome)) refused.push({ line: step.line, reason: outcome.detail });
      else events += outcome.events;
      tell(step.line);
    }
  }
  return { events, refused };

  /** Sends as many as may go together; gives the outcomes up to the first that is unknown, at least one. */
  async function sendNext(candidates: readonly Step[]): Promise<Outcome[]> {
    const { state, position } = await rooms.newest(roomId);
    // The room asks the read models about message ids that it does not remember.
    if (!(await readModels.reached(position, PATIENCE))) throw new ImportStopped('The read models do not keep up.');
    // Changes nothing but keeps the room busy, so that all others arrive before it looks for the next batch.
    rooms.send(roomId, { type: 'ChangeRoom', actor: importer }, { correlation }).catch(() => undefined);
    const chunk = decidableTogether(state, candidates);
    const answers = await Promise.allSettled(
      chunk.map(async (step) => {
        const repeated = step.place <= sentThrough;
        const { command, occurredAt } = step;
        const outcome = answered(await rooms.send(roomId, command, { correlation, occurredAt }));
        if (repeated && isLost(step, outcome)) throw new ImportStopped(`Line ${step.line} has got lost.`);
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
 * A room remembers all of its messages at first and needs to look up none. Once it has begun to forget some, it must
 * look up every message before it is posted, and does so at the beginning of a batch: so no post may come later in the
 * batch in which it begins. Other steps would not wait for it.
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

/** Whether a message that may have been posted was not, and cannot be any more, as the room has taken later steps. */
const isLost = ({ command }: Step, outcome: Outcome): boolean =>
  command.type === 'PostMessage' &&
  !isRejection(outcome) &&
  outcome.events === 0 &&
  !outcome.state.messages.get(command.messageId);
