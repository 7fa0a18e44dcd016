import {
  type Member,
  type MessageFacts,
  PersistentMap,
  RecentWindow,
  type RecentWindowJson,
  type RoomState,
  type UserState,
} from '@verbatim/domain';

/** How a room's state stands in a snapshot. Change `rules` whenever the shape or the folding of rooms changes. */
export const roomSnapshot = {
  rules: 'room-1',

  write(state: RoomState): string {
    const { revision, members, messages, reactions, ...plain } = state;
    return JSON.stringify({
      ...plain,
      revision: `${revision}`,
      members: [...members.entries()].map(([id, { role, joined, joinedAt }]) => [id, role, `${joined}`, joinedAt]),
      messages: withTexts(messages.toJSON(), writeFacts),
      reactions: reactions.toJSON(),
    });
  },

  read(text: string): RoomState {
    const saved = JSON.parse(text) as SavedRoom;
    return {
      ...saved,
      revision: BigInt(saved.revision),
      members: PersistentMap.from(
        saved.members.map(([id, role, joined, joinedAt]) => [id, { role, joined: BigInt(joined), joinedAt }] as const),
      ),
      messages: RecentWindow.fromJSON(withTexts(saved.messages, readFacts)),
      reactions: RecentWindow.fromJSON(saved.reactions),
    };
  },
};

/** Revisions are bigint in memory and strings in JSON. */
type SavedFacts = Pick<MessageFacts, 'author' | 'redacted'> & {
  readonly posted?: { readonly revision: string; readonly fingerprint: number | null };
  readonly textRevision: string;
};
type SavedRoom = Omit<RoomState, 'revision' | 'members' | 'messages' | 'reactions'> & {
  readonly revision: string;
  readonly members: readonly (readonly [string, Member['role'], string, string])[];
  readonly messages: RecentWindowJson<SavedFacts>;
  readonly reactions: RecentWindowJson<boolean>;
};

function withTexts<A, B>(window: RecentWindowJson<A>, change: (value: A) => B): RecentWindowJson<B> {
  const changed = (entries: [string, A][]) => entries.map(([key, value]): [string, B] => [key, change(value)]);
  return { ...window, young: changed(window.young), old: changed(window.old) };
}

const writeFacts = ({ posted, textRevision, ...plain }: MessageFacts): SavedFacts => ({
  ...plain,
  ...(posted && { posted: { ...posted, revision: `${posted.revision}` } }),
  textRevision: `${textRevision}`,
});

const readFacts = ({ posted, textRevision, ...plain }: SavedFacts): MessageFacts => ({
  ...plain,
  ...(posted && { posted: { ...posted, revision: BigInt(posted.revision) } }),
  textRevision: BigInt(textRevision),
});

/** How an account's state stands in a snapshot. */
export const userSnapshot = {
  rules: 'user-2',
  write: (state: UserState): string => JSON.stringify({ ...state, revision: `${state.revision}` }),
  read(text: string): UserState {
    const saved = JSON.parse(text) as Omit<UserState, 'revision'> & { revision: string };
    return { ...saved, revision: BigInt(saved.revision) };
  },
};
