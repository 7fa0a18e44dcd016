/**
 * The script of the pages, for browsers. Texts and names are inserted as text, never as HTML. Messages that arrive while
 * the history loads wait for it.
 */
export const pageScript = `'use strict';
(() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const asJson = async (response) => ({ ok: response.ok, body: await response.json().catch(() => ({})) });
  const call = (path, options) => fetch(path, options).then(asJson);
  const sent = (body, token) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: 'Bearer ' + token }) },
    body: JSON.stringify(body),
  });

  // Creating a room

  const create = find('#create');
  if (create) {
    const password = create.elements.password;
    const show = () => {
      const open = create.elements.visibility.value === 'public';
      password.closest('label').hidden = open;
      password.required = !open;
      if (open) password.value = '';
    };
    create.addEventListener('change', show);
    create.addEventListener('submit', async (event) => {
      event.preventDefault();
      const { title, description, visibility } = create.elements;
      const wanted = { title: title.value, description: description.value, visibility: visibility.value };
      const { ok, body } = await call('/chats', sent({ ...wanted, password: password.value }));
      if (ok) location.assign('/chats/' + body.id + '/entrance');
      else find('[role=alert]', create).textContent = createProblem(body.error || {});
    });
    show();
  }

  function createProblem({ code, field, error = 'The room could not be created.' }) {
    if (code === 102) return 'A room of this title already exists.';
    return code === 105 && field ? 'Please correct the ' + (field === 'visibility' ? 'type' : field) + '.' : error;
  }

  // Entering a room

  const enter = find('#enter');
  if (!enter) return;
  const { room } = enter.dataset;
  const [box, text, state, again] = ['#chat-box', '#msg', '#state', '#again'].map((id) => find(id));
  let name = '';
  let color = '';
  let socket = null;

  enter.addEventListener('submit', async (event) => {
    event.preventDefault();
    const problem = find('[role=alert]', enter);
    problem.textContent = '';
    ({ name: { value: name }, color: { value: color } } = enter.elements);
    const secret = enter.elements.password ? enter.elements.password.value : undefined;
    const there = await call('/chats/' + room);
    const taken = (there.body.users || []).some(({ username }) => username.toLowerCase() === name.toLowerCase());
    if (taken) return void (problem.textContent = 'Someone in the room already has this name.');
    const { ok, body } = await call('/chats/' + room + '/token', sent({ room_id: Number(room), name, secret }));
    if (!ok) return void (problem.textContent = entryProblem(body.error || {}));
    connect(body.token, 1000);
  });

  function entryProblem({ code, field, error = 'The room cannot be reached.' }) {
    if (code === 202) return 'This name belongs to a registered person.';
    if (field === 'secret') return 'Incorrect password.';
    if (field === 'name') return 'This name cannot be used here.';
    return error;
  }

  /** Retries with growing pauses until the first connection succeeds. */
  function connect(token, pause) {
    const address = location.origin.replace(/^http/, 'ws') + '/chats/' + room + '/ws';
    let opened = false;
    let joined = false;
    let refusal = '';
    socket = token ? new WebSocket(address, token) : new WebSocket(address);
    state.textContent = 'Connecting.';
    enter.hidden = true;
    find('#room').hidden = false;
    const held = [];
    let history = null;
    socket.addEventListener('open', async () => {
      opened = true;
      say('join', '');
      state.textContent = 'Connected.';
      text.focus();
      const headers = token ? { authorization: 'Bearer ' + token } : {};
      const { body } = await call('/chats/events/' + room, { headers }).catch(() => ({ body: {} }));
      history = new Set();
      box.replaceChildren();
      for (const frame of body.data || []) draw(frame), history.add(keyOf(frame));
      for (const frame of held) if (!history.has(keyOf(frame))) draw(frame);
    });
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.event_type === 'join' && frame.name === name) joined = true;
      // If joining is refused, a notice says why before the connection ends.
      if (!joined && frame.name === 'chitchat') refusal = frame.msg;
      if (history) draw(frame);
      else held.push(frame);
    });
    socket.addEventListener('close', () => {
      if (!opened && pause < 10000) return void setTimeout(() => connect(token, pause * 1.5), pause);
      if (refusal) return void turnAway(refusal);
      state.textContent = 'Connection closed.';
      again.hidden = false;
      again.focus();
    });
  }

  function turnAway(why) {
    find('#room').hidden = true;
    enter.hidden = false;
    find('[role=alert]', enter).textContent = why;
    enter.elements.name.focus();
  }

  const keyOf = ({ name, msg, time }) => JSON.stringify([name, msg, time]);

  function draw(frame) {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 8;
    const bubble = document.createElement('div');
    bubble.className = frame.name === name ? 'bubble own' : 'bubble';
    bubble.dataset.color = frame.color;
    const about = document.createElement('small');
    const who = document.createElement('bdi');
    who.textContent = frame.name + (frame.verified ? ' ★' : '');
    about.append(who, ' - ' + new Date(frame.time).toLocaleTimeString());
    const said = document.createElement('span');
    said.dir = 'auto';
    said.textContent = frame.msg;
    bubble.append(about, said);
    box.append(bubble);
    if (atEnd || frame.name === name) box.scrollTop = box.scrollHeight;
  }

  function say(event, msg) {
    socket.send(JSON.stringify({ event_type: event, name, color, msg, room_id: Number(room) }));
  }

  function submit() {
    const msg = text.value.trim();
    if (msg === '' || !socket || socket.readyState !== WebSocket.OPEN) return;
    const frame = JSON.stringify({ event_type: 'send', name, color, msg, room_id: Number(room) });
    // A longer frame would close the connection.
    if (new TextEncoder().encode(frame).length > 512) return void (state.textContent = 'This is too long for one message.');
    say('send', msg);
    text.value = '';
    state.textContent = '';
  }

  find('#send-btn').addEventListener('click', submit);
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  again.addEventListener('click', () => location.reload());
})();
`;
