import { Mqtt } from './mqtt.js';
import { shown } from './text.js';

/** Loaded by its address, because the file belongs to the broker. */
const derivation = '/static/passphrase.js';
const { deriveCredentials } = await import(derivation);

/** Texts kept per room. */
const KEPT = 50;
const COLOURS = 16;
const MAIN = 'main';
const FILTERS = ['rooms/#', 'users/#'];

const element = (id) => document.getElementById(id);
const { broker: brokerPort, passphrase } = document.documentElement.dataset;

/** `[author, text]` by room, the newest last. */
const rooms = new Map([[MAIN, []]]);
/** All people in order of appearance, which decides their colours. */
const people = [];
const present = new Set();
let room = MAIN;
let nick = '';
let mqtt = null;
let bellRings = false;

// Entering ------------------------------------------------------------------------------------------------------------

if (passphrase === 'needed') element('challenge_label').textContent = 'Passphrase';
element('nick').focus();

element('entrance').addEventListener('submit', (event) => {
  event.preventDefault();
  const hasAccount = element('has_account').checked;
  nick = element('nick').value.trim().normalize('NFC');
  // Usernames are in lower case.
  if (hasAccount) nick = nick.toLowerCase();
  const secret = element('challenge').value;
  const credentials = hasAccount ? { username: nick, password: secret } : secret === '' ? {} : derived(secret);
  if (nick === '' || credentials === null) return;
  // Two characters that show people whether they typed the same passphrase.
  const mark = credentials.username?.slice(3, 5) ?? 'unprotected';
  document.title = hasAccount ? 'ChaTT' : `ChaTT-${mark}`;
  element('title').textContent = document.title;
  enter({ clientId: nick, ...credentials });
});

function derived(secret) {
  const pair = deriveCredentials(secret);
  if (pair) return { username: pair.login, password: pair.password };
  element('entrance_note').textContent = 'This passphrase is too long.';
  return null;
}

function enter(introduction) {
  element('entrance_note').textContent = '';
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  mqtt = new Mqtt(`${scheme}://${location.hostname}:${brokerPort}/`, introduction);
  mqtt.addEventListener('connected', connected);
  mqtt.addEventListener('lost', () => {
    element('connection').textContent = 'The connection was lost. Reconnecting …';
  });
  mqtt.addEventListener('refused', ({ detail }) => leave(refusals[detail] ?? 'failed.'));
  mqtt.addEventListener('message', ({ detail }) => receive(detail));
  mqtt.open();
}

/** By the return code of the CONNACK. */
const refusals = {
  2: 'failed. This name is taken by a registered person, or it is invalid.',
  3: 'failed. Too many attempts. Try again later.',
  4: 'failed. The name or the password is wrong.',
  5: 'failed. You may not enter.',
};

function leave(why) {
  mqtt = null;
  element('chat').hidden = true;
  element('entrance').hidden = false;
  element('entrance_note').textContent = why;
  element('nick').focus();
}

function connected() {
  element('entrance').hidden = true;
  element('chat').hidden = false;
  element('connection').textContent = '';
  mqtt.publishOnce(`users/${nick}/hello`, '{}');
  mqtt.subscribe(FILTERS);
  present.add(nick);
  void fetchLast();
  show();
  element('input_text').focus();
}

addEventListener('pagehide', () => mqtt?.close());

// Receiving -----------------------------------------------------------------------------------------------------------

/** Texts that arrive while the answer is on its way. It may not contain them. */
let meanwhile = [];

/** Loads earlier texts. Done after subscribing, so that nothing is missed. */
async function fetchLast() {
  meanwhile = [];
  try {
    const answer = await fetch(`/data/lastinfo?user=${encodeURIComponent(nick)}`);
    const last = await answer.json();
    for (const name of last.users) meet(name);
    for (const name of last.rooms) if (!rooms.has(name)) rooms.set(name, []);
    for (const [name, texts] of Object.entries(last.messages)) {
      const isIn = ([author, text]) => texts.slice(-KEPT).some((one) => one[0] === author && one[1] === text);
      const missing = meanwhile.filter((heard) => heard.name === name && !isIn(heard.said)).map(({ said }) => said);
      rooms.set(name, [...texts, ...missing].slice(-KEPT));
      for (const [author] of texts) meet(author, false);
    }
    show();
  } catch {
    element('connection').textContent = 'Earlier texts could not be loaded.';
  }
}

