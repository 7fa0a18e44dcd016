import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventKey, PostgresKeyRing, sealText } from '@verbatim/event-store';
import {
  encodeVerifierKey,
  isFault,
  parseVerifierKey,
  signingKey,
  signNote,
  signText,
  verifyLogProof,
} from '@verbatim/transparency';
import { pino } from 'pino';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../config.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { LogReader, sound } from '../../tests/harness/log-reader.testing.js';
import { eventually, register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService } from '../../tests/harness/test-service.testing.js';
import { Forger, type Row } from './forgery.testing.js';
import { verifyCommand } from './verify-command.js';

const origin = 'chat.example/log';
const master = randomBytes(32);
const witness = signingKey('witness.example', 'cosignature');
/** The streams of two rooms in which people talk, by turns. */
let lounge: string;
let kitchen: string;
/** A message in the lounge, by the id of its event, and the proof that its author once got. */
let message: { eventId: string; proof: string; ordinal: number };
let keys: string[];
let folder: string;
let kept: string;
/** The database of the service, which has ended. */
let original: string;

beforeAll(async () => {
  original = await createDatabase();
  const service = await startTestService({
    environment: { AUDIT_LOG: 'public', AUDIT_LOG_ORIGIN: origin, MASTER_KEY: master.toString('base64') },
    databaseUrl: original,
  });
  const log = new LogReader(service.url);
  const ada = await register(service.url);
  const [one, two] = [await ada.room(), await ada.room()];
  [lounge, kitchen] = [`room-${one}`, `room-${two}`];
  await talk(ada, one, two, 300);
  const said = await ada.says(one, 'I owe you five euros');
  await talk(ada, one, two, 20);
  const proof = (await ada.get(`/v1/rooms/${one}/messages/${said.id}/proof`)).body;
  const event = JSON.parse(Buffer.from(proof.envelope, 'base64').toString());
  message = { eventId: event.id, proof: proof.proof, ordinal: proof.ordinal };
  const [count] = await events(original);
  await eventually(
    () => log.checkpoint({ origin }).catch(() => null),
    (checkpoint) => (checkpoint?.size ?? 0) >= (count?.count ?? 1),
  );
  await service.stop();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-kept-'));
  kept = join(folder, 'checkpoint');
  await keepAsAuditor();
}, 120_000);
afterAll(async () => {
  await dropDatabase(original);
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => vi.restoreAllMocks());

async function talk(ada: TestPerson, one: string, two: string, count: number): Promise<void> {
  const said: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) said.push(ada.says(i % 2 ? one : two, `message ${i}`));
  await Promise.all(said);
}

async function events(url: string): Promise<{ count: number }[]> {
  const sql = postgres(url, { max: 1 });
  const counted = await sql<{ count: number }[]>`select count(*)::int from log.events`;
  await sql.end();
  return counted;
}

/** An auditor keeps the newest checkpoint and the keys; a witness has cosigned it. */
async function keepAsAuditor(): Promise<void> {
  const sql = postgres(original, { max: 1 });
  const [row] = await sql<{ size: string; note: string }[]>`
    select size, note from desk.log_checkpoints order by size desc limit 1`;
  if (!row) throw new Error('There is no checkpoint.');
  const text = row.note.slice(0, row.note.indexOf('\n\n') + 1);
  await sql`insert into desk.log_cosignatures ${sql({
    ...{ tree: 1, size: row.size, verifier_key: encodeVerifierKey(witness) },
    ...{ signature: signText(text, witness, 1_800_000_000).signature, time: 1_800_000_000 },
  })}`;
  keys = (await sql<{ verifier_key: string }[]>`select verifier_key from vault.log_keys`).map(
    (key) => key.verifier_key,
  );
  await writeFile(kept, row.note);
  for (const table of tables) await sql.unsafe(`create table "${table}" as table ${table}`);
  await sql.end();
}

const tables = ['log.events', 'vault.log_keys'].concat(
  ['trees', 'tiles', 'checkpoints', 'cosignatures'].map((name) => `desk.log_${name}`),
);

/** Runs `work` on the database, and puts everything back as it was. */
async function tampering<T>(work: (forger: Forger) => Promise<T>): Promise<T> {
  const sql = postgres(original, { max: 1, onnotice: () => undefined });
  try {
    return await work(new Forger(sql, master));
  } finally {
    const restore = tables.map((table) => `delete from ${table}; insert into ${table} select * from "${table}";`);
    await sql.unsafe(`begin; ${restore.join(' ')} commit;`);
    await sql.end();
  }
}

