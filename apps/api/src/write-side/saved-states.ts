import {
  type AnnouncementState,
  type AuditLogState,
  type ErasureState,
  type ExportRequestState,
  type FinishedErasure,
  type Hold,
  type Inspection,
  type InvitationState,
  type MaintenanceState,
  type Member,
  type MessageFacts,
  type Moderation,
  type OpenReport,
  type PendingErasure,
  PersistentMap,
  RecentWindow,
  type RecentWindowJson,
  type RetentionRule,
  type RoomState,
  type UserState,
} from '@verbatim/domain';

// How states are written to snapshots. When one of them changes, raise the `stateVersion` of its decider.

/** How a room's state is written to a snapshot. */
export const roomSnapshot = {
  write(state: RoomState): string {
    const { revision, members, moderation, messages, reactions, ...plain } = state;
    return JSON.stringify({
      ...plain,
      revision: `${revision}`,
      members: [...members.entries()].map(([id, { role, joined, joinedAt }]) => [id, role, `${joined}`, joinedAt]),
      moderation: writeModeration(moderation),
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
      moderation: readModeration(saved.moderation),
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
type SavedRoom = Omit<RoomState, 'revision' | 'members' | 'moderation' | 'messages' | 'reactions'> & {
  readonly revision: string;
  readonly members: readonly (readonly [string, Member['role'], string, string])[];
  readonly moderation: SavedModeration;
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

interface SavedModeration {
  readonly slowModeSeconds: number;
  readonly lastPosts: { readonly since: number; readonly young: [string, number][]; readonly old: [string, number][] };
  readonly bans: [string, string | null][];
  readonly mutes: [string, string][];
  readonly reports: [string, OpenReport][];
  readonly inspections: readonly Inspection[];
}

const writeModeration = ({ slowModeSeconds, lastPosts, bans, mutes, reports, inspections }: Moderation) =>
  ({
    slowModeSeconds,
    lastPosts: {
      since: lastPosts.since,
      young: [...lastPosts.young.entries()],
      old: [...lastPosts.old.entries()],
    },
    bans: [...bans.entries()],
    mutes: [...mutes.entries()],
    reports: [...reports.entries()],
    inspections,
  }) satisfies SavedModeration;

const readModeration = ({ lastPosts, bans, mutes, reports, ...plain }: SavedModeration): Moderation => ({
  ...plain,
  lastPosts: {
    since: lastPosts.since,
    young: PersistentMap.from(lastPosts.young),
    old: PersistentMap.from(lastPosts.old),
  },
  bans: PersistentMap.from(bans),
  mutes: PersistentMap.from(mutes),
  reports: PersistentMap.from(reports),
});

/** How an invitation's state is written to a snapshot. */
export const invitationSnapshot = {
  write: (state: InvitationState): string =>
    JSON.stringify({
      ...state,
      revision: `${state.revision}`,
      redeemedBy: [...state.redeemedBy.entries()].map(([id]) => id),
    }),
  read(text: string): InvitationState {
    const saved = JSON.parse(text) as Omit<InvitationState, 'revision' | 'redeemedBy'> & {
      revision: string;
      redeemedBy: string[];
    };
    const redeemedBy = PersistentMap.from(saved.redeemedBy.map((id) => [id, true] as const));
    return { ...saved, revision: BigInt(saved.revision), redeemedBy };
  },
};

/** How the state of the announcement is written to a snapshot. */
export const announcementSnapshot = {
  write: (state: AnnouncementState): string => JSON.stringify({ ...state, revision: `${state.revision}` }),
  read(text: string): AnnouncementState {
    const saved = JSON.parse(text) as Omit<AnnouncementState, 'revision'> & { revision: string };
    return { ...saved, revision: BigInt(saved.revision) };
  },
};

/** How the state of maintenance is written to a snapshot. */
export const maintenanceSnapshot = {
  write: (state: MaintenanceState): string => JSON.stringify({ ...state, revision: `${state.revision}` }),
  read(text: string): MaintenanceState {
    const saved = JSON.parse(text) as Omit<MaintenanceState, 'revision'> & { revision: string };
    return { ...saved, revision: BigInt(saved.revision) };
  },
};

/** How the state of the transparency log is written to a snapshot. */
export const auditLogSnapshot = {
  write: (state: AuditLogState): string => JSON.stringify({ ...state, revision: `${state.revision}` }),
  read(text: string): AuditLogState {
    const saved = JSON.parse(text) as Omit<AuditLogState, 'revision'> & { revision: string };
    return { ...saved, revision: BigInt(saved.revision) };
  },
};

/** How the state of the register of erasures is written to a snapshot. */
export const erasureSnapshot = {
  write: ({ revision, pending, holds, rules, finished }: ErasureState): string =>
    JSON.stringify({
      revision: `${revision}`,
      pending: [...pending.entries()],
      holds: [...holds.entries()],
      rules: [...rules.entries()],
      finished: [...finished.entries()],
    }),
  read(text: string): ErasureState {
    const { revision, pending, holds, rules, finished } = JSON.parse(text) as {
      revision: string;
      pending: [string, PendingErasure][];
      holds: [string, Hold][];
      rules: [string, RetentionRule][];
      finished: [string, FinishedErasure][];
    };
    return {
      revision: BigInt(revision),
      pending: PersistentMap.from(pending),
      holds: PersistentMap.from(holds),
      rules: PersistentMap.from(rules),
      finished: PersistentMap.from(finished),
    };
  },
};

/** How the state of an export that was requested is written to a snapshot. */
export const exportRequestSnapshot = {
  write: ({ revision }: ExportRequestState): string => JSON.stringify({ revision: `${revision}` }),
  read(text: string): ExportRequestState {
    const { revision } = JSON.parse(text) as { revision: string };
    return { revision: BigInt(revision) };
  },
};

/** How an account's state is written to a snapshot. */
export const userSnapshot = {
  write: (state: UserState): string => JSON.stringify({ ...state, revision: `${state.revision}` }),
  read(text: string): UserState {
    const saved = JSON.parse(text) as Omit<UserState, 'revision'> & { revision: string };
    return { ...saved, revision: BigInt(saved.revision) };
  },
};
