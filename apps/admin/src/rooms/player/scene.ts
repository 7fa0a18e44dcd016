import type { RoomState, StoredEvent } from '@verbatim/protocol';

/** The room at one revision: its members and latest messages. */
export interface Scene extends Pick<RoomState, 'revision' | 'at' | 'room' | 'members' | 'messages'> {}

/** Messages that are shown at a time. */
export const MOST_SHOWN = 50;

/** The scene after the next event of the room. */
export function sceneAfter(scene: Scene, event: StoredEvent): Scene {
  const { revision, at } = event;
  return { ...changed(scene, event), revision, at };
}

function changed(scene: Scene, { type, data, actor, at, occurredAt, revision }: StoredEvent): Scene {
  switch (type) {
    case 'MessagePosted': {
      const { messageId, text, replyTo, kind } = data;
      const author = { id: actor?.id ?? '', username: actor?.username ?? '', displayName: null };
      const place = { id: messageId, roomId: scene.room.id, revision, author, kind, text, replyTo };
      const visibleTo = scene.members.map(({ userId }) => userId);
      const message = { ...place, postedAt: occurredAt ?? at, editedAt: null, redactedAt: null, visibleTo };
      return { ...scene, messages: [...scene.messages, message].slice(-MOST_SHOWN) };
    }
    case 'MessageEdited':
      return withMessage(scene, data.messageId, { text: data.text, editedAt: at });
    case 'MessageRedacted':
      return withMessage(scene, data.messageId, { text: null, redactedAt: at });
    case 'MemberJoined': {
      const member = { userId: data.userId, username: '', displayName: null, role: data.role, joinedAt: at };
      return withMembers(scene, [...scene.members.filter(({ userId }) => userId !== data.userId), member]);
    }
    case 'MemberLeft':
    case 'MemberRemoved':
      return withMembers(
        scene,
        scene.members.filter(({ userId }) => userId !== data.userId),
      );
    case 'MemberRoleChanged':
      return withMembers(
        scene,
        scene.members.map((member) => (member.userId === data.userId ? { ...member, role: data.role } : member)),
      );
    case 'RoomChanged': {
      const { passwordId, ...settings } = data;
      const password = passwordId === undefined ? {} : { hasPassword: passwordId !== null };
      return { ...scene, room: { ...scene.room, ...settings, ...password } };
    }
    case 'ChatClosed':
      return { ...scene, room: { ...scene.room, status: 'closed' } };
    default:
      return scene;
  }
}

const withMembers = (scene: Scene, members: Scene['members']): Scene => ({
  ...scene,
  members,
  room: { ...scene.room, memberCount: members.length },
});

const withMessage = (scene: Scene, id: string, change: Partial<Scene['messages'][number]>): Scene => ({
  ...scene,
  messages: scene.messages.map((message) => (message.id === id ? { ...message, ...change } : message)),
});
