import { createHash } from 'node:crypto';
import { happenedAt } from '@verbatim/domain';
import { nameOf, type ShownEvent, textIn } from './shown-event.js';

// A page to read and to print. It loads nothing and runs nothing: its policy forbids it, even if a text could get out of its
// element. Each text is isolated, so that one from right to left does not reorder what stands around it.

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; color: #1d2430; background: #fff; }
  h1 { font-size: 1.4rem; line-height: 1.3; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
  dt, time, .place { color: #5a6473; }
  dd { margin: 0; overflow-wrap: anywhere; }
  article { border-top: 1px solid #dde2ea; padding: .5rem 0; break-inside: avoid; }
  header { display: flex; flex-wrap: wrap; gap: .2rem .8rem; font-size: .9rem; }
  .text { margin: .2rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
  .note { font-style: italic; color: #5a6473; }
`;

const policy = [
  ...["default-src 'none'", `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`],
  ...["base-uri 'none'", "form-action 'none'"],
].join('; ');

export interface TranscriptTitle {
  readonly title: string;
  /** What was asked for, as names and values. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** What `transcript.html` begins with. */
export const transcriptHead = ({ title, facts }: TranscriptTitle): string => `<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<h1 dir="auto">${escaped(title)}</h1>
<dl>
${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd dir="auto">${escaped(value)}</dd>`).join('\n')}
</dl>
<p class="note">This page is for reading. What proves it is in events.ndjson.</p>
<main>
`;

export const transcriptEnd = '</main>\n</body>\n</html>\n';

/** An event as it is told in `transcript.html`. */
export function transcriptEntry(shown: ShownEvent): string {
  const { event, ordinal, roomName, actor } = shown;
  const at = escaped(happenedAt(event));
  const room = roomName === null ? '' : `<bdi class="place">${escaped(roomName)}</bdi>`;
  return (
    `<article id="e${ordinal}"><header><time datetime="${at}">${at}</time> <bdi><b>${escaped(nameOf(actor) || 'Service')}</b></bdi> ` +
    `<span>${escaped(deedOf(event.type))}</span> ${room} <span class="place">#${ordinal}</span></header>${said(shown)}</article>\n`
  );
}

function said({ event, data, replaced }: ShownEvent): string {
  const isMessage = event.type === 'MessagePosted' || event.type === 'MessageEdited';
  const text = textIn(data, isMessage ? 'text' : 'reason');
  const about = textIn(data, 'messageId') ?? textIn(data, 'userId');
  const subject = event.type === 'MessagePosted' || about === null ? '' : `<p class="note">${escaped(about)}</p>`;
  if (text !== null) return `${subject}<p class="text" dir="auto">${escaped(text)}</p>`;
  if (!isMessage) return subject;
  return `${subject}<p class="note">${replaced ? 'This text was replaced later.' : 'This text was erased.'}</p>`;
}

const deeds: Readonly<Record<string, string>> = {
  MessagePosted: 'wrote',
  MessageEdited: 'changed a message',
  MessageRedacted: 'redacted a message',
};

/** `MemberJoined` becomes `member joined`. */
const deedOf = (type: string): string => deeds[type] ?? type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** As text of an element or a value of an attribute in quotes; what no page may hold is replaced. */
export function escaped(text: string): string {
  const wellFormed = text.toWellFormed();
  // Most texts hold nothing of either kind, which takes one look to see.
  if (!special.test(wellFormed)) return wellFormed;
  return wellFormed.replaceAll(forbidden, '\ufffd').replaceAll(/[&<>"']/g, (character) => references[character] ?? '');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: HTML forbids exactly these.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/g;
const special = new RegExp(`${forbidden.source}|[&<>"']`);