function receive({ topic, payload }) {
  const [kind, name, what] = topic.split('/');
  if (kind === 'users' && what === 'hello') meet(name);
  if (kind === 'users' && what === 'logout') present.delete(name);
  if (kind === 'rooms' && !rooms.has(name)) rooms.set(name, []);
  if (kind === 'rooms' && what === 'newtext') hear(name, JSON.parse(payload));
  show();
}

function hear(name, { author, text }) {
  const texts = rooms.get(name);
  texts.push([author, text]);
  meanwhile = [...meanwhile, { name, said: [author, text] }].slice(-KEPT);
  if (texts.length > KEPT) texts.shift();
  meet(author);
  if (bellRings && author !== nick) ring();
}

function meet(name, isPresent = true) {
  if (!people.includes(name)) people.push(name);
  if (isPresent) present.add(name);
}

// Showing -------------------------------------------------------------------------------------------------------------

let willShow = false;

/** Renders once per frame. */
function show() {
  if (willShow) return;
  willShow = true;
  requestAnimationFrame(() => {
    willShow = false;
    element('all_rooms').replaceChildren(...[...rooms.keys()].map(roomItem));
    const others = people.filter((name) => present.has(name) && name !== nick);
    element('all_nicks').replaceChildren(...others.map(nickItem));
    showTexts();
  });
}

function showTexts() {
  const box = element('all_texts');
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 50;
  const lines = (rooms.get(room) ?? []).map(([author, text]) => line(author, text));
  box.replaceChildren(...(lines.length > 0 ? lines : [paragraph("It's empty here!")]));
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function roomItem(name) {
  const button = item(name, () => {
    room = name;
    show();
    element('input_text').focus();
  });
  if (name === room) button.firstChild.setAttribute('aria-current', 'true');
  return button;
}

function nickItem(name) {
  const entry = item(name, () => {
    element('input_text').value += `@${name}: `;
    element('input_text').focus();
  });
  entry.firstChild.className = colourOf(name);
  return entry;
}

function item(text, clicked) {
  const [entry, button] = ['li', 'button'].map((tag) => document.createElement(tag));
  button.type = 'button';
  button.textContent = text;
  button.addEventListener('click', clicked);
  entry.append(button);
  return entry;
}

function line(author, text) {
  const name = document.createElement('span');
  name.className = colourOf(author);
  name.dir = 'auto';
  name.textContent = author;
  const said = document.createElement('span');
  said.dir = 'auto';
  said.append(...shown(text, nick));
  return paragraph(name, ': ', said);
}

function paragraph(...content) {
  const made = document.createElement('p');
  made.append(...content);
  return made;
}

const colourOf = (name) => `c${Math.max(people.indexOf(name), 0) % COLOURS}`;

// Acting --------------------------------------------------------------------------------------------------------------

element('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = element('input_text');
  if (input.value.trim() === '' || !mqtt) return;
  mqtt.publish(`rooms/${room}/newtext`, JSON.stringify({ author: nick, text: input.value }));
  input.value = '';
});

element('add_room').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = element('new_room').value.trim();
  const isName = /^[\p{L}\p{N}-]+$/u.test(name);
  element('room_note').textContent = isName ? '' : 'Invalid room name!';
  if (!isName || !mqtt) return;
  mqtt.publish(`rooms/${name}/new`, '');
  element('new_room').value = '';
});

element('bell').addEventListener('click', ({ currentTarget }) => {
  bellRings = !bellRings;
  currentTarget.setAttribute('aria-pressed', `${bellRings}`);
  if (bellRings) ring();
});

let sound = null;

function ring() {
  sound ??= new AudioContext();
  const [tone, volume] = [sound.createOscillator(), sound.createGain()];
  tone.frequency.value = 880;
  volume.gain.setValueAtTime(0.1, sound.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.3);
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.3);
}
