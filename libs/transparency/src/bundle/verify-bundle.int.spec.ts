import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCheckpoint } from '../checkpoint.js';
import { buildGoProgram } from '../go-programs.testing.js';
import { encodeVerifierKey, type VerifierKey } from '../keys.js';
import { signNote, signText } from '../note.js';
import {
  type BundleParts,
  bundleOf,
  counted,
  envelopeOf,
  filesOf,
  inParts,
  keys,
  type LoggedEvent,
  origin,
  pack,
  someEvents,
} from './bundle.testing.js';
import { type BundleLine, encodeBundleLine, manifestNoteText } from './bundle-format.js';
import { describeFinding } from './findings.js';
import { tarHeader } from './tar.js';
import { verifyBundle } from './verify-bundle.js';

const second = buildGoProgram('verify');

interface Verdict {
  exitCode: number | null;
  /** Code and place of each finding. */
  findings: string[];
}

const trusted = { keys: [keys.log, keys.certificates] as VerifierKey[], witnesses: [keys.witness] as VerifierKey[] };
const codeAndPlace = (finding: string): string => finding.slice(0, finding.indexOf(': '));

/** What our verifier finds, after the one in Go, where there is one, has found the same. */
async function verdictOn(bundle: Buffer, by = trusted): Promise<Verdict> {
  const report = await verifyBundle(inParts(bundle), by);
  const ours = { exitCode: report.exitCode, findings: report.list.map(describeFinding).map(codeAndPlace) };
  if (second !== null) expect(secondVerdictOn(second, bundle, by)).toEqual(ours);
  return ours;
}

function secondVerdictOn(program: string, bundle: Buffer, by: typeof trusted): Verdict {
  const args = [
    ...by.keys.flatMap((key) => ['--key', encodeVerifierKey(key)]),
    ...by.witnesses.flatMap((key) => ['--witness', encodeVerifierKey(key)]),
  ];
  const { status, stdout } = spawnSync(program, ['-', ...args], { input: bundle, encoding: 'utf8', timeout: 60_000 });
  return { exitCode: status, findings: status === 1 ? stdout.trimEnd().split('\n').map(codeAndPlace) : [] };
}

const events = someEvents(300);
const wholeRooms = (event: LoggedEvent): boolean => event.stream !== 'room-b';
const fresh = (): Promise<BundleParts> => bundleOf(events, wholeRooms);
const at = (parts: BundleParts, i: number): BundleLine => parts.lines[i] as BundleLine;
const edited = (envelope: Buffer, from: string | RegExp, to: string): Buffer =>
  Buffer.from(envelope.toString().replace(from, to));
const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
};
/** Line 41 of the bundle: ordinal 56, revision 19 of room-c. */
const LINE = 40;
const { ordinal, place } = await (async () => {
  const { ordinal, envelope } = at(await fresh(), LINE);
  const { stream, revision } = JSON.parse(envelope.toString());
  return { ordinal, place: `line=${LINE + 1} ordinal=${ordinal} stream=${stream} revision=${revision}` };
})();

describe('a bundle', () => {
  it('is sound as it was made, in parts of any size', async () => {
    const parts = await fresh();
    const bundle = pack(filesOf(parts));
    expect(await verdictOn(bundle)).toEqual({ exitCode: 0, findings: [] });
    for (const bytes of [1, 511, 512, 513, 100_000]) {
      const report = await verifyBundle(inParts(bundle, bytes), trusted);
      expect(report).toMatchObject({ exitCode: 0, events: parts.lines.length, streams: 3 });
    }
  });

  it('is sound with no event, with one, with all, and with gaps that the manifest does not deny', async () => {
    const gappy = await bundleOf(events, (_, i) => i % 11 === 0);
    gappy.manifest.contiguous = gappy.manifest.fromStart = false;
    const one = await bundleOf(events.slice(0, 1), () => true);
    for (const parts of [gappy, one, await bundleOf(events, () => false), await bundleOf(events, () => true)])
      expect(await verdictOn(pack(filesOf(parts)))).toEqual({ exitCode: 0, findings: [] });
  });

  it('is sound with events whose keys were destroyed', async () => {
    const parts = await fresh();
    parts.lines = parts.lines.map((line) => ({ ...line, key: null }));
    expect(await verdictOn(pack(filesOf(parts)))).toEqual({ exitCode: 0, findings: [] });
  });
});

