import type { ErasureScope } from '@verbatim/domain';
import type { ErasedScope, Erasure, Hold } from '@verbatim/protocol';
import type { KnownErasure, KnownHold } from '../application/erasure/erasure-queries.js';
import { personAnswer } from './person-answer.js';

/** An erasure as clients see it. */
export const erasureAnswer = ({ scope, by, at, heldBy, ...erasure }: KnownErasure): Erasure => ({
  ...erasure,
  scope: scopeAnswer(scope),
  by: by && personAnswer(by),
  requestedAt: at,
  heldBy: heldBy.slice(0, MOST_NAMED),
});

/** A hold as clients see it. */
export const holdAnswer = ({ id, scope, by, at, reason }: KnownHold): Hold => ({
  id,
  scope: scopeAnswer(scope),
  by: personAnswer(by),
  placedAt: at,
  reason,
});

/** Holds that are named in one erasure. */
const MOST_NAMED = 20;

function scopeAnswer(scope: ErasureScope): ErasedScope {
  const nothing = { kind: scope.kind, person: null, room: null, message: null, from: null, to: null };
  switch (scope.kind) {
    case 'person':
      return { ...nothing, person: scope.userId };
    case 'room':
      return { ...nothing, room: scope.roomId };
    case 'days':
      return { ...nothing, room: scope.roomId, from: scope.from, to: scope.to };
    case 'message':
      return { ...nothing, room: scope.roomId, message: scope.messageId };
  }
}
