import { csvCells } from '@verbatim/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailOf } from './mailbox-file.js';
import { tableHeader, tableLine } from './messages-table.js';
import type { ShownEvent } from './shown-event.js';
import { escaped, transcriptEnd, transcriptEntry, transcriptHead } from './transcript.js';

const shown = (text: string, roomName = 'Lounge', username = 'ada'): ShownEvent => ({
  event: {
    ...{ id: '01985f6e-7a2c-7000-8000-0000000000e1', stream: 'room-01985f6e-7a2c-7000-8000-0000000000b1' },
    ...{ type: 'MessagePosted', at: '2026-01-31T12:00:00.000Z', revision: 4n },
  },
  ordinal: 9,
  roomName,
  actor: { id: '01985f6e-7a2c-7000-8000-00000000ada1', username },
  data: { messageId: '01985f6e-7a2c-7000-8000-0000000000a1', text, replyTo: null, kind: 'text' },
  replaced: false,
});

/** What people who mean harm write, and anything else. */
const hostile = fc.oneof(
  fc.constantFrom(
    ...['<script>alert(1)</script>', '</p><img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', "' onclick='x"],
    ...['=1+1', '@SUM(A1)', '+1', '-1', '\t=1', '\r=1', '＝HYPERLINK("x")', "'=1", '"=1"', ';=1', '\n=cmd|x', ' =1'],
    ...['From x', '\nFrom someone', '\r\nBcc: eve@example.org', '</article></main><base href=//evil>', '<!--', ']]>'],
    ...['\u202Eevil', 'שלום', 'مرحبا', '\u2028', '\0', '\ud800', '&lt;script&gt;', 'javascript:alert(1)'],
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
);

const tag = /<[^>]*>/g;

describe('transcript.html', () => {
  it('has the same elements whatever was written', () => {
    const harmless = transcriptEntry(shown('x', 'x', 'x')).match(tag);
    fc.assert(
      fc.property(hostile, hostile, hostile, (text, room, name) => {
        const entry = transcriptEntry(shown(text, room, name));
        expect(entry.match(tag)).toEqual(harmless);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what no page may hold
        expect(entry).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      }),
    );
  });

  it('shows what was written', () => {
    const decoded = (html: string) =>
      html
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(decoded(escaped(text))).toBe(text);
      }),
    );
  });

  it('loads and runs nothing, and says so in its policy', () => {
    const page =
      transcriptHead({ title: '<b>', facts: [['<i>', '</style>']] }) + transcriptEntry(shown('x')) + transcriptEnd;
    expect(page).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^"]+'/,
    );
    expect(page).not.toMatch(/<(script|link|img|iframe|a|form|object|embed|base)\b|url\(|@import|https?:/);
    expect(page).not.toContain('<b>\n');
    expect(page.match(/<style>/g)).toHaveLength(1);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
  });

  it('isolates texts, so that one from right to left changes nothing around it', () => {
    expect(transcriptEntry(shown('שלום\u202Eabc', 'غرفة', 'ada'))).toMatch(
      /<bdi><b>ada<\/b><\/bdi>.*<bdi class="place">غرفة<\/bdi>.*<p class="text" dir="auto">שלום/s,
    );
  });
});

describe('messages.csv', () => {
  it('holds no formula, and gives every text back', () => {
    const formula = /^[\s\uFEFF]*["']?\s*[=+\-@＝＋－＠]/;
    fc.assert(
      fc.property(hostile, hostile, (text, room) => {
        const cells = csvCells(tableHeader + tableLine(shown(text, room)));
        expect(cells).toHaveLength(2);
        const line = tableLine(shown(text, room));
        // A cell begins at the beginning, or behind a comma that is outside of quotes.
        const raw = [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,\r\n]*)/g)].map(([, cell]) => cell ?? '');
        expect(raw).toHaveLength(12);
        const value = (cell: string) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
        for (const cell of raw.map(value)) if (/^[=+\-@\t\r\n＝＋－＠]/.test(cell)) expect(cell).not.toMatch(formula);
      }),
    );
  });

  it('begins with a byte order mark', () => {
    expect(tableHeader.startsWith('\uFEFFat,what,roomId')).toBe(true);
  });
});

describe('messages.mbox', () => {
  it('is one mail whatever was written, with the headers that it should have', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (text, room, name) => {
        const mail = mailOf(shown(text, room, name));
        expect(mail.match(/^From /gm)).toHaveLength(1);
        const [head = '', ...rest] = mail.split('\n\n');
        const names = head
          .split('\n')
          .slice(1)
          .filter((line) => !line.startsWith(' '))
          .map((line) => line.split(':')[0]);
        expect(names).toEqual([
          ...['From', 'To', 'Date', 'Message-ID', 'Subject', 'X-Verbatim-Ordinal', 'MIME-Version', 'Content-Type'],
          'Content-Transfer-Encoding',
        ]);
        expect(Buffer.from(rest.join(''), 'base64').toString()).toBe(text.toWellFormed());
        expect(mail).toMatch(/^[\x20-\x7e\n]*$/);
      }),
    );
  });
});
