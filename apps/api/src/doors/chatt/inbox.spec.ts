import { expect, it } from 'vitest';
import { Inbox } from './inbox.js';

/** An inbox of texts, of which each is as many bytes as characters; what it has done, and whether its client has to wait. */
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
  inbox.publish('one');
  task('subscribe');
  inbox.publish('two');
  inbox.discardTasks();
  await inbox.idle();
  expect(done).toEqual(['in work', 'one', 'two']);
});
