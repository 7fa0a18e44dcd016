import { type Html, html } from './html.js';

/** Static pages, with path, title and content. */
export const staticPages: readonly { readonly path: string; readonly title: string; readonly content: Html }[] = [
  {
    path: '/privacy.html',
    title: 'SFChat: Privacy',
    content: html`<article class="about"><h1>Privacy</h1>
<p>There are no accounts, and no names. A chat is for exactly two people: the one who opens it, and the one who has the
invitation code.</p>
<h2>What the server keeps</h2>
<ul>
<li>A text is kept until the other person's browser has confirmed it, or the chat has ended, and then erased. Until then it is
encrypted with a key that the server can derive only while a participant presents the invitation code.</li>
<li>Codes and tokens are stored only as hashes. None of this is in a log, an archive or a backup.</li>
<li>A chat ends when one of the two leaves, when one is silent for more than a minute, and after a day at the latest.</li>
<li>Only a count remains: how many chats there were each day.</li>
</ul>
<h2>What your browser keeps</h2>
<p>The history of a chat is in the session storage of its tab, so that you can reload the page. It is deleted when the chat ends
or the tab is closed.</p>
<h2>What no one can promise</h2>
<p>The other person can copy what they read. The operator of the server could change the program. Send the code over a channel
that you trust.</p></article>`,
  },
  {
    path: '/faq.html',
    title: 'SFChat: FAQ',
    content: html`<article class="about"><h1>FAQ</h1>
<h2>How do I start?</h2>
<p>Press "create chat", and send the code that appears to the other person, who enters it on the first page.</p>
<h2>How long may a text be?</h2>
<p>144 characters. Ctrl+Enter or Shift+Enter starts a new line.</p>
<h2>How do I know that the other person has left?</h2>
<p>The chat shows it. If the other person's browser is silent for more than a minute, the chat ends in the same way.</p>
<h2>Can I reload the page?</h2>
<p>Yes, in the same tab: the history is stored there, not on the server.</p>
<h2>Why can no one else join?</h2>
<p>A code admits one person, once.</p>
<h2 id="whom-to-ask">Whom can I ask?</h2>
<p>The operator of this server. Its address is in the address bar of your browser.</p></article>`,
  },
  {
    path: '/license.html',
    title: 'SFChat: License',
    content: html`<article class="about"><h1>License</h1>
<p>These pages are part of Verbatim, which is licensed under the Apache License, Version 2.0
(<a href="https://www.apache.org/licenses/LICENSE-2.0">apache.org/licenses/LICENSE-2.0</a>). They follow the interface of
SFChat, a program of MySmile; no part of it is included.</p></article>`,
  },
];