/** Changes made by someone who has the certificates key and signs the manifest anew, so that only the log can show them. */
const insider: [name: string, tamper: (parts: BundleParts) => void, findings: unknown[]][] = [
  [
    'the time of an event is edited',
    (p) => edit(p, { envelope: edited(at(p, LINE).envelope, '2026-01-01', '2026-01-02') }),
    [`proof ${place}`],
  ],
  [
    'the author of an event is edited',
    (p) => edit(p, { envelope: edited(at(p, LINE).envelope, '"actor":"ann"', '"actor":"bob"') }),
    [`proof ${place}`],
  ],
  [
    'a sealed text is replaced',
    (p) => edit(p, { envelope: edited(at(p, LINE).envelope, /"sealed":"..../, '"sealed":"AAAA') }),
    [`proof ${place}`],
  ],
  [
    'an event stands at the place of another',
    (p) => edit(p, { envelope: at(p, LINE + 1).envelope }),
    [expect.stringContaining(`proof line=${LINE + 1} ordinal=${ordinal} `)],
  ],
  [
    'an ordinal is another',
    (p) => edit(p, { ordinal: ordinal - 1 }),
    [`proof ${place.replace(`=${ordinal} `, `=${ordinal - 1} `)}`],
  ],
  [
    'a proof has one bit flipped',
    (p) => edit(p, { proof: at(p, LINE).proof.map((hash, i) => (i === 3 ? flipped(hash, 100) : hash)) }),
    [`proof ${place}`],
  ],
  ['a proof lacks a hash', (p) => edit(p, { proof: at(p, LINE).proof.slice(1) }), [`proof ${place}`]],
  [
    'a proof has a hash too many',
    (p) => edit(p, { proof: [...at(p, LINE).proof, Buffer.alloc(32)] }),
    [`proof ${place}`],
  ],
  ['the key of an event is another', (p) => edit(p, { key: Buffer.alloc(32, 1) }), [`key ${place}`]],
  [
    'a key is given where nothing is sealed',
    (p) => edit(p, { key: Buffer.alloc(32, 1) }, 0),
    ['key line=1 ordinal=0 stream=room-a revision=0'],
  ],
  ['two lines are swapped', (p) => swap(p, LINE), [expect.stringContaining('order line=42')]],
  [
    'a line is there twice',
    (p) => p.lines.splice(LINE, 0, at(p, LINE)),
    [expect.stringContaining(`order line=${LINE + 2} ordinal=${ordinal}`)],
  ],
  [
    'a line is missing',
    (p) => p.lines.splice(LINE, 1),
    [expect.stringMatching(/^gap line=4\d ordinal=\d+ stream=room-/)],
  ],
  ['the first line is missing', (p) => p.lines.splice(0, 1), [expect.stringContaining('gap line=')]],
  [
    'an invented event is inserted',
    (p) =>
      p.lines.splice(LINE, 0, {
        ...at(p, LINE),
        ordinal: ordinal - 1,
        envelope: envelopeOf({
          ...JSON.parse(at(p, LINE).envelope.toString()),
          stream: 'room-x',
          revision: 0,
          prev: null,
        }),
      }),
    [`proof line=${LINE + 1} ordinal=${ordinal - 1} stream=room-x revision=0`, expect.stringContaining('manifest')],
  ],
  [
    'an event is from beyond the checkpoint',
    (p) => p.lines.push({ ...at(p, LINE), ordinal: 300 }),
    [expect.stringMatching(/^proof .*ordinal=300/)],
  ],
  ['a line has a space in it', (p) => rewrite(p, (text) => text.replace('"key":', '"key": ')), ['line line=1']],
  [
    'a line has its fields in another order',
    (p) => rewrite(p, (text) => text.replace(/"key":(null|"[^"]*"),"ordinal":(\d+)/, '"ordinal":$2,"key":$1')),
    ['line line=1'],
  ],
  [
    'a line has base64 with unused bits set',
    (p) => rewrite(p, (text) => text.replace(/"key":"([^"]*)[A-Z]="/, '"key":"$1B="')),
    [expect.stringMatching(/^line line=\d$/)],
  ],
  [
    'the last newline is missing',
    (p) => rewrite(p, (text) => text.slice(0, -1)),
    [expect.stringContaining('line line='), 'manifest file=manifest.json', 'manifest file=manifest.json'],
  ],
  [
    'a line is too long',
    (p) => rewrite(p, (text) => text.replace('"envelope":"', `"envelope":"${'A'.repeat(2_097_152)}`)),
    ['line line=1'],
  ],
];

function rewrite(parts: BundleParts, eventsText: (text: string) => string): void {
  parts.eventsText = eventsText;
}

function edit(parts: BundleParts, change: Partial<BundleLine>, line = LINE): void {
  parts.lines[line] = { ...at(parts, line), ...change };
}

function swap(parts: BundleParts, line: number): void {
  parts.lines.splice(line, 2, at(parts, line + 1), at(parts, line));
}

describe('an insider who signs the manifest anew is found out when', () => {
  it.each(insider)('%s', async (_, tamper, findings) => {
    const parts = await fresh();
    tamper(parts);
    Object.assign(parts.manifest, counted(parts.lines));
    const verdict = await verdictOn(pack(filesOf(parts)));
    expect(verdict.exitCode).toBe(1);
    expect(verdict.findings.slice(0, findings.length)).toEqual(findings);
    expect(verdict.findings.length).toBeLessThanOrEqual(findings.length + 2);
  });

  it('the log itself holds an event with a wrong chain, or something that is no event', async () => {
    for (const [envelope, finding] of [
      [edited(events[60]?.envelope as Buffer, /"prev":"..../, '"prev":"0000'), /^chain .* stream=room-a/],
      [edited(events[60]?.envelope as Buffer, /"revision":\d+/, '"revision":0'), /^chain /],
      [Buffer.from('no event'), /^envelope line=61 ordinal=60$/],
      [Buffer.from('[]'), /^envelope line=61 ordinal=60$/],
      [edited(events[60]?.envelope as Buffer, '"stream"', '"Stream"'), /^envelope line=61 ordinal=60$/],
    ] as const) {
      const wrong = events.map((event, i) => (i === 60 ? { ...event, envelope } : event));
      const { exitCode, findings } = await verdictOn(pack(filesOf(await bundleOf(wrong, () => true))));
      expect(exitCode).toBe(1);
      expect(findings[0]).toMatch(finding);
    }
  });
});

const signatures: [name: string, tamper: (parts: BundleParts) => void, findings: string[]][] = [
  [
    'the checkpoint is signed by another key',
    (p) => sign(p, (text) => [signText(text, keys.strangerLog), signText(text, keys.witness)]),
    ['checkpoint file=checkpoint'],
  ],
  [
    'the checkpoint is signed by the certificates key',
    (p) => sign(p, (text) => [signText(text, keys.certificates), signText(text, keys.witness)]),
    ['checkpoint file=checkpoint'],
  ],
  [
    'the checkpoint is changed under its signatures',
    (p) => changeRoot(p, (changed) => signText(changed, keys.log)),
    ['checkpoint file=checkpoint', 'witness file=checkpoint'],
  ],
  ['the manifest names another size', (p) => Object.assign(p.manifest, { size: 299 }), ['checkpoint file=checkpoint']],
  [
    'the manifest names another root',
    (p) => Object.assign(p.manifest, { root: Buffer.alloc(32).toString('base64') }),
    ['checkpoint file=checkpoint'],
  ],
  ['the witness has not cosigned', (p) => sign(p, (text) => [signText(text, keys.log)]), ['witness file=checkpoint']],
  [
    'the cosignature is of another checkpoint',
    (p) => sign(p, (text) => [signText(text, keys.log), signText(`${text}more\n`, keys.witness)]),
    ['witness file=checkpoint'],
  ],
  [
    'the manifest is signed by a stranger',
    (p) => Object.assign(p, { manifestSigner: keys.strangerCertificates }),
    ['manifest-signature file=manifest.json.sig'],
  ],
  [
    'the manifest is signed by the log key',
    (p) => Object.assign(p, { manifestSigner: keys.log }),
    ['manifest-signature file=manifest.json.sig'],
  ],
  [
    'the manifest counts another number of events',
    (p) => Object.assign(p.manifest, { events: 1 }),
    ['manifest file=manifest.json'],
  ],
  [
    'the manifest counts another number of streams',
    (p) => Object.assign(p.manifest, { streams: 4 }),
    ['manifest file=manifest.json'],
  ],
  [
    'the manifest names another last ordinal',
    (p) => Object.assign(p.manifest, { lastOrdinal: 4 }),
    ['manifest file=manifest.json'],
  ],
  ['the manifest has no root', (p) => Object.assign(p.manifest, { root: undefined }), ['manifest file=manifest.json']],
  [
    'the manifest has a field of another type',
    (p) => Object.assign(p.manifest, { events: '1' }),
    ['manifest file=manifest.json'],
  ],
];

function sign(parts: BundleParts, signers: BundleParts['checkpointSigners']): void {
  parts.checkpointSigners = signers;
}

function changeRoot(parts: BundleParts, signer: (text: string) => ReturnType<typeof signText>): void {
  const good = parts.checkpointText;
  parts.checkpointText = encodeCheckpoint({ origin, size: 300, root: Buffer.alloc(32, 1) });
  parts.manifest.root = Buffer.alloc(32, 1).toString('base64');
  parts.checkpointSigners = () => [signer(good), signText(good, keys.witness)];
}

describe('a bundle is not sound when', () => {
  it.each(signatures)('%s', async (_, tamper, findings) => {
    const parts = await fresh();
    tamper(parts);
    expect(await verdictOn(pack(filesOf(parts)))).toEqual({ exitCode: 1, findings });
  });

  it('it is of another log', async () => {
    const parts = await fresh();
    parts.manifest.origin = 'other.example/log';
    expect((await verdictOn(pack(filesOf(parts)), { ...trusted })).findings).toEqual(['checkpoint file=checkpoint']);
  });

  it('a file is changed, missing, added, renamed, repeated, or at another place', async () => {
    const files = filesOf(await fresh());
    const [manifest, sig, checkpoint, eventsFile, csv, html] = files as [File, File, File, File, File, File];
    type File = [string, Buffer];
    const changed = ([name, content]: File): File => [name, flipped(content, 80)];
    const cases: [File[], string[]][] = [
      [[manifest, sig, checkpoint, eventsFile, csv, changed(html)], ['digest file=transcript.html']],
      [[manifest, sig, checkpoint, eventsFile, changed(csv), html], ['digest file=messages.csv']],
      [
        [manifest, sig, checkpoint, [eventsFile[0], eventsFile[1].subarray(0, -1)], csv, html],
        ['line line=', 'digest file=events.ndjson', 'manifest file=manifest.json', 'manifest file=manifest.json'],
      ],
      [[manifest, sig, checkpoint, eventsFile, csv], ['file file=transcript.html']],
      [
        [manifest, sig, checkpoint, eventsFile, html],
        ['file file=transcript.html', 'file file=transcript.html'],
      ],
      [[manifest, sig, checkpoint, eventsFile, csv, html, ['extra.txt', Buffer.from('x')]], ['file file=extra.txt']],
      [[manifest, sig, checkpoint, eventsFile, csv, html, html], ['file file=transcript.html']],
      [
        [manifest, sig, checkpoint, eventsFile, html, csv],
        ['file file=transcript.html', 'file file=messages.csv'],
      ],
      [[changed(manifest), sig, checkpoint, eventsFile, csv, html], ['manifest file=manifest.json']],
      [[sig, checkpoint, eventsFile, csv, html], ['manifest file=manifest.json.sig']],
      [
        [manifest],
        [
          'manifest-signature',
          'file file=checkpoint',
          'file file=events.ndjson',
          'file file=messages.csv',
          'file file=transcript.html',
          'manifest file=manifest.json',
          'manifest file=manifest.json',
          'manifest file=manifest.json',
          'manifest file=manifest.json',
        ],
      ],
      [[], ['manifest']],
    ];
    for (const [tampered, findings] of cases) {
      const verdict = await verdictOn(pack(tampered));
      expect(verdict.exitCode).toBe(1);
      expect(verdict.findings.map((finding) => finding.replace(/line=\d+/, 'line='))).toEqual(findings);
    }
  });

  it('its manifest is changed and keeps its signature, or has that of another bundle', async () => {
    const files = filesOf(await fresh());
    const text = (files[0] as [string, Buffer])[1].toString();
    const changed = Buffer.from(text.replace('"contiguous":true', '"contiguous":false'));
    const finding = { exitCode: 1, findings: ['manifest-signature file=manifest.json.sig'] };
    expect(await verdictOn(pack([['manifest.json', changed], ...files.slice(1)]))).toEqual(finding);
    const other = signNote(manifestNoteText(origin, changed), [keys.certificates]);
    expect(
      await verdictOn(
        pack([files[0] as [string, Buffer], ['manifest.json.sig', Buffer.from(other)], ...files.slice(2)]),
      ),
    ).toEqual(finding);
  });

  it('its archive ends early, goes on, or holds something else than files', async () => {
    const files = filesOf(await fresh());
    const bundle = pack(files);
    for (const length of [
      0,
      100,
      512,
      700,
      5_000,
      60_000,
      bundle.length - 1100,
      bundle.length - 1024,
      bundle.length - 512,
    ]) {
      const verdict = await verdictOn(bundle.subarray(0, length));
      expect(verdict.exitCode, `${length}`).toBe(1);
      expect(verdict.findings.at(-1)).toMatch(/^archive/);
    }
    const link = tarHeader('transcript.html', 0);
    link[156] = 0x32;
    link.write(
      `${link
        .reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    );
    for (const tampered of [
      Buffer.concat([bundle, Buffer.from('more')]),
      Buffer.concat([bundle, bundle]),
      Buffer.concat([bundle.subarray(0, -1024), link, Buffer.alloc(1024)]),
      flipped(bundle, 8 * 5),
    ])
      expect(await verdictOn(tampered)).toEqual({ exitCode: 1, findings: ['archive'] });
    expect(await verdictOn(Buffer.concat([bundle, Buffer.alloc(9216)]))).toEqual({ exitCode: 0, findings: [] });
  });
});

describe('a bundle cannot be checked', () => {
  it('in another format', async () => {
    const parts = await fresh();
    parts.manifest.format = 'verbatim-bundle/2';
    expect(await verdictOn(pack(filesOf(parts)))).toEqual({ exitCode: 3, findings: [] });
  });

  it('without the key that signs certificates, unless something is wrong with it anyway', async () => {
    const by = { keys: [keys.log], witnesses: [] };
    const parts = await fresh();
    expect(await verdictOn(pack(filesOf(parts)), by)).toEqual({ exitCode: 3, findings: [] });
    edit(parts, { key: Buffer.alloc(32) });
    expect(await verdictOn(pack(filesOf(parts)), by)).toMatchObject({ exitCode: 1 });
  });

  it('when its source fails, which is thrown and not a finding', async () => {
    const bundle = pack(filesOf(await fresh()));
    async function* failing(): AsyncGenerator<Buffer> {
      yield bundle.subarray(0, 20_000);
      throw new Error('the disk is gone');
    }
    await expect(verifyBundle(failing(), trusted)).rejects.toThrow('the disk is gone');
  });

  it.skipIf(second === null)('by the program in Go without a key, with a key that is none, or without a file', () => {
    const run = (...args: string[]) => spawnSync(second as string, args, { encoding: 'utf8' }).status;
    const key = encodeVerifierKey(keys.log);
    expect(run()).toBe(2);
    expect(run('bundle.tar')).toBe(2);
    expect(run('bundle.tar', '--key')).toBe(2);
    expect(run('bundle.tar', '--key', 'nonsense')).toBe(2);
    expect(run('bundle.tar', '--key', key, '--witness', key)).toBe(2);
    expect(run('bundle.tar', '--key', key, '--what')).toBe(2);
    expect(run('/nonexistent/bundle.tar', '--key', key)).toBe(3);
    expect(run('/', '--key', key)).toBe(3);
  });
});

describe('whatever bit of a bundle is flipped', () => {
  it('both verifiers say the same, and only padding goes unnoticed', async () => {
    const small = await bundleOf(someEvents(12), () => true);
    const bundle = pack(filesOf(small));
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length * 8 - 1), async (bit) => {
        const { exitCode } = await verdictOn(flipped(bundle, bit));
        if (exitCode === 0) expect(bundle[bit >> 3], `byte ${bit >> 3}`).toBe(0);
      }),
      { numRuns: 150, seed: 15 },
    );
  });

  it('a line is read back only as it was written', async () => {
    const line = at(await fresh(), LINE);
    expect(encodeBundleLine(line)).toMatch(/^\{"envelope":"[^"]+","key":"[^"]{44}","ordinal":\d+,"proof":"[^"]+"\}\n$/);
  });
});
