// The page of a chat. It follows what SFChat's own scripts do, and leaves the page to them where somebody adds them: both would
// confirm each other's messages. What differs: a request that failed is repeated, and a text is not sent twice by mistake.

const MOST_ENTRIES = 200;
const LONGEST_PAUSE_MS = 15_000;
/** Most scripts that somebody adds to the page come within this time. */
const STAND_BACK_MS = 150;

const body = document.getElementById('chat-body');
const field = document.getElementById('id_chat_type');
const button = document.querySelector('#chat-type .btn');
const closer = document.getElementById('chat-close');
const errorBar = document.getElementById('error-general');
const header = document.getElementById('chat-header');
const option = (name) => document.querySelector(`#chatBootstrap option[value="${name}"]`)?.textContent ?? '';

const code = location.pathname.split('/').pop();
/** Where the tab keeps what it knows of this chat. SFChat's scripts keep the token there too, so a reload with them goes on. */
const tokenPlace = `userToken${code}`;
const historyPlace = `history of ${code}`;
const ownTitle = document.title;
/** Everything that goes on here: requests, and listening to the page. */
const work = new AbortController();
const { signal } = work;
let userToken = null;
let history = [];
let shown = new Set();
let lastSpeaker = null;
let unread = 0;
let over = false;
/** The text on its way to the server, and whether another one was sent off meanwhile. */
let onItsWay = null;
let another = false;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Start -----------------------------------------------------------------------------------------------------------------

/** The picture is a button for the keyboard too, whoever's scripts run. */
closer.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  closer.click();
});

if (document.readyState !== 'complete')
  await new Promise((resolve) => addEventListener('load', resolve, { once: true }));
await sleep(STAND_BACK_MS);
if (!window.jQuery && !window.requirejs) start();

function start() {
  button.disabled = true;
  const stored = readStored();
  const given = option('userToken');
  const isNew = given !== 'False' && given !== stored.userToken;
  userToken = isNew ? given : stored.userToken;
  if (!userToken)
    return showError('You do not take part in this chat. Its code lets in one person, on the first page.');
  history = isNew ? [] : stored.history;
  for (const entry of history) show(entry);
  store();
  closer.addEventListener('click', leave, { signal });
  button.addEventListener('click', send, { signal });
  field.addEventListener('keydown', typed, { signal });
  for (const place of [body, field]) place.addEventListener('focus', read, { signal });
  body.addEventListener('click', read, { signal });
  new MutationObserver(leaveToOthers).observe(document, { childList: true, subtree: true });
  if (option('chatStatus') === 'ready') becomeReady();
  void follow();
}

/** Gives the page back as it was served, when scripts of others come later. */
function leaveToOthers(changes) {
  const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
  if (!added.some(({ nodeName }) => nodeName === 'SCRIPT')) return;
  work.abort();
  disable();
  button.disabled = false;
}

// Receiving -------------------------------------------------------------------------------------------------------------

async function follow() {
  for (let failures = 0; !over; ) {
    try {
      const { status, messages } = await call('GET', `messages.json?_=${Date.now()}`);
      failures = 0;
      hideError();
      if (status === 'ready') becomeReady();
      const fresh = messages.filter(({ _id }) => !shown.has(_id));
      for (const message of fresh) receive(message);
      if (status === 'closed') return end();
      if (messages.length > 0) await confirm(messages);
    } catch (error) {
      if (signal.aborted) return;
      if (error.refused) return lose(error);
      failures += 1;
      showError('The connection is interrupted. Trying again.');
      await sleep(Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures));
    }
  }
}

function receive({ _id, msg, system }) {
  shown.add(_id);
  add({ who: system ? 'system' : 'talker', text: msg, at: clock() });
  unread += 1;
  showUnread();
}

function confirm(messages) {
  return call('DELETE', 'messages.json', { data: { messages: messages.map(({ _id }) => ({ _id })) } });
}

function end() {
  over = true;
  disable();
  forget();
}

function lose(error) {
  end();
  showError(`The chat has ended. (${error.message})`);
}

// Sending ---------------------------------------------------------------------------------------------------------------

function typed(event) {
  if (event.key !== 'Enter' || event.isComposing) return;
  event.preventDefault();
  if (event.ctrlKey || event.shiftKey) field.setRangeText('\n', field.selectionStart, field.selectionEnd, 'end');
  else void send();
}