const verify = (...more: string[]) => verifyWith({}, '--url', original, ...more);

async function verifyWith(
  environment: Record<string, string>,
  ...args: string[]
): Promise<{ code: number; printed: string }> {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(`${text}`) > 0);
  const config = readConfig({ DATABASE_URL: original, ...environment });
  const none = () => Promise.reject(new Error('not needed'));
  const url = { url: original, directUrl: original };
  const code = await verifyCommand.run(args, {
    config,
    log: pino({ level: 'silent' }),
    database: async () => ({ ...url, lost: new Promise<never>(() => undefined), stop: async () => undefined }),
    tools: none,
  });
  vi.restoreAllMocks();
  return { code, printed: lines.join('') };
}

/** What an auditor runs, with what they have kept. */
const asAuditor = () => verify(...keys.flatMap((key) => ['--key', key]), '--checkpoint', kept);

const envelope = (row: Row) => JSON.parse(row.sealed);
const isMessage = (row: Row) => row.id === message.eventId;
const inLounge = (row: Row) => row.stream === lounge;
const withText = (row: Row, change: (data: Record<string, unknown>) => void): Row => {
  const whole = envelope(row);
  change(whole.data);
  return { ...row, sealed: JSON.stringify(whole) };
};
const spoilt = (row: Row) =>
  withText(row, (data) => {
    data.sealed = `${data.sealed}`.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
  });
const swapped = (rows: Row[], a: number, b: number): Row[] =>
  rows.map((row, i) => (i === a ? rows[b] : i === b ? rows[a] : row) as Row);
const last = (rows: Row[], stream: string) => rows.findLastIndex((row) => row.stream === stream);

/** An event that nobody caused: a copy of another one with a new id. */
const invented = (row: Row): Row => {
  const id = randomUUID();
  return { ...row, id, sealed: JSON.stringify({ ...envelope(row), id }) };
};

async function resealed(forger: Forger, row: Row, text: string): Promise<Row> {
  const { actor, at, id, type } = envelope(row);
  const name = `${row.stream}|${actor}|${at.slice(0, 10)}`;
  const key = (await (await PostgresKeyRing.open(forger.sql, master)).find([name])).get(name);
  if (!key) throw new Error('There is no such key.');
  return withText(row, (data) => {
    data.sealed = sealText(JSON.stringify({ text }), eventKey(key, id), `${row.stream}|${id}|${type}`);
  });
}

