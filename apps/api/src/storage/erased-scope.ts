import { type ErasureScope, parseStream, roomStream, userStream } from '@verbatim/domain';
import { type KeyScope, keyNameOf, type Sealer, type StoredEnvelope } from '@verbatim/event-store';

/** From now on, the sealer opens nothing within the scope that was recorded before the erasure began. */
export const hideErased = (sealer: Sealer, id: string, scope: ErasureScope, beganAt: string): void =>
  sealer.shield(id, (envelope) => envelope.at <= beganAt && isWithin(scope, envelope));

/** Whether the personal fields of an event are within a scope. */
export function isWithin(scope: ErasureScope, envelope: StoredEnvelope): boolean {
  const { category, id } = parseStream(envelope.stream);
  switch (scope.kind) {
    case 'person':
      if (envelope.stream === userStream(scope.userId)) return true;
      return envelope.actor === scope.userId && (keyNameOf(envelope.stream, envelope) ?? '').includes(scope.userId);
    case 'room':
      return category === 'room' && id === scope.roomId;
    case 'message': {
      const ofText = envelope.type === 'MessagePosted' || envelope.type === 'MessageEdited';
      return ofText && category === 'room' && id === scope.roomId && envelope.data.messageId === scope.messageId;
    }
    case 'days': {
      if (category !== 'room' || id !== scope.roomId) return false;
      const day = (keyNameOf(envelope.stream, envelope) ?? '').slice(-10);
      return day >= scope.from && day <= scope.to;
    }
  }
}

/** The names of the keys of a scope. */
export function keyScopeOf(scope: ErasureScope): KeyScope {
  switch (scope.kind) {
    case 'person':
      return { person: scope.userId };
    case 'room':
      return { stream: roomStream(scope.roomId) };
    case 'days':
      return { stream: roomStream(scope.roomId), from: scope.from, to: scope.to };
    case 'message':
      throw new Error('A single message has no key of its own.');
  }
}
