/** HTML made with `html`; any other value is text. */
export class Html {
  constructor(readonly text: string) {}
}

/** HTML with values put in: texts are escaped, `Html` is not, arrays are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.reduce((all, part, i) => all + (i > 0 ? written(values[i - 1] as Value) : '') + part, ''));
}

type Value = string | Html | readonly Html[];

function written(value: Value): string {
  if (typeof value === 'string') return escaped(value);
  return value instanceof Html ? value.text : value.map(({ text }) => text).join('');
}

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

/** The common parts of pages. `scripts`: URLs of scripts, which run under this nonce. */
export interface PageFrame {
  readonly title: string;
  readonly nonce: string;
  readonly scripts?: readonly string[];
}

/** A complete page. `main` is the content of `<main>`. */
export const page = ({ title, nonce, scripts = [] }: PageFrame, main: Html, options: Html = html``): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/sfchat.css">
${scripts.map((address) => html`<script nonce="${nonce}" src="${address}" type="module"></script>\n`)}</head>
<body>
<header><a href="/">SFChat</a> <span>Secure Free Chat</span></header>
<main>
${main}
</main>
<footer>
<nav aria-label="About this service"><a href="/privacy.html">Privacy</a> <a href="/faq.html">FAQ</a> <a href="/license.html">License</a></nav>
<div id="contact"><a href="/faq.html#whom-to-ask">Contact</a></div>
<div id="copyright">Served by Verbatim, which speaks the language of SFChat.</div>
</footer>
${options}</body>
</html>
`.text;

/** Values for scripts, in SFChat's form: each is an option whose value is the name and whose text is the value. */
export const scriptOptions = (selects: Readonly<Record<string, Readonly<Record<string, string>>>>): Html =>
  html`<div class="onload-js-options hide" hidden>
${Object.entries(selects).map(
  ([id, options]) =>
    html`<select id="${id}" aria-hidden="true" tabindex="-1">${Object.entries(options).map(
      ([name, value]) => html`<option value="${name}">${value}</option>`,
    )}</select>\n`,
)}</div>
`;

/** The page that shows a refusal to people. */
export const errorPage = (status: number, message: string): string =>
  page(
    { title: `SFChat: ${message}`, nonce: '' },
    html`<article class="about"><h1>${message}</h1>
<p>${explanations[status] ?? 'The request could not be handled.'}</p>
<p><a href="/">To the start</a></p></article>`,
  );

const explanations: Readonly<Record<number, string>> = {
  403: 'This form has expired, or it came from another site. Go back to the start and try again.',
  404: 'There is no such page, or the chat has ended. Chats leave nothing behind.',
  429: 'That was too much in a short time. Try again later.',
  503: 'The service is not available at the moment. Try again in a minute.',
};
