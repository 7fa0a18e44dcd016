import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type InvitationState,
  type InvitedTo,
  invitationStream,
  invitingProblem,
  isGood,
  type Rejection,
  reject,
} from '@verbatim/domain';
import { cursorKey, cursorOf, isRevision, keepOf, type Page, type PageRequest, withEach } from '@verbatim/projections';
import { Directory } from '../../storage/directory.js';
import { InvitationCodes } from '../../storage/invitations/invitation-codes.js';
import { OpenLog } from '../../storage/open-log.js';
import { Invitations, Rooms } from '../../write-side/entities.js';
import { overseersOnly } from '../sessions/permission.js';
import { Redeeming } from './redeeming.js';

// Invitations are few, so they are read from their streams; there is no read model of them.

export interface KnownInvitation {
  readonly id: string;
  readonly state: InvitationState;
}

/** Invitations to a room, for those who may invite to it, or to the server (null), for administrators; auditors see all. */
export class ListInvitationsQuery extends Query<Page<KnownInvitation> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly roomId: string | null,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListInvitationsQuery)
export class ListInvitationsHandler implements IQueryHandler<ListInvitationsQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly invitations: Invitations,
    private readonly codes: InvitationCodes,
  ) {}

  async execute({ actor, roomId, page }: ListInvitationsQuery): Promise<Page<KnownInvitation> | Rejection> {
    const refused = roomId === null ? overseeingProblem(actor) : await this.invitingProblem(actor, roomId);
    if (refused) return refused;
    const ids = await this.codes.list(roomId, page);
    const found = await withEach(ids, async (id) => ({ id, state: (await this.invitations.newest(id)).state }));
    // A code is stored before its invitation, which may be missing after a failure.
    return keepOf(found, ({ state }) => state.status !== 'unborn');
  }

  private async invitingProblem(actor: Actor, roomId: string): Promise<Rejection | null> {
    if (actor.role === 'auditor') return null;
    return invitingProblem(actor, (await this.rooms.newest(roomId)).state);
  }
}

/** A person who used an invitation. The username is null for accounts that are gone. */
export interface InvitationUse {
  readonly user: { readonly id: string; readonly username: string | null };
  readonly at: string;
}

/** Who used an invitation, for administrators and auditors. */
export class ListInvitationUsesQuery extends Query<Page<InvitationUse> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly invitationId: string,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListInvitationUsesQuery)
export class ListInvitationUsesHandler implements IQueryHandler<ListInvitationUsesQuery> {
  constructor(
    private readonly invitations: Invitations,
    private readonly log: OpenLog,
    private readonly directory: Directory,
  ) {}

  async execute(query: ListInvitationUsesQuery): Promise<Page<InvitationUse> | Rejection> {
    const { actor, invitationId, page } = query;
    const refused = overseeingProblem(actor);
    if (refused) return refused;
    const { state } = await this.invitations.newest(invitationId);
    if (state.status === 'unborn') return noSuchInvitation;
    const after = cursorKey(page, USES, isRevision);
    const from = after ? BigInt(after[0]) + 1n : 1n;
    const events = await this.log.read(invitationStream(invitationId), from, page.limit + 1);
    const shown = events.slice(0, page.limit);
    const uses = shown.flatMap((event) => (event.type === 'InvitationRedeemed' ? event : []));
    const people = await this.directory.people(uses.map(({ data }) => data.userId));
    return {
      items: uses.map(({ data: { userId }, at }) => ({ user: people.get(userId) ?? unknownPerson(userId), at })),
      next: events.length > page.limit ? cursorAfter(shown.at(-1)) : null,
      cursorAfter: (index) => cursorAfter(uses[index]),
    };
  }
}

type InvitedRole = Extract<InvitedTo, { kind: 'room' }>['role'];

/** What the holder of a code may know before using it. */
export interface InvitationPreview {
  /** What the invitation is to; null: to the server. */
  readonly room: { readonly id: string; readonly name: string | null; readonly role: InvitedRole } | null;
  readonly expiresAt: string;
  readonly inviter: { readonly id: string; readonly username: string | null };
}

/** What a code is for. Requires no account. */
export class LookUpInvitationQuery extends Query<InvitationPreview | Rejection> {
  constructor(readonly code: string) {
    super();
  }
}

@QueryHandler(LookUpInvitationQuery)
export class LookUpInvitationHandler implements IQueryHandler<LookUpInvitationQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly redeeming: Redeeming,
    private readonly directory: Directory,
  ) {}

  async execute({ code }: LookUpInvitationQuery): Promise<InvitationPreview | Rejection> {
    const found = await this.redeeming.lookUp(code);
    if (!found || !isGood(found.state, this.redeeming.now())) return noSuchInvitation;
    const { to, expiresAt, createdBy } = found.state;
    const people = await this.directory.people([createdBy]);
    const inviter = people.get(createdBy ?? '') ?? unknownPerson(createdBy ?? '');
    if (to.kind === 'server') return { room: null, expiresAt, inviter };
    const { state } = await this.rooms.newest(to.roomId);
    if (state.status !== 'open') return noSuchInvitation;
    return { room: { id: to.roomId, name: state.name, role: to.role }, expiresAt, inviter };
  }
}

const overseeingProblem = ({ role }: Actor): Rejection | null => (role === 'user' ? overseersOnly : null);
const noSuchInvitation = reject('NotFound', 'There is no such invitation.');
const unknownPerson = (id: string) => ({ id, username: null });

const USES = 'uses';
const cursorAfter = (event: { readonly revision: bigint } | undefined): string =>
  cursorOf(USES, [`${event?.revision ?? 0n}`]);

export const invitationQueryHandlers = [ListInvitationsHandler, ListInvitationUsesHandler, LookUpInvitationHandler];
