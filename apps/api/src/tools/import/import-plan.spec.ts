import { describe, expect, it } from 'vitest';
import { ubuntu } from './formats/ubuntu.js';
import { planImport } from './import-plan.js';
import { accountOf } from './nickname-account.js';

const importer = { id: 'importer', role: 'user' } as const;
const id = (nick: string) => accountOf(nick).userId;

/** A line of a log, at the minute that it gives. */
function entry(content: string, index: number) {
  const { stamp, says } = ubuntu.parse(content);
  const at = new Date(Date.UTC(2005, 8, 26, 0, 0, stamp?.seconds ?? 0)).toISOString();
  if (says === null || typeof says === 'string') return { line: index + 1, skipped: says ?? '' };
  return { line: index + 1, at, ...says };
}

/** A summary of the plan for a log in a room with these members. */
function plan(lines: readonly string[], members: readonly string[] = []) {
  const file = { digest: 'd', lines: lines.map(entry) };
  const { steps, taken, skipped } = planImport(file, members.map(id), importer);
  const summary = steps.map(({ place, account, command }) => {
    if (command.type === 'PostMessage') return `${place} ${account.displayName} ${command.kind}: ${command.text}`;
    if (command.type === 'RemoveMember' && command.actor === importer)
      return `${place} ${account.displayName} removed ${command.reason}`;
    return `${place} ${account.displayName} ${command.type === 'JoinRoom' ? 'joins' : 'leaves'}`;
  });
  return { summary, steps, taken, skipped: skipped.map(({ line, skipped: reason }) => `${line} ${reason}`) };
}

describe('the plan of an import', () => {
  it('has speakers join first, and only once', () => {
    expect(plan(['[00:00] <a> x', '[00:00]  * a y', '[00:00] <b> z'], ['b']).summary).toEqual([
      '4 a joins',
      '5 a text: x',
      '8 a action: y',
      '12 b text: z',
    ]);
  });

  it('plans joins, leaves and kicks only where they change anything', () => {
    const { summary, skipped, taken } = plan([
      '=== a has joined',
      '=== a has joined',
      '=== b has left',
      '=== a has left',
      '=== a was kicked off #u by b (c)',
      '=== d has joined',
      '=== d was kicked off #u by b (c)',
      '=== d has left',
    ]);
    expect(summary).toEqual(['4 a joins', '16 a leaves', '24 d joins', '28 d removed by b (c)']);
    expect(skipped).toEqual([
      '2 the person was in the room already',
      '3 the person was not in the room',
      '5 the person was not in the room',
      '8 the person was not in the room',
    ]);
    expect(taken).toEqual({ message: 0, action: 0, join: 2, leave: 1, kick: 1, rename: 0 });
  });

  it('has the old nickname leave and the new one join', () => {
    const { summary, skipped } = plan(
      [
        '=== a is now known as A',
        '[00:00] <A> x',
        '=== a is now known as b',
        '=== A is now known as c',
        '=== c is now known as c',
      ],
      ['a', 'c'],
    );
    expect(summary).toEqual(['4 a leaves', '5 A joins', '8 A text: x', '16 A leaves']);
    expect(skipped).toEqual(['3 the person was not in the room', '5 the new nickname is the old one']);
  });

  it('skips texts that are too long', () => {
    const { summary, skipped } = plan([`[00:00] <a> ${'ü'.repeat(8_000)}`, `[00:00] <b> ${'ü'.repeat(8_001)}`]);
    expect(summary).toEqual(['4 a joins', `5 a text: ${'ü'.repeat(8_000)}`]);
    expect(skipped).toEqual(['2 the text must have at most 8000 characters']);
  });

  it('skips blank texts', () => {
    const { summary, skipped } = plan([
      '[00:00] <a> \u00a0\u200b\u2800',
      '[00:00]  * a \u200b',
      '[00:00] <a> \u2764\ufe0f',
    ]);
    expect(summary).toEqual(['12 a joins', '13 a text: \u2764\ufe0f']);
    expect(skipped).toEqual(['1 the text must not be blank', '2 the text must not be blank']);
  });

  it('uses different ids for a file that is imported again after an undo', () => {
    const file = { digest: 'd', lines: [entry('[00:00] <a> x', 0)] };
    const [first, second] = ['d', 'd+2'].map((source) => planImport(file, [], importer, source).steps);
    expect(second?.map(({ command }) => 'imported' in command && command.imported?.file)).toEqual(['d+2', 'd+2']);
    expect(second?.map(({ command }) => command.type === 'PostMessage' && command.messageId)).not.toEqual(
      first?.map(({ command }) => command.type === 'PostMessage' && command.messageId),
    );
  });

  it('gives each command the time and place of its line, and derives message ids from file and line', () => {
    const lines = ['[00:01] <a> x', '[00:02] <a> x'];
    const { steps } = plan(lines);
    expect(steps.map(({ occurredAt }) => occurredAt.slice(11, 16))).toEqual(['00:01', '00:01', '00:02']);
    expect(steps.map(({ command }) => 'imported' in command && command.imported)).toEqual(
      [4, 5, 8].map((place) => ({ file: 'd', place })),
    );
    const ids = steps.flatMap(({ command }) => (command.type === 'PostMessage' ? [command.messageId] : []));
    expect(new Set(ids).size).toBe(2);
    expect(plan(lines).steps).toEqual(steps);
  });
});
