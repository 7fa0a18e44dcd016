import { createHmac } from 'node:crypto';
import type { QueryBus } from '@nestjs/cqrs';
import type { RoomState } from '@verbatim/domain';
import type { KeyRing } from '@verbatim/event-store';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { GetAccountQuery } from '../../application/accounts/account-queries.js';
import { CheckGuestNameQuery } from '../../application/guests/guest-names.js';
import { SessionGoesOnQuery } from '../../application/sessions/session-queries.js';
import type { Time } from '../../clock.js';
import type { ChatRoom } from './chat-rooms.js';
import { DOOR } from './context.js';

/** Lifetime of a token in seconds. */
export const TOKEN_SECONDS = 3_600;

/** Who holds a token for a room. */
export interface Holder {
  readonly userId: string;
  /** The name by which clients know the person in this room. */
  readonly name: string;
  /** Account id of a registered person; for a guest the same as `userId`. */
  readonly sessionId: string;
}

const claimsOfRoom = z.object({
  sub: z.uuid(),
  sid: z.uuid(),
  username: z.string(),
  room_id: z.int(),
  joined: z.string(),
  shut_out: z.int(),
});
const claimsOfPerson = z.object({ sub: z.uuid(), sid: z.uuid(), username: z.string(), color: z.string() });

const KEY = 'chitchat-tokens';

/**
 * Tokens for rooms that have a password: JWTs, HS256, with the claims `username`, `room_id` and `exp` of chitchat and a few of
 * our own. The key depends on the room and its password, so that a new password ends all tokens. A token is valid while the
 * membership with which it was issued lasts: a kick, a ban or a suspension ends it. That of a guest ends when someone
 * registers the name.
 */
export class RoomTokens {
  constructor(
    private readonly keys: KeyRing,
    private readonly queries: QueryBus,
    private readonly time: Time,
  ) {}

  // For a room --------------------------------------------------------------------------------------------------------

  /** A token for a member of the room. */
  async issue({ number, roomId }: ChatRoom, state: RoomState, { userId, name, sessionId }: Holder): Promise<string> {
    const member = state.members.get(userId);
    if (!member) throw new Error('Only members get tokens.');
    const { shutOutAt } = await this.queries.execute(new GetAccountQuery(userId));
    const claims = { username: name, room_id: number, joined: `${member.joined}`, shut_out: Number(shutOutAt) };
    return this.sign({ ...claims, sub: userId, sid: sessionId }, await this.keyOf(roomId, state));
  }

  /** The holder of the token, if it is valid for this room now; null otherwise. */
  async holderOf(token: string | undefined, { number, roomId, state }: ChatRoom): Promise<Holder | null> {
    const claims = claimsOfRoom.safeParse(await this.verified(token, await this.keyOf(roomId, state))).data;
    if (!claims || claims.room_id !== number) return null;
    const { sub: userId, sid: sessionId, username: name, joined, shut_out: shutOutAt } = claims;
    const account = await this.queries.execute(new GetAccountQuery(userId));
    if (account.status !== 'active' || Number(account.shutOutAt) !== shutOutAt) return null;
    if (account.guest ? await this.isRegistered(name) : !(await this.goesOn(sessionId))) return null;
    return `${state.members.get(userId)?.joined}` === joined ? { userId, name, sessionId } : null;
  }

  private async isRegistered(name: string): Promise<boolean> {
    const problem = await this.queries.execute(new CheckGuestNameQuery(name, DOOR));
    return problem?.rejected === 'NameTaken';
  }

  // For a registered person -------------------------------------------------------------------------------------------

  /** A token for a signed-in person. */
  async issueTo({ userId, name, sessionId }: Holder, color: string): Promise<string> {
    return this.sign({ username: name, color, sub: userId, sid: sessionId }, await this.key());
  }

  /** The registered person who holds the token, if their session is still active; null otherwise. */
  async personOf(token: string | undefined): Promise<Holder | null> {
    const claims = claimsOfPerson.safeParse(await this.verified(token, await this.key())).data;
    if (!claims) return null;
    const { sub: userId, sid: sessionId, username: name } = claims;
    const { status } = await this.queries.execute(new GetAccountQuery(userId));
    return status === 'active' && (await this.goesOn(sessionId)) ? { userId, name, sessionId } : null;
  }

  private goesOn(sessionId: string): Promise<boolean> {
    return this.queries.execute(new SessionGoesOnQuery(sessionId));
  }

  // Signatures --------------------------------------------------------------------------------------------------------

  private sign({ sub, ...claims }: { readonly sub: string } & Record<string, unknown>, key: Buffer): Promise<string> {
    const now = Math.floor(this.time.now().getTime() / 1_000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(sub)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .sign(key);
  }

  private async verified(token: string | undefined, key: Buffer): Promise<object | null> {
    if (token === undefined || token.length > MAX_CHARACTERS) return null;
    try {
      return (await jwtVerify(token, key, { algorithms: ['HS256'], currentDate: this.time.now() })).payload;
    } catch {
      return null;
    }
  }

  private async keyOf(roomId: string, { passwordId }: RoomState): Promise<Buffer> {
    return createHmac('sha256', await this.key())
      .update(`${roomId}|${passwordId ?? ''}`)
      .digest();
  }

  private async key(): Promise<Buffer> {
    const key = (await this.keys.obtain([KEY])).get(KEY);
    if (!key) throw new Error(`There is no key ${KEY}.`);
    return key;
  }
}

/** The service issues no longer ones. */
const MAX_CHARACTERS = 2_000;