/** What somebody does, and what the finding has to name. `%m`: ordinal of the message. */
const tamperings: [what: string, tamper: (forger: Forger) => Promise<unknown>, place: RegExp | (() => RegExp)][] = [
  [
    'edits a text',
    ({ sql }) =>
      sql`update log.events set sealed = replace(sealed, '"sealed":"', '"sealed":"A') where id = ${message.eventId}`,
    () => new RegExp(`${lounge} is broken.*hash`),
  ],
  [
    'edits a text and its hash',
    ({ sql }) =>
      sql`update log.events set sealed = sealed || ' ', hash = encode(sha256((sealed || ' ')::bytea), 'hex') where id = ${message.eventId}`,
    () => new RegExp(`ordinal ${message.ordinal} \\(${lounge} revision`),
  ],
  [
    'edits a text and rebuilds the chain',
    (forger) => forger.rewrite((rows) => rows.map((row) => (isMessage(row) ? spoilt(row) : row))),
    () => new RegExp(`ordinal ${message.ordinal} \\(${lounge} revision`),
  ],
  [
    'seals another text with the master key and rebuilds the chain',
    (forger) =>
      forger.rewrite((rows) =>
        Promise.all(rows.map((row) => (isMessage(row) ? resealed(forger, row, 'I owe you nothing') : row))),
      ),
    () => new RegExp(`ordinal ${message.ordinal} \\(${lounge} revision`),
  ],
  [
    'rewrites the last event of a room',
    (forger) => forger.rewrite((rows) => rows.map((row, i) => (i === last(rows, lounge) ? spoilt(row) : row))),
    () => new RegExp(`ordinal \\d+ \\(${lounge} revision \\d+\\)`),
  ],
  [
    'changes a time',
    (forger) =>
      forger.rewrite((rows) =>
        rows.map((row) => (isMessage(row) ? { ...row, sealed: row.sealed.replace(/"at":"20../, '"at":"1999') } : row)),
      ),
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'changes who did it',
    (forger) =>
      forger.rewrite((rows) =>
        rows.map((row) =>
          isMessage(row) ? { ...row, sealed: row.sealed.replace(/"actor":"[^"]+"/, `"actor":"${randomUUID()}"`) } : row,
        ),
      ),
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'changes the type of an event',
    ({ sql }) => sql`update log.events set type = 'MessageEdited' where id = ${message.eventId}`,
    () => new RegExp(`${lounge} is broken at revision`),
  ],
  [
    'changes the id of an event',
    ({ sql }) => sql`update log.events set id = gen_random_uuid() where id = ${message.eventId}`,
    () => new RegExp(`${lounge} is broken at revision`),
  ],
  [
    'changes a hash',
    ({ sql }) => sql`update log.events set hash = repeat('0', 64) where id = ${message.eventId}`,
    () => new RegExp(`${lounge} is broken at revision`),
  ],
  [
    'drops an event',
    ({ sql }) => sql`delete from log.events where id = ${message.eventId}`,
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'drops an event and closes the gap',
    (forger) => forger.rewrite((rows) => rows.filter((row) => !isMessage(row))),
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'drops the last event of a room',
    (forger) => forger.rewrite((rows) => rows.filter((_, i) => i !== last(rows, lounge))),
    /ordinal \d+(: the log ends here| \()/,
  ],
  [
    'drops the first event of a room',
    (forger) => forger.rewrite((rows) => rows.filter((row) => !(inLounge(row) && row.revision === 0))),
    /ordinal \d+ \(/,
  ],
  [
    'cuts off the second half of a room',
    (forger) => forger.rewrite((rows) => rows.filter((row) => !(inLounge(row) && row.revision > 40))),
    /ordinal \d+ \(room-/,
  ],
  ['drops a whole room', (forger) => forger.rewrite((rows) => rows.filter((row) => !inLounge(row))), /ordinal \d+ \(/],
  [
    'cuts off the end of the log',
    ({ sql }) => sql`delete from log.events where position > 200`,
    /ordinal 201: the log ends here/,
  ],
  [
    'inserts an event',
    (forger) => forger.rewrite((rows) => rows.flatMap((row) => (isMessage(row) ? [invented(row), row] : [row]))),
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'inserts a room that never was',
    (forger) =>
      forger.rewrite((rows) =>
        rows.flatMap((row) => (isMessage(row) ? [{ ...invented(row), stream: `room-${randomUUID()}` }, row] : [row])),
      ),
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'swaps two events of a room',
    (forger) => forger.rewrite((rows) => swapped(rows, last(rows, lounge), rows.findIndex(isMessage))),
    () => new RegExp(`ordinal ${message.ordinal} `),
  ],
  [
    'swaps two events of different rooms',
    async (forger) =>
      forger.replace(
        swapped(await forger.rows(), last(await forger.rows(), lounge), last(await forger.rows(), kitchen)),
      ),
    () => new RegExp(`ordinal \\d+ \\((${lounge}|${kitchen}) revision`),
  ],
  [
    'moves a room to the end of the log',
    async (forger) =>
      forger.replace(
        (await forger.rows()).sort((a, b) => Number(inLounge(a)) - Number(inLounge(b)) || a.position - b.position),
      ),
    /ordinal \d+ \(room-/,
  ],
  [
    'repeats an event',
    (forger) => forger.rewrite((rows) => rows.flatMap((row) => (isMessage(row) ? [row, row] : [row]))),
    () => new RegExp(`(ordinal ${message.ordinal + 1} |${lounge} is broken)`),
  ],
  [
    'changes the root of a checkpoint',
    ({ sql }) =>
      sql`update desk.log_checkpoints set root = sha256('x') where size = (select max(size) from desk.log_checkpoints)`,
    /ordinals? \d+.*checkpoint of size \d+/,
  ],
  [
    'changes what a checkpoint says',
    ({ sql }) =>
      sql`update desk.log_checkpoints set note = regexp_replace(note, E'\n[0-9]+\n', E'\n7\n') where size = (select max(size) from desk.log_checkpoints)`,
    /checkpoint of size \d+ in the database does not hold/,
  ],
  [
    'signs a checkpoint with another key',
    async ({ sql }) => {
      const [row] = await sql<
        { size: string; note: string }[]
      >`select size, note from desk.log_checkpoints order by size desc limit 1`;
      const text = `${row?.note}`.slice(0, `${row?.note}`.indexOf('\n\n') + 1);
      await sql`update desk.log_checkpoints set note = ${signNote(text, [signingKey(origin)])} where size = ${row?.size ?? 0}`;
    },
    /checkpoint of size \d+ in the database does not hold/,
  ],
  [
    'takes the signature of a checkpoint away',
    ({ sql }) =>
      sql`update desk.log_checkpoints set note = null where size = (select min(size) from desk.log_checkpoints)`,
    /checkpoint of size \d+ has no signature/,
  ],
  [
    'removes the newest checkpoint',
    ({ sql }) => sql`delete from desk.log_checkpoints where size = (select max(size) from desk.log_checkpoints)`,
    /ordinal \d+: the tree has/,
  ],
  [
    'changes a cosignature',
    ({ sql }) =>
      sql`update desk.log_cosignatures set signature = set_byte(signature, 20, 255 - get_byte(signature, 20))`,
    /a cosignature of the checkpoint of size/,
  ],
  [
    'changes a tile',
    ({ sql }) =>
      sql`update desk.log_tiles set bytes = set_byte(bytes, 40, 255 - get_byte(bytes, 40)) where level = 0 and index = 0`,
    /tile\/0\/000: its hashes/,
  ],
  [
    'changes an entry',
    ({ sql }) =>
      sql`update desk.log_tiles set bytes = set_byte(bytes, 34 * 9 + 5, 255 - get_byte(bytes, 34 * 9 + 5)) where level = -1 and index = 0`,
    /ordinal 9 \(/,
  ],
  [
    'removes a tile',
    ({ sql }) => sql`delete from desk.log_tiles where level = -1 and index = 0`,
    /tile\/entries\/000: it is missing/,
  ],
  [
    'puts the tree back',
    ({ sql }) => sql`update desk.log_trees set size = size - 1`,
    /ordinal \d+: the tree has \d+ entries/,
  ],
  [
    'shows a checkpoint that does not exist',
    ({ sql }) => sql`update desk.log_trees set published = size + 1`,
    /that does not exist/,
  ],
  [
    'replaces the key and signs everything with it',
    (forger) => forger.replaceKey(origin, signingKey(origin)),
    /checkpoint of size \d+ in the database does not hold/,
  ],
  [
    'changes a text, rebuilds chain and tree, and signs it with the right key',
    async (forger) => {
      await forger.rewrite((rows) => rows.map((row) => (isMessage(row) ? spoilt(row) : row)));
      await forger.rebuildTree(origin);
    },
    /ordinals \d+ to \d+: the events are not those over which the checkpoint kept in/,
  ],
  [
    'keeps the first half, continues differently, and signs it with the right key',
    async (forger) => {
      await forger.rewrite((rows) => [
        ...rows.slice(0, 200),
        ...rows.slice(0, 200).filter(inLounge).map(invented),
        ...rows.slice(200).filter(inLounge).map(invented),
        ...rows.slice(200).filter((row) => !inLounge(row)),
      ]);
      await forger.rebuildTree(origin);
    },
    /ordinals \d+ to \d+: the events are not those over which the checkpoint kept in/,
  ],
  [
    'puts the whole database back to yesterday',
    async (forger) => {
      await forger.sql`delete from log.events where position >= 200`;
      await forger.rebuildTree(origin);
    },
    /ordinal 200: the log ends here, and the checkpoint kept in .* covers \d+ events/,
  ],
];

describe('an auditor with the keys and a checkpoint finds that somebody', () => {
  it.each(tamperings)('%s', async (_, tamper, place) => {
    const { code, printed } = await tampering(async (forger) => {
      await tamper(forger);
      return asAuditor();
    });
    expect(printed).toMatch(typeof place === 'function' ? place() : place);
    expect(code).toBe(1);
  });

  it('of whatever kind, at least 25 of them', () => expect(tamperings.length).toBeGreaterThanOrEqual(25));
});

describe('an untouched log', () => {
  it('is never reported', async () => {
    for (const more of [[], keys.flatMap((key) => ['--key', key]), ['--checkpoint', kept]]) {
      const { code, printed } = await verify(...more);
      expect(printed).toContain('No stream is broken.');
      expect(printed).toContain('Nothing else was signed.');
      expect(code).toBe(0);
    }
  });

  it('is one with events that no checkpoint covers yet', async () => {
    const { code, printed } = await tampering(async ({ sql }) => {
      await sql`
        update desk.log_trees t set size = c.size, published = c.size, position = e.position, hash = e.hash
        from (select size from desk.log_checkpoints order by size limit 1) as c
        join log.events e on e.position = c.size - 1`;
      await sql`delete from desk.log_checkpoints where size > (select size from desk.log_trees)`;
      await sql`delete from desk.log_cosignatures`;
      return verify();
    });
    expect(printed).toMatch(/Nothing else was signed. [1-9]\d* events are not covered yet/);
    expect(code).toBe(0);
  });

  it('says whose keys it was checked with', async () => {
    expect((await verify()).printed).toContain('The keys are those of the database that was checked.');
    expect((await asAuditor()).printed).not.toContain('The keys are those');
  });
});

describe('the proof that somebody kept', () => {
  it('holds for what was said, and for nothing that it was changed to', async () => {
    const logKeys = keys.map((key) => sound(parseVerifierKey(key)));
    const holdsFor = (sealed: string) =>
      !isFault(verifyLogProof(message.proof, createHash('sha256').update(sealed).digest(), { origin, logKeys }));
    const stands = async ({ sql }: Forger) => {
      const [row] = await sql<{ sealed: string }[]>`select sealed from log.events where id = ${message.eventId}`;
      return row?.sealed ?? '';
    };
    await tampering(async (forger) => {
      expect(holdsFor(await stands(forger))).toBe(true);
      await forger.rewrite((rows) =>
        Promise.all(rows.map((row) => (isMessage(row) ? resealed(forger, row, 'nothing') : row))),
      );
      await forger.rebuildTree(origin);
      expect(holdsFor(await stands(forger))).toBe(false);
    });
  });
});

describe('what cannot be checked', () => {
  it('is no finding', async () => {
    expect((await verify('--checkpoint', join(folder, 'nowhere'))).code).toBe(3);
    expect((await verify('--key', encodeVerifierKey(signingKey('another.example/log')))).code).toBe(3);
    await writeFile(join(folder, 'empty'), 'nothing\n');
    expect((await verify('--checkpoint', join(folder, 'empty'))).code).toBe(3);
  });

  it('is a log whose tree is gone, with a key or the file of the setting', async () => {
    const file = { AUDIT_WITNESS_FILE: kept };
    expect((await verifyWith(file)).code).toBe(0);
    await tampering(async ({ sql }) => {
      await sql`delete from desk.log_trees`;
      expect((await verifyWith({})).code).toBe(0);
      expect((await verifyWith(file)).code).toBe(3);
      expect((await verifyWith({}, ...keys.flatMap((key) => ['--key', key]))).code).toBe(3);
      expect((await verify(...keys.flatMap((key) => ['--key', key]))).code).toBe(3);
      await sql`delete from log.events where position >= 200`;
      const { code, printed } = await verifyWith(file);
      expect([code, printed]).toEqual([1, expect.stringContaining('ordinal 200: the log ends here')]);
    });
  });

  it('is the file of another log', async () => {
    const renamed = await tampering(async ({ sql }) => {
      await sql`update desk.log_trees set origin = 'another.example/log'`;
      return verifyWith({ AUDIT_WITNESS_FILE: kept });
    });
    expect(renamed.code).toBe(3);
  });

  it('is not the beginning of a large file of the setting', async () => {
    const large = join(folder, 'large');
    const note = await readFile(kept, 'utf8');
    await writeFile(large, note.replace(origin, 'cut.example/log').repeat(2));
    await truncate(large, 268_435_456);
    await appendFile(large, `\n${note}`);
    const { code, printed } = await verifyWith({ AUDIT_WITNESS_FILE: large });
    expect([code, printed]).toEqual([0, expect.stringContaining('and 1 kept checkpoint.')]);
  });

  it('is wrong usage where the key is none', async () => {
    await expect(verify('--key', 'x')).rejects.toThrow('--key cannot be read');
  });
});
