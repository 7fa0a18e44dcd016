import { describe, expect, it } from 'vitest';
import { given, type Past } from '../given.testing.js';
import { type RoomEvent, room } from './room.js';
import { adam, alice, bob, carol, created, joined } from './room.testing.js';
import type { AddIncomingWebhook, AddWebhook, ChangeWebhook, StopWebhook } from './webhooks.js';

const past = [created(alice), joined(alice, 'owner'), joined(bob)];
const add: AddWebhook = {
  ...{ type: 'AddWebhook', actor: alice, webhookId: 'w1', host: 'example.org', urlId: 'v1', secretId: 'v2' },
  events: ['MessagePosted'],
};
const { type: _, actor: __, ...data } = add;
const added: Past<RoomEvent> = { type: 'WebhookAdded', data, actor: 'alice' };
const changed = (change: object, actor = 'alice'): Past<RoomEvent> => ({
  type: 'WebhookChanged',
  data: { webhookId: 'w1', ...change },
  actor,
});
const change: ChangeWebhook = { type: 'ChangeWebhook', actor: alice, webhookId: 'w1' };
const stop: StopWebhook = { type: 'StopWebhook', actor: adam, webhookId: 'w1', cause: 'failing' };
const incoming: AddIncomingWebhook = {
  type: 'AddIncomingWebhook',
  actor: alice,
  webhookId: 'w2',
  botId: 'robby',
  name: 'Build',
};

describe('a webhook', () => {
  it('is added by owners and administrators', () => {
    given(room, past)
      .when(add)
      .then([{ type: 'WebhookAdded', data }]);
    given(room, past)
      .when({ ...add, actor: bob })
      .thenRejected('NotAllowed');
    given(room, past)
      .when({ ...add, actor: carol })
      .thenRejected('NotAMember');
    expect(given(room, past).when({ ...add, actor: adam }).decision).toMatchObject({ events: [{}] });
    given(room, past).when(add).when(add).thenNothing();
  });

  it('is for open rooms of more than two, and one of 20 at most', () => {
    given(room, [...past, { type: 'ChatClosed', data: { reason: null }, actor: 'alice' }])
      .when(add)
      .thenRejected('RoomClosed');
    const many = Array.from({ length: 20 }, (_, i) => ({
      ...added,
      data: { ...data, webhookId: `w${i}x` },
    })) as Past<RoomEvent>[];
    given(room, [...past, ...many])
      .when(add)
      .thenRejected('Conflict', /20/);
    given(room, [created(alice, { visibility: 'direct' }), joined(alice), joined(bob)])
      .when({ ...add, actor: { ...alice, role: 'admin' } })
      .thenRejected('NotAllowed', /direct/);
  });

  it('is changed in what is named and differs', () => {
    given(room, [...past, added])
      .when({ ...change, events: ['ChatClosed'], active: true })
      .then([{ type: 'WebhookChanged', data: { webhookId: 'w1', events: ['ChatClosed'] } }]);
    given(room, [...past, added])
      .when({ ...change, active: false })
      .then([{ type: 'WebhookChanged', data: { webhookId: 'w1', stopped: 'paused' } }]);
    given(room, [...past, added])
      .when({ ...change, events: ['MessagePosted'] })
      .thenNothing();
    given(room, past).when(change).thenRejected('NotFound');
  });

  it('goes on where it stopped if it had failed, and from now on otherwise', () => {
    const since = (...events: Past<RoomEvent>[]) => given(room, [...past, added, ...events]).state.webhooks.w1?.since;
    expect(since()).toBe(3);
    expect(since(changed({ stopped: 'failing' }), changed({ stopped: null }))).toBe(3);
    expect(since(changed({ stopped: 'receiver_gone' }), changed({ stopped: null }))).toBe(3);
    expect(since(changed({ stopped: 'paused' }), changed({ stopped: null }))).toBe(5);
    expect(since(changed({ stopped: 'owner_gone' }), changed({ stopped: null }))).toBe(5);
  });

  it('is answered for by who changed it last, which the service never does', () => {
    const by = (...events: Past<RoomEvent>[]) => given(room, [...past, added, ...events]).state.webhooks.w1?.by;
    expect(by()).toBe('alice');
    expect(by(changed({ events: [] }, 'adam'))).toBe('adam');
    expect(by(changed({ stopped: 'failing' }, 'nobody'))).toBe('alice');
  });

  it('is stopped once', () => {
    given(room, [...past, added])
      .when(stop)
      .then([{ type: 'WebhookChanged', data: { webhookId: 'w1', stopped: 'failing' } }]);
    given(room, [...past, added])
      .when(stop)
      .when({ ...stop, cause: 'owner_gone' })
      .thenNothing();
    given(room, past).when(stop).thenNothing();
  });

  it('is removed for good', () => {
    const remove = { type: 'RemoveWebhook', actor: alice, webhookId: 'w1' } as const;
    given(room, [...past, added])
      .when(remove)
      .then([{ type: 'WebhookRemoved', data: { webhookId: 'w1' } }]);
    given(room, [...past, added])
      .when(remove)
      .when(remove)
      .thenNothing();
  });
});

describe('an incoming webhook', () => {
  const remove = { type: 'RemoveIncomingWebhook', actor: alice, webhookId: 'w2' } as const;

  it('brings its bot, and takes it along', () => {
    given(room, past)
      .when(incoming)
      .then([
        { type: 'IncomingWebhookAdded', data: { webhookId: 'w2', botId: 'robby', name: 'Build' } },
        { type: 'MemberJoined', data: { userId: 'robby', role: 'member' } },
      ]);
    given(room, past)
      .when(incoming)
      .when(remove)
      .then([
        { type: 'IncomingWebhookRemoved', data: { webhookId: 'w2' } },
        { type: 'MemberRemoved', data: { userId: 'robby', reason: null } },
      ]);
    given(room, past).when(incoming).when(remove).when(remove).thenNothing();
  });

  it('has a bot of its own, which does not leave a room without an owner', () => {
    given(room, past)
      .when({ ...incoming, botId: 'bob' })
      .thenRejected('Conflict', /new to the room/);
    given(room, past)
      .when({ type: 'BanMember', actor: alice, userId: 'robby', until: null, reason: null })
      .when(incoming)
      .thenRejected('Conflict', /new to the room/);
    given(room, past)
      .when(incoming)
      .when({ type: 'ChangeMemberRole', actor: alice, userId: 'robby', role: 'owner' })
      .when({ type: 'RemoveMember', actor: alice, userId: 'alice', reason: null })
      .when({ ...remove, actor: adam })
      .thenRejected('Conflict', /last owner/);
  });

  it('is for owners and administrators', () => {
    given(room, past)
      .when({ ...incoming, actor: bob })
      .thenRejected('NotAllowed');
    given(room, past)
      .when({ ...incoming, name: '' })
      .thenRejected('Invalid', /name/);
  });
});
