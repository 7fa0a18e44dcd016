import { describe, expect, it } from 'vitest';
import type { Actor } from './decider.js';
import { given, type Past, recorded } from './given.testing.js';
import {
  type CreateInvitation,
  type InvitationEvent,
  invitation,
  invitationLimits,
  isGood,
  type RedeemInvitation,
} from './invitation.js';

const admin: Actor = { id: 'admin', role: 'admin' };
const alice: Actor = { id: 'alice', role: 'user' };
const noon = '2026-02-01T12:00:00.000Z';
const evening = '2026-02-01T18:00:00.000Z';

const create: CreateInvitation = {
  type: 'CreateInvitation',
  actor: admin,
  to: { kind: 'server' },
  uses: 2,
  expiresAt: evening,
  now: noon,
};
const redeem = (userId: string, now = noon): RedeemInvitation => ({
  type: 'RedeemInvitation',
  actor: null,
  userId,
  now,
});
const revoke = { type: 'RevokeInvitation', actor: admin } as const;

const created = (uses: number | null = 2): Past<InvitationEvent> => ({
  type: 'InvitationCreated',
  data: { to: { kind: 'room', roomId: 'r', role: 'guest' }, uses, expiresAt: evening },
  actor: alice.id,
});
const redeemed = (userId: string): Past<InvitationEvent> => ({ type: 'InvitationRedeemed', data: { userId } });
const revoked: Past<InvitationEvent> = { type: 'InvitationRevoked', data: {} };

describe('making an invitation', () => {
  it('is recorded without its code', () => {
    given(invitation, [])
      .when(create)
      .then([{ type: 'InvitationCreated', data: { to: { kind: 'server' }, uses: 2, expiresAt: evening } }]);
  });

  it('remembers who made it, for what and how long', () => {
    const { state } = given(invitation, [created()]);
    expect(state).toMatchObject({ status: 'open', createdBy: 'alice', uses: 2, expiresAt: evening });
    expect(state.to).toEqual({ kind: 'room', roomId: 'r', role: 'guest' });
  });

  it('has bounds', () => {
    for (const uses of [0, -1, 1.5, invitationLimits.uses + 1, Number.NaN])
      given(invitation, [])
        .when({ ...create, uses })
        .thenRejected('Invalid');
    for (const uses of [1, invitationLimits.uses, null])
      expect(given(invitation, []).when({ ...create, uses }).decision).toHaveProperty('events.length', 1);
    for (const expiresAt of [noon, '2026-01-01T00:00:00.000Z', '2027-02-01T12:00:00.001Z', 'never'])
      given(invitation, [])
        .when({ ...create, expiresAt })
        .thenRejected('Invalid');
  });

  it('is done once', () => {
    given(invitation, []).when(create).when(create).thenRejected('Conflict');
  });
});

describe('redeeming an invitation', () => {
  it('lets in as many people as it is for', () => {
    given(invitation, [created()])
      .when(redeem('bob'))
      .then([{ type: 'InvitationRedeemed', data: { userId: 'bob' } }]);
    given(invitation, [created(), redeemed('bob')])
      .when(redeem('carol'))
      .when(redeem('dave'))
      .thenRejected('NotAllowed');
  });

  it('uses it up once for each of them', () => {
    given(invitation, [created(), redeemed('bob')])
      .when(redeem('bob'))
      .thenNothing();
    given(invitation, [created(), redeemed('bob'), redeemed('carol')])
      .when(redeem('bob'))
      .thenNothing();
  });

  it('is limited by the size of the state if no number was given', () => {
    const many = Array.from({ length: invitationLimits.usesWithoutNumber }, (_, i) => redeemed(`user${i}`));
    const events = recorded([created(null), ...many]);
    const last = events.pop() as (typeof events)[number];
    const state = events.reduce(invitation.evolve, invitation.initialState);
    expect(isGood(state, noon)).toBe(true);
    expect(invitation.decide(redeem('bob'), state, noon)).toHaveProperty('events.length', 1);
    const full = invitation.evolve(state, last);
    expect(isGood(full, noon)).toBe(false);
    expect(invitation.decide(redeem('bob'), full, noon)).toHaveProperty('rejected', 'NotAllowed');
  });

  it('ends when it expires, by the time that comes with the command', () => {
    given(invitation, [created()])
      .when(redeem('bob', '2026-02-01T17:59:59.999Z'))
      .then([redeemed('bob')]);
    given(invitation, [created()]).when(redeem('bob', evening)).thenRejected('NotAllowed');
    given(invitation, [created(), redeemed('bob')])
      .when(redeem('bob', evening))
      .thenRejected('NotAllowed');
  });

  it('ends when it is revoked, for those it had let in as well', () => {
    given(invitation, [created(), redeemed('bob'), revoked])
      .when(redeem('carol'))
      .thenRejected('NotAllowed');
    given(invitation, [created(), redeemed('bob'), revoked])
      .when(redeem('bob'))
      .thenRejected('NotAllowed');
  });

  it('needs one', () => {
    given(invitation, []).when(redeem('bob')).thenRejected('NotFound');
  });
});

describe('revoking an invitation', () => {
  it('is done once', () => {
    given(invitation, [created()]).when(revoke).then([revoked]);
    given(invitation, [created()]).when(revoke).when(revoke).thenNothing();
    given(invitation, []).when(revoke).thenRejected('NotFound');
  });
});

it('an invitation is good until it is used up, expired or revoked', () => {
  const good = (past: Past<InvitationEvent>[], now = noon) => isGood(given(invitation, past).state, now);
  expect(good([created()])).toBe(true);
  expect(good([created(), redeemed('bob')])).toBe(true);
  expect(good([created(), redeemed('bob'), redeemed('carol')])).toBe(false);
  expect(good([created()], evening)).toBe(false);
  expect(good([created(), revoked])).toBe(false);
  expect(good([])).toBe(false);
});
