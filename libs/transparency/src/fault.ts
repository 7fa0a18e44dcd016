/** What can be wrong with something that was given to this library. The list is closed. */
export type FaultKind =
  /** It does not have the form that its specification demands. */
  | 'Malformed'
  /** It exceeds a limit of this library. */
  | 'TooLarge'
  /** A key of a kind that this library does not know. */
  | 'UnsupportedKey'
  /** No signature is from a key that is trusted. */
  | 'NotSigned'
  /** A signature claims to be from a trusted key and is not. */
  | 'BadSignature'
  /** It is about another log. */
  | 'WrongOrigin'
  /** Fewer trusted witnesses have cosigned than the policy demands. */
  | 'BelowQuorum'
  /** A proof does not lead to the root. */
  | 'ProofInvalid'
  /** A size, index or width that does not exist in this tree. */
  | 'OutOfRange'
  /** A tile that must exist was not found, or has the wrong length. */
  | 'TileMissing';

/** Why something was refused. Bugs of the caller throw; what comes from outside leads to a value of this type. */
export interface Fault {
  readonly fault: FaultKind;
  /** One sentence for a person. */
  readonly detail: string;
}

export const fault = (kind: FaultKind, detail: string): Fault => ({ fault: kind, detail });

export const isFault = (value: unknown): value is Fault =>
  typeof value === 'object' && value !== null && 'fault' in value && 'detail' in value;
