import { describe, expect, it } from 'vitest';
import { fullReport, summary } from './import-report.js';

const taken = { message: 3, action: 1, join: 0, leave: 0, rename: 0, kick: 0 };
const about = { format: 'irssi', encoding: 'UTF-8', from: '2005-09-26T06:53:00.000Z', to: '2005-09-26T07:00:00.000Z' };
const plain = { name: 'a.txt', ...about, lines: 4, taken, skipped: [], refused: [], events: 5 };
const outcome = { roomId: 'r1', people: 2, visible: true };

describe('the report of an import', () => {
  it('shows what the files contained and how much of it was new', () => {
    const printed = summary({ ...outcome, files: [plain] }, 'chat');
    expect(printed).toContain('a.txt: 4 lines: 3 messages, 1 action, 0 joins,');
    expect(printed).toContain('The room has 5 new events.\nIts id is r1.\n');
    expect(printed).toContain('format irssi, UTF-8, from 2005-09-26T06:53:00.000Z to 2005-09-26T07:00:00.000Z');
    expect(printed).toContain('2 people.');
    expect(printed).not.toContain('not imported');
    expect(printed).not.toContain('read models');
    expect(summary({ ...outcome, files: [{ ...plain, events: 0 }] }, 'chat')).toContain('nothing was changed');
  });

  it('shows what would be imported', () => {
    const printed = summary({ files: [plain], people: 1 }, 'chat');
    expect(printed).toMatch(/1 person.\nNothing was written. At most 5 events would be added to the room “chat”/);
  });

  it('reports when readers do not see everything yet', () => {
    expect(summary({ ...outcome, visible: false, files: [plain] }, 'chat')).toContain('still behind after 60 s');
  });

  it('adds up several files', () => {
    expect(summary({ ...outcome, files: [plain, plain] }, 'chat')).toContain(
      'Together: 8 lines: 6 messages, 2 actions',
    );
  });

  it('lists the lines that were not imported, with their reasons, up to a limit', () => {
    const skipped = Array.from({ length: 30 }, (_, i) => ({ line: i * 2 + 1, skipped: 'an empty line' }));
    const refused = [{ line: 4, reason: 'The room is closed.' }];
    const report = { ...outcome, files: [{ ...plain, skipped, refused }] };
    expect(summary(report, 'chat')).toContain(
      '31 lines not imported:\n  30 × an empty line\n  1 × refused by the room: The room is closed.\n',
    );
    expect(summary(report, 'chat')).toContain('  and 11 more');
    expect(fullReport(report).split('\n')).toHaveLength(32);
    expect(fullReport(report)).toMatch(
      /^a.txt:1 an empty line\na.txt:3 .*\na.txt:4 refused by the room: The room is closed.\n/,
    );
  });
});
