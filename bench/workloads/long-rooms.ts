import postgres, { type Sql } from 'postgres';
import { type BigLog, liveSchema, rebuiltBigLog } from '../big-log.js';
import { Inserts } from '../inserts.js';
import { messageIdOf, type Participant } from '../load.js';
import { options } from '../options.js';
import { quantile, type Row, type Section } from '../table.js';
import { jsonTexts } from '../texts.js';
import { Verbatim } from '../verbatim.js';

type Room = BigLog['rooms'][number];

/** Messages on a page. */
const PAGE = 50;

/** Whether posting and paging stay as fast when a room grows long. One thing at a time, the rooms in turn. */
export async function longRooms(): Promise<Section[]> {
  const { folder, rooms } = await rebuiltBigLog();
  await leaveSnapshots(folder, rooms);

  const verbatim = await Verbatim.start({ folder });
  const token = await verbatim.token(0);
  const sql = postgres(verbatim.databaseUrl, { max: 1, onnotice: () => undefined });
  const inserts = await Inserts.prepare(sql);
  const posters = await postersIn(verbatim, rooms);
  const first = new Times();
  for (const room of rooms) await first.measure(room, () => posters.get(room)?.());
  const posts = { own: new Times(), floor: new Times() };
  const pages = new Map(parts.map((part) => [part, { own: new Times(), floor: new Times() }]));
  const schema = await liveSchema(sql);
  for (let turn = 0; turn < 40 * options.rounds; turn++) {
    for (const room of rooms) {
      await posts.own.measure(room, () => posters.get(room)?.());
      await posts.floor.measure(room, () => inserts.insert(1));
      for (const [part, { own, floor }] of pages) {
        await own.measure(room, () => pageOf(verbatim, token, part, room));
        await floor.measure(room, () => rowsOf(sql, schema, part, room));
      }
    }
  }
  await sql.end();
  await verbatim.stop();

  const inAll = (figure: string, own: Times, floor: Times | null, share: number): Row[] =>
    rooms.map((room) => ({
      figure: `${figure}, ${room.messages.toLocaleString('en')} messages`,
      verbatim: own.quantile(room, share),
      floor: floor?.quantile(room, share) ?? Number.NaN,
    }));
  return [
    {
      title: 'long rooms: one thing at a time, in ms',
      floor: `the insert of one row, and the same ${PAGE} rows by their key, over one connection to the same PostgreSQL`,
      rows: [
        ...inAll('first post after a start', first, null, 0.5),
        ...inAll('post to acknowledgement, p50', posts.own, posts.floor, 0.5),
        ...inAll('post to acknowledgement, p99', posts.own, posts.floor, 0.99),
        ...[...pages].flatMap(([part, { own, floor }]) => inAll(`page, ${part}, p50`, own, floor, 0.5)),
      ],
    },
  ];
}

/** The rooms were written past the service, which keeps a snapshot of each when it has first read it. */
async function leaveSnapshots(folder: string, rooms: readonly Room[]): Promise<void> {
  const verbatim = await Verbatim.start({ folder });
  for (const post of (await postersIn(verbatim, rooms)).values()) {
    // Reading a very long one may take longer than a post waits.
    for (let posted = false; !posted; )
      posted = await post().then(
        () => true,
        () => false,
      );
  }
  await verbatim.settled();
  await verbatim.stop();
}

const texts = jsonTexts(5_000);
let next = 0;

/** How to post in each room; resolves with the acknowledgement. */
async function postersIn(verbatim: Verbatim, rooms: readonly Room[]): Promise<Map<Room, () => Promise<void>>> {
  const posters = new Map<Room, () => Promise<void>>();
  for (const room of rooms) {
    const poster = await verbatim.participant(room.id, await verbatim.token(0), { follow: false });
    posters.set(room, () => post(poster));
  }
  return posters;
}

async function post({ socket, frame }: Participant): Promise<void> {
  const ref = next++;
  const answered = socket.next(`"ref":${ref},`);
  socket.send(frame(ref, messageIdOf(ref), texts[ref % texts.length] ?? ''));
  const answer = await answered;
  if (!answer.startsWith('{"event":"ack"')) throw new Error(answer);
}

type Part = 'newest' | 'middle' | 'oldest';
const parts: readonly Part[] = ['newest', 'middle', 'oldest'];

const startOf = (part: Part, { messages }: Room): number => (part === 'middle' ? Math.floor(messages / 2) : 0);

/** A page of a room's messages. */
function pageOf(verbatim: Verbatim, token: string, part: Part, room: Room): Promise<unknown> {
  const place = part === 'newest' ? 'order=newest' : `order=oldest&from=${startOf(part, room)}`;
  return verbatim.call('GET', `/v1/rooms/${room.id}/messages?limit=${PAGE}&${place}`, token);
}

/** The same messages, as far as one table has them. */
function rowsOf(sql: Sql, schema: string, part: Part, room: Room): Promise<unknown> {
  const messages = sql`${sql(schema)}.messages`;
  return part === 'newest'
    ? sql`select * from ${messages} where room_id = ${room.id} order by revision desc limit ${PAGE}`
    : sql`
        select * from ${messages} where room_id = ${room.id} and revision >= ${startOf(part, room)}
        order by revision limit ${PAGE}`;
}

/** How long something takes in each room; milliseconds. */
class Times {
  private readonly taken = new Map<Room, number[]>();

  async measure(room: Room, work: () => Promise<unknown> | undefined): Promise<void> {
    const begun = performance.now();
    await work();
    const all = this.taken.get(room) ?? [];
    this.taken.set(room, all);
    all.push(performance.now() - begun);
  }

  quantile(room: Room, share: number): number {
    return quantile(
      [...(this.taken.get(room) ?? [])].sort((a, b) => a - b),
      share,
    );
  }
}
