import type { Recorded, RoomState } from '@verbatim/domain';

/** What a room's name in topics depends on. */
export type Named = Pick<RoomState, 'name' | 'visibility'>;

/** Characters that break topics or the original page, which puts names unescaped into HTML, selectors and topics. */
const breaking = /["<>&/+#\\\p{Cc}]/gu;
/** Made names end with the id of the room: 16 bytes in base64url. */
const made = /~([\w-]{22})$/u;

/**
 * The name of a room in topics. It is the room's own name if that is unique and works in topics and in the original page.
 * Otherwise it is made from the name and the id of the room, so it is the same on every replica and after every rebuild.
 */
export function topicName(roomId: string, { name, visibility }: Named): string {
  const own = name ?? '';
  const unique = visibility === 'public' || visibility === 'private';
  if (unique && own !== '' && !new RegExp(breaking).test(own) && !made.test(own) && !own.includes('\ufffd')) return own;
  const kind = visibility === 'direct' ? 'direct' : own.replace(breaking, '-');
  return `${kind}~${Buffer.from(roomId.replaceAll('-', ''), 'hex').toString('base64url')}`;
}

/** The room id in a made name; null if the name was not made here. */
export function roomOfMadeName(name: string): string | null {
  const [, id] = made.exec(name) ?? [];
  const hex = id === undefined ? '' : Buffer.from(id, 'base64url').toString('hex');
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : null;
}

/** The names in topics of the rooms followed in this process. */
export class RoomTopics {
  private readonly rooms = new Map<string, { followers: number; named: Named; topic: string }>();

  /** The name in topics; null if the room is not followed here. */
  of(roomId: string): string | null {
    return this.rooms.get(roomId)?.topic ?? null;
  }

  /** Counts a follower of the room and updates its name. Call `release` afterwards. */
  hold(roomId: string, named: Named): void {
    const room = this.rooms.get(roomId) ?? { followers: 0, named, topic: '' };
    room.followers += 1;
    room.named = { name: named.name, visibility: named.visibility };
    room.topic = topicName(roomId, named);
    this.rooms.set(roomId, room);
  }

  release(roomId: string): void {
    const room = this.rooms.get(roomId);
    if (!room) return;
    room.followers -= 1;
    if (room.followers === 0) this.rooms.delete(roomId);
  }

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type !== 'RoomChanged') continue;
      const roomId = event.stream.slice('room-'.length);
      const room = this.rooms.get(roomId);
      if (!room) continue;
      const { name = room.named.name, visibility = room.named.visibility } = event.data;
      room.named = { name, visibility };
      room.topic = topicName(roomId, room.named);
    }
  }
}
