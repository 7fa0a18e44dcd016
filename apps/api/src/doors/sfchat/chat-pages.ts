import type { ChatStatus } from '@verbatim/domain';
import { html, page, scriptOptions } from './html.js';

/** The variable parts of the home page: `error` is shown below the field for the code. */
export interface HomePage {
  readonly nonce: string;
  readonly csrfToken: string;
  readonly error?: string;
  /** Of Google Analytics; empty: none. */
  readonly trackingId: string;
}

/** The first page, whose forms work without scripts. The ids are those that SFChat's scripts and tests look for. */
export function homePage({ nonce, csrfToken, error, trackingId }: HomePage): string {
  const csrf = html`<input type="hidden" name="csrfmiddlewaretoken" value="${csrfToken}">`;
  const errors = error ? html`<ul class="errorlist" id="code-errors" role="alert"><li>${error}</li></ul>` : html``;
  const described = error ? html` aria-invalid="true" aria-describedby="code-errors"` : html``;
  const options = scriptOptions({
    googleAnalytics: { debugMode: trackingId ? 'False' : 'True', trackingId },
    buttonTarget: { createChat: '#create_chat', joinChat: '#join_chat' },
  });
  return page(
    { title: 'SFChat - Secure Free Chat', nonce, scripts: trackingId ? ['/static/home.js'] : [] },
    html`<section class="start">
<h1>Talk in private, leave nothing behind</h1>
<p>A chat for two people, without accounts. What you say is erased as soon as it has arrived, and the chat within a day.</p>
<div id="error-general" class="hide" role="alert"></div>
<form method="post" action="/create-chat/">${csrf}
<button type="submit" id="create_chat" class="btn btn-green">create chat</button>
</form>
<p class="or">or enter the code that you were sent</p>
<form method="post" action="/">${csrf}
${errors}<label for="id_chat_token">Invitation code</label>
<input type="text" id="id_chat_token" name="chat_token" maxlength="24" pattern="[a-z0-9]{24}" placeholder="24 letters and digits"
 title="24 letters and digits" autocomplete="off" autocapitalize="none" spellcheck="false" dir="ltr"${described}>
<button type="submit" id="join_chat" class="btn btn-green">join</button>
</form>
</section>`,
    options,
  );
}

export interface ChatPage {
  readonly nonce: string;
  /** Given once, to a participant who has just joined; null otherwise. */
  readonly userToken: string | null;
  readonly status: ChatStatus;
  /** `chat.example.org`, with the port if there is one. */
  readonly host: string;
}

/**
 * The page of a chat. The field is always disabled, the button always grey, and `#chat-body` always empty: SFChat's scripts, and
 * ours, change that, and assume that any other state is already set up. SFChat's never enable a disabled button.
 */
export const chatPage = ({ nonce, userToken, status, host }: ChatPage): string =>
  page(
    { title: 'SFChat - Secure Free Chat', nonce, scripts: ['/static/chat.js'] },
    html`<div id="chat">
<div id="chat-header"><h1>Chat</h1><img id="chat-close" src="/static/close.svg" alt="Leave the chat" role="button" tabindex="0" width="24" height="24"></div>
<div id="error-general" class="hide" role="alert">Unexpected error was detected. Please refresh page and try again later.</div>
<noscript><p class="error">A chat needs JavaScript.</p></noscript>
<div id="chat-body" role="log" aria-label="Messages" tabindex="0"></div>
<div id="chat-type">
<label for="id_chat_type" class="unseen">Your message, at most 144 characters</label>
<textarea id="id_chat_type" name="chat_type" maxlength="144" rows="2" dir="auto" disabled></textarea>
<button type="button" class="btn btn-green btn-grey">send message</button>
</div>
</div>`,
    scriptOptions({
      chatBootstrap: { endPoint: `//${host}/api`, userToken: userToken ?? 'False', chatStatus: status },
      errorHandler: {
        targetError: '#error-general',
        hideClass: 'hide',
        targetHeader: '#chat-header',
        errorHeaderClass: 'error-header',
      },
      // Scripts of v0.11 and v0.12 do not start without it, although this page has no analytics.
      googleAnalytics: { debugMode: 'True', trackingId: '' },
    }),
  );
