import { isRejection } from '@verbatim/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bearerIn } from '../bearer.js';
import { helmetFor, registerHelmet } from '../security-headers.js';
import { ChatError } from './answers.js';
import type { CallParts, InRoom } from './chat-calls.js';
import { type ChatRoom, isSecret, type ListedRoom } from './chat-rooms.js';
import { colors } from './colors.js';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';

/** Only scripts and styles with the nonce of the response are allowed; nothing is loaded from elsewhere. */
const forPages = {
  ...helmetFor({
    defaultSrc: ["'none'"],
    scriptSrc: [],
    styleSrc: [],
    imgSrc: ["'self'"],
    connectSrc: ["'self'", 'ws:', 'wss:'],
  }),
  enableCSPNonces: true,
};

/** Seconds for which browsers cache the icon. */
const ICON_SECONDS = 3_600;

/** The pages for people with a browser, and the fragments that chitchat's own page loads. */
export async function addPages(
  scope: FastifyInstance,
  { rooms, seats, reads, tokens, host }: CallParts,
): Promise<void> {
  await registerHelmet(scope, forPages);
  const listed = async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    const found = await reads.answer(reads.visitor(host.proxies.addressOf(request.raw)), reply.raw, async () => {
      const list = await rooms.list();
      return { list, counts: await seats.counts(list.map(({ roomId }) => roomId)) };
    });
    if (isRejection(found)) throw ChatError.ofRejection(found, 'room');
    return roomTable(found.list, found.counts);
  };
  const html = (reply: FastifyReply, text: string) => reply.type('text/html; charset=utf-8').send(text);

  scope.get('/', async (request, reply) => {
    return html(reply, page('Chat rooms', indexBody(await listed(request, reply)), nonces(reply)));
  });
  scope.get('/chats', async (request, reply) => {
    return html(reply, await listed(request, reply));
  });
  scope.get('/chats/:room/entrance', async ({ params }: InRoom, reply) => {
    const room = await rooms.find(params.room);
    return html(reply, page(headingOf(room, false), entranceBody(room), nonces(reply)));
  });
  scope.get('/chats/:room/chatbox', async (request: InRoom, reply) => {
    const room = await rooms.find(request.params.room);
    const known = (await tokens.holderOf(bearerIn(request.headers.authorization), room)) !== null;
    return html(reply, chatBox(room, known, oldLook));
  });
  scope.get('/err', (request: FastifyRequest<{ Querystring: { msg?: unknown } }>, reply) => {
    const { msg } = request.query;
    const text = `Error: ${typeof msg === 'string' ? msg : ''}!`;
    return html(reply, page('Error', `<h1>${escaped(text)}</h1><p><a href="/">All rooms</a></p>`, nonces(reply)));
  });
  scope.get('/favicon.ico', (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', `public, max-age=${ICON_SECONDS}`).send(icon),
  );
}

/** Escapes a text for HTML. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

interface Nonces {
  readonly script: string;
  readonly style: string;
}

const nonces = ({ cspNonce }: FastifyReply): Nonces => cspNonce;

/**
 * A whole page. It loads nothing from `/static`, where a proxy may serve the files of the old page.
 */
const page = (title: string, body: string, { script, style }: Nonces): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(title)}</title>
    <link rel="icon" href="/favicon.ico" type="image/svg+xml">
    <style nonce="${style}">${pageStyle}</style>
  </head>
  <body>
    <a class="skip" href="#content">Skip to the content</a>
    <header><a href="/">Chat rooms</a></header>
    <main id="content">
${body}
    </main>
    <script nonce="${script}">${pageScript}</script>
  </body>
</html>
`;

/** The table of rooms. The old page inserts it as HTML, where its scripts would not run, so each room is a link. */
function roomTable(rooms: readonly ListedRoom[], counts: ReadonlyMap<string, number>): string {
  const rows = rooms.map(
    ({ number, roomId, title, description, visibility, createdAt }) => `<tr>
  <td dir="auto"><a href="/chats/${number}/entrance">${escaped(title)} (${counts.get(roomId) ?? 0})</a></td>
  <td dir="auto">${escaped(description)}</td>
  <td>${visibility}</td>
  <td><time datetime="${createdAt}">${dayOf(createdAt)}</time></td>
