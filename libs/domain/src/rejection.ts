/** Why a command was refused. The list is closed; libs/protocol maps each reason to one code of the wire. */
export type RejectionReason =
  | 'Invalid'
  | 'NotFound'
  | 'NotAMember'
  | 'NotAllowed'
  | 'WrongPassword'
  | 'SecondFactorNeeded'
  | 'RoomClosed'
  | 'DuplicateId'
  | 'NameTaken'
  | 'Conflict'
  | 'Unavailable';

export interface Rejection {
  readonly rejected: RejectionReason;
  /** One sentence for a person; holds nothing the asker may not know. */
  readonly detail: string;
}

export const reject = (rejected: RejectionReason, detail: string): Rejection => ({ rejected, detail });

export const isRejection = (value: object): value is Rejection => 'rejected' in value;
