import { expect, it } from 'vitest';
import { Inbox, inboxLimits } from './inbox.js';

/** An inbox of texts; what it has done, and whether its client has to wait. */
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

it('does what was published, and no other task, when its client has gone', async () => {
  const { inbox, done, task } = open();
  task('in work');
  inbox.publish('one', 3);
  task('subscribe');
  inbox.publish('two', 3);
  inbox.discardTasks();
  await inbox.idle();
  expect(done).toEqual(['in work', 'one', 'two']);
});

it('lets its client wait while what it has published is too many bytes, in work or not', async () => {
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