async function send() {
  const text = field.value.trim();
  if (onItsWay !== null) another ||= text !== onItsWay;
  if (text === '' || onItsWay !== null || over) return;
  onItsWay = text;
  try {
    await call('POST', 'messages.json', { data: { messages: [{ msg: text }] } });
    add({ who: 'you', text, at: clock() });
    if (field.value.trim() === text) field.value = '';
    hideError();
    read();
  } catch (error) {
    another = false;
    showError(`Your message was not sent. ${error.message}`);
  }
  onItsWay = null;
  field.focus();
  if (another) {
    another = false;
    await send();
  }
}

async function leave() {
  if (over) return location.assign('/');
  try {
    await call('DELETE', 'chat.json');
  } catch (error) {
    showError(`The chat could not be closed. ${error.message}`);
  }
}

// The server ------------------------------------------------------------------------------------------------------------

async function call(method, resource, data) {
  const response = await fetch(`${option('endPoint')}/v1/${resource}`, {
    method,
    body: data && JSON.stringify(data),
    headers: { 'content-type': 'application/json', 'x-sfc-chattoken': code, 'x-sfc-usertoken': userToken },
    cache: 'no-store',
    signal,
  });
  const { results } = await response.json();
  if (results.code === 200) return results;
  throw Object.assign(new Error(results.msg), { refused: results.code === 403 });
}

// What is seen ----------------------------------------------------------------------------------------------------------

function add(entry) {
  history = [...history, entry].slice(-MOST_ENTRIES);
  store();
  show(entry);
}

function show(entry) {
  const message = element('div', entry.who === 'system' ? 'message system' : 'message');
  const text = element('div', 'msg-text');
  if (entry.who === 'system') {
    text.append(...systemText(entry.text));
    message.append(element('div', 'msg-border'), text, element('div', 'msg-border'));
  } else {
    const name = entry.who === lastSpeaker ? '...' : entry.who === 'you' ? 'You:' : 'Talker:';
    text.textContent = entry.text;
    text.dir = 'auto';
    message.append(element('div', 'msg-date', `[${entry.at}]`), ' ', element('div', 'msg-name', name), ' ', text);
  }
  lastSpeaker = entry.who;
  body.append(message);
  body.scrollTop = body.scrollHeight;
}

/** Notes of the system have line breaks and a marked code, and no other markup. */
function systemText(text) {
  return text.split(/(<br>|<mark>.*?<\/mark>)/).map((part) => {
    if (part === '<br>') return element('br');
    return part.startsWith('<mark>') ? element('mark', '', part.slice(6, -7)) : part;
  });
}

function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function becomeReady() {
  if (!field.disabled) return;
  field.disabled = false;
  button.disabled = false;
  button.classList.remove('btn-grey');
  field.focus();
}

function disable() {
  field.disabled = true;
  button.disabled = true;
  button.classList.add('btn-grey');
}

function read() {
  unread = 0;
  showUnread();
}

function showUnread() {
  document.title = unread > 0 ? `(${unread}) ${ownTitle}` : ownTitle;
}

function showError(text) {
  errorBar.textContent = text;
  errorBar.classList.remove('hide');
  header.classList.add('error-header');
}

function hideError() {
  errorBar.classList.add('hide');
  header.classList.remove('error-header');
}

function clock() {
  const now = new Date();
  const parts = [now.getHours(), now.getMinutes(), now.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

// The tab's memory ------------------------------------------------------------------------------------------------------

function readStored() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(historyPlace));
    shown = new Set(stored?.shown ?? []);
    return { userToken: sessionStorage.getItem(tokenPlace), history: stored?.history ?? [] };
  } catch {
    return { userToken: null, history: [] };
  }
}

function store() {
  try {
    const ids = [...shown].slice(-MOST_ENTRIES);
    sessionStorage.setItem(tokenPlace, userToken);
    sessionStorage.setItem(historyPlace, JSON.stringify({ history, shown: ids }));
  } catch {
    // A full or forbidden storage costs the history after a reload, and nothing else.
  }
}

function forget() {
  for (const place of [tokenPlace, historyPlace]) sessionStorage.removeItem(place);
}