</tr>`,
  );
  return `<table class="table table-striped">
<caption>Rooms, with the number of people in them</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Description</th><th scope="col">Type</th><th scope="col">Created</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

/** As in `Mon Jan 2 15:04`, in UTC. */
function dayOf(time: string): string {
  const [, weekday, day, month, , clock] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]{5})/.exec(new Date(time).toUTCString()) ?? [];
  return `${weekday} ${month} ${Number(day)} ${clock}`;
}

const indexBody = (table: string): string => `      <h1>Chat rooms</h1>
      <p>Enter a room under any name, or create a room of your own. No account is needed.</p>
      ${table}
      <h2>Create a room</h2>
      <form id="create">
        <label>Title <input name="title" required minlength="2" maxlength="70" autocomplete="off"></label>
        <label>Description <input name="description" maxlength="70" autocomplete="off"></label>
        <fieldset>
          <legend>Type</legend>
          <label><input type="radio" name="visibility" value="public" checked> Public: everybody may enter</label>
          <label><input type="radio" name="visibility" value="private"> Private: listed, entered with a password</label>
          <label><input type="radio" name="visibility" value="hidden"> Secret: not listed, entered with a password</label>
        </fieldset>
        <label hidden>Password <input name="password" type="password" minlength="8" maxlength="20" autocomplete="new-password"></label>
        <button>Create room</button>
        <p role="alert"></p>
      </form>`;

/** The title of a secret room is shown only with a token. */
const headingOf = (room: ChatRoom, known: boolean): string => (isSecret(room) && !known ? 'A secret room' : room.title);

function entranceBody(room: ChatRoom): string {
  const open = room.visibility === 'public';
  const choices = colors.map((color) => `<option value="${color}">${color}</option>`).join('');
  const password = `<label>Password <input name="password" type="password" required autocomplete="off"></label>`;
  return `      <form id="enter" data-room="${room.number}" data-open="${open}">
        <h1 dir="auto">${escaped(headingOf(room, false))}</h1>
        ${isSecret(room) ? '' : `<p dir="auto">${escaped(room.description)}</p>`}
        <label>Your name <input name="name" required maxlength="80" autocomplete="nickname" dir="auto"></label>
        ${open ? '' : password}
        <label>Colour <select name="color">${choices}</select></label>
        <button>Enter chat</button>
        <p role="alert"></p>
      </form>
      <section id="room" hidden aria-label="Chat">
        ${chatBox(room, !isSecret(room), plainLook)}
        <p role="status" id="state"></p>
        <button type="button" id="again" hidden>Enter again</button>
      </section>`;
}

/** Classes and styles of pieces of a page. */
interface Look {
  readonly box: string;
  readonly row: string;
  readonly field: string;
  readonly button: string;
}

/** On our own pages, which style the fragments by their ids. */
const plainLook: Look = { box: '', row: ' class="say"', field: '', button: '' };

/** On the old page: names of Bootstrap, which it loads. The bubbles float, and stand in a column only in a `card`. */
const oldLook: Look = {
  box: ' class="card bg-transparent border-0" style="height: 50vh; overflow-y: auto"',
  row: ' class="input-group mt-2"',
  field: ' class="form-control"',
  button: ' class="btn btn-primary"',
};

/** The elements of a conversation: bubbles in `chat-box`, the input in `msg`. The old page looks for these ids. */
const chatBox = (room: ChatRoom, known: boolean, look: Look): string => `<div class="chat">
<h2 dir="auto">${escaped(headingOf(room, known))}</h2>
<p dir="auto">${isSecret(room) && !known ? '' : escaped(room.description)}</p>
<div id="chat-box"${look.box} role="log" aria-live="polite" aria-label="Messages" tabindex="0"></div>
<div${look.row}>
<label for="msg">Message</label>
<textarea id="msg"${look.field} rows="2" maxlength="400" dir="auto"></textarea>
<button type="button" id="send-btn"${look.button}>Send</button>
</div>
</div>`;

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#7386d5" d="M2 2h12v9H7l-4 3v-3H2z"/></svg>`;
