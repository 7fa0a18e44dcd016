import { expect, it } from 'vitest';
import { Inbox, inboxLimits } from './inbox.js';

/** An inbox of texts, what it has processed, and whether its client is paused. */
function open() {
  const done: string[] = [];
  const wire = { paused: false };
  const failed = (error: unknown) => {
    throw error;
  };
  const inbox = new Inbox<string>({
    publish: async (texts) => void done.push(...texts),
    failed,
    full: (full) => {
      wire.paused = full;
    },
  });
  const task = (name: string) => inbox.do(async () => void done.push(name));
  return { inbox, done, wire, task };
}

it('processes publications but no other tasks after its client has disconnected', async () => {
  const { inbox, done, task } = open();
  task('in work');
  inbox.publish('one', 3);
  task('subscribe');
  inbox.publish('two', 3);
  inbox.discardTasks();
  await inbox.idle();
  expect(done).toEqual(['in work', 'one', 'two']);
});

it('pauses its client while its pending publications are too large', async () => {
  const { inbox, wire, task } = open();
  inbox.publish('short', inboxLimits.bytes - 1);
  expect(wire.paused).toBe(false);
  task('in between');
  inbox.publish('one byte', 1);
  expect(wire.paused).toBe(true);
  await inbox.idle();
  expect(wire.paused).toBe(false);
  expect(inbox.heldBytes).toBe(0);
  inbox.publish('in work', 2);
  inbox.publish('dropped', 3);
  inbox.discard();
  expect(inbox.heldBytes).toBe(2);
});
