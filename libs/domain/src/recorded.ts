import type { AnnouncementEvent } from './announcement.js';
import type { AuditLogEvent } from './audit-log.js';
import type { Happened } from './decider.js';
import type { ErasureEvent } from './erasure.js';
import type { ExportRequestEvent } from './export-request.js';
import type { InvitationEvent } from './invitation.js';
import type { MaintenanceEvent } from './maintenance.js';
import type { RoomEvent } from './room/room.js';
import type { UserEvent } from './user/user.js';

export type DomainEvent =
  | RoomEvent
  | UserEvent
  | InvitationEvent
  | AnnouncementEvent
  | MaintenanceEvent
  | AuditLogEvent
  | ErasureEvent
  | ExportRequestEvent;
export type EventType = DomainEvent['type'];

/** An event with its place in the log and its personal fields decrypted (or null if erased). */
export interface Envelope {
  readonly id: string;
  readonly stream: string;
  /** Place in the whole log, from 0. Not hashed: it differs between stores. */
  readonly position: bigint;
  readonly schema: number;
  /** Shared by all events that one request caused. */
  readonly correlation: string;
  /** Hash of the event before it in the stream, null at revision 0. */
  readonly prev: string | null;
  /** SHA-256 of `sealed`, in hexadecimal. */
  readonly hash: string;
  /** The exact text that is stored and that `hash` covers, personal fields sealed. */
  readonly sealed: string;
}

/** An event as read from the log. */
export type Recorded<E extends Happened = DomainEvent> = E extends Happened ? E & Envelope : never;
