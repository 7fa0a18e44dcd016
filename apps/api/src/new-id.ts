import { fewRandomBytes } from '@verbatim/event-store';
import { v7 } from 'uuid';

/** A new UUIDv7 (RFC 9562, 5.7). */
export const newId = (): string => v7({ random: fewRandomBytes(16) });
