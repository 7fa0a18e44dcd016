/** Why a command was refused. The list is closed; libs/protocol maps each reason to an error code. */
export type RejectionReason =
  | 'Invalid'
  | 'Unauthenticated'
  | 'NotFound'
  | 'NotAMember'
  | 'NotAllowed'
  | 'WrongPassword'
  | 'SecondFactorNeeded'
  | 'ReasonNeeded'
  | 'RoomClosed'
  | 'DuplicateId'
  | 'NameTaken'
  | 'Conflict'
  | 'TooSoon'
  | 'Maintenance'
  | 'Unavailable';

export interface Rejection {
  readonly rejected: RejectionReason;
  /** One sentence for people; contains nothing that the caller may not know. */
  readonly detail: string;
  /** Milliseconds after which the same command may be accepted, where that is known. */
  readonly retryAfterMs?: number;
}

/** `retryAfterMs`: milliseconds after which the same command may be accepted, where that is known. */
export const reject = (rejected: RejectionReason, detail: string, retryAfterMs?: number): Rejection =>
  retryAfterMs === undefined ? { rejected, detail } : { rejected, detail, retryAfterMs };

export const isRejection = (value: object): value is Rejection => 'rejected' in value;
