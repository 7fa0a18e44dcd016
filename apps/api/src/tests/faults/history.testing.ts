/** What the participants of a run have seen; revisions as the doors report them. */
export interface History {
  readonly attempts: readonly Attempt[];
  /** What was posted through doors that do not tell ids; each text is different from all others. */
  readonly sayings?: readonly Saying[];
  readonly log: readonly Logged[];
  /** In the log of a store that does not count its events: they only grow. */
  readonly positionsHaveGaps?: boolean;
  readonly hearings: readonly Hearing[];
  readonly timelines: readonly Timeline[];
}

/** One posting of a message and what became of it. */
export interface Saying {
  readonly room: string;
  readonly text: string;
  readonly outcome: Outcome;
}

/** One posting under an id. A message may have been posted several times with the same id. */
export interface Attempt extends Saying {
  readonly id: string;
}

export type Outcome =
  /** Null where the door does not say at which revision. */
  | { readonly is: 'acknowledged'; readonly revision: number | null }
  /** The service said that it will not be stored. */
  | { readonly is: 'refused'; readonly code: string }
  /** Nobody could say. */
  | { readonly is: 'unknown' };

/** An event as the log holds it: `sealed` is the text that was hashed, `messageId` and `text` are those of a message. */
export interface Logged {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly sealed: string;
  readonly prev: string | null;
  readonly hash: string;
  readonly messageId: string | null;
  readonly text: string | null;
}

/** What somebody heard of a room, in the order in which it came: all after revision `after`. */
export interface Hearing {
  readonly who: string;
  readonly room: string;
  readonly after: number;
  readonly events: readonly Heard[];
  /** Whether it should contain everything up to the end of the log; otherwise listening stopped earlier. */
  readonly toTheEnd: boolean;
}

export interface Heard {
  readonly revision: number;
  readonly type: string;
  readonly messageId: string | null;
  readonly text: string | null;
}

/** The messages of a room from a list, oldest first. */
export interface Timeline {
  readonly who: string;
  readonly room: string;
  readonly messages: readonly { readonly id: string; readonly revision: number; readonly text: string | null }[];
}
