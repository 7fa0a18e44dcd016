import { describe, expect, it } from 'vitest';
import { fullReport, summary } from './import-report.js';

const taken = { message: 3, action: 1, join: 0, leave: 0, rename: 0, kick: 0 };
const plain = { name: 'a.txt', lines: 4, taken, skipped: [], refused: [], events: 5 };

describe('the report of an import', () => {
  it('tells what the files held and how much of it was new', () => {
    const told = summary({ roomId: 'r1', files: [plain] });
    expect(told).toContain('a.txt: 4 lines: 3 messages, 1 action, 0 joins,');
    expect(told).toContain('The room has 5 new events.\nIts id is r1.\n');
    expect(told).not.toContain('not taken');
    expect(summary({ roomId: 'r1', files: [{ ...plain, events: 0 }] })).toContain('nothing was changed');
  });

  it('adds up several files', () => {
    expect(summary({ roomId: 'r1', files: [plain, plain] })).toContain('Together: 8 lines: 6 messages, 2 actions');
  });

  it('lists the lines that were not taken, with their reasons, as many as can be read', () => {
    const skipped = Array.from({ length: 30 }, (_, i) => ({ line: i * 2 + 1, skipped: 'an empty line' }));
    const refused = [{ line: 4, reason: 'The room is closed.' }];
    const report = { roomId: 'r1', files: [{ ...plain, skipped, refused }] };
    expect(summary(report)).toContain(
      '31 lines not taken:\n  30 × an empty line\n  1 × refused by the room: The room is closed.\n',
    );
    expect(summary(report)).toContain('  and 11 more');
    expect(fullReport(report).split('\n')).toHaveLength(32);
    expect(fullReport(report)).toMatch(
      /^a.txt:1 an empty line\na.txt:3 .*\na.txt:4 refused by the room: The room is closed.\n/,
    );
  });
});
