import {
  type CheckpointPolicy,
  decodeEntryBundle,
  type Fault,
  isFault,
  openCheckpoint,
  parseVerifierKey,
  TILE_WIDTH,
  type TileReader,
  TreeReader,
  tilePath,
  type VerifiedCheckpoint,
  type VerifierKey,
  widthInTree,
} from '@verbatim/transparency';

/** The value, or an error that says what is wrong with it. */
export function sound<T>(value: T | Fault): T {
  if (isFault(value)) throw new Error(`${value.fault}: ${value.detail}`);
  return value;
}

/** Reads a transparency log as anybody can: over HTTP, trusting nothing but keys. */
export class LogReader {
  constructor(
    readonly url: string,
    private readonly headers: Record<string, string> = {},
  ) {}

  async file(path: string): Promise<Response> {
    return fetch(`${this.url}/audit/log/${path}`, { headers: this.headers });
  }

  async keys(): Promise<VerifierKey[]> {
    const text = await (await this.file('keys')).text();
    return text
      .trimEnd()
      .split('\n')
      .map((line) => sound(parseVerifierKey(line)));
  }

  /** The newest checkpoint as a note; null while there is none. */
  async note(): Promise<string | null> {
    const answer = await this.file('checkpoint');
    return answer.ok ? answer.text() : null;
  }

  async checkpoint(policy: Omit<CheckpointPolicy, 'logKeys'>): Promise<VerifiedCheckpoint> {
    return sound(openCheckpoint((await this.note()) ?? '', { ...policy, logKeys: await this.keys() }));
  }

  readonly tiles: TileReader = async (ids) => {
    const answers = await Promise.all(ids.map((id) => this.file(tilePath(id))));
    return Promise.all(answers.map(async (answer) => (answer.ok ? Buffer.from(await answer.arrayBuffer()) : null)));
  };

  /** All entries of a tree of this size, in hexadecimal. */
  async entries(size: number): Promise<string[]> {
    const entries: string[] = [];
    for (let index = 0; index * TILE_WIDTH < size; index++) {
      const width = widthInTree('entries', index, size);
      const [bundle] = await this.tiles([{ level: 'entries', index, width }]);
      if (!bundle) throw new Error(`Entry bundle ${index} is missing.`);
      entries.push(...sound(decodeEntryBundle(bundle, width)).map((entry) => entry.toString('hex')));
    }
    return entries;
  }

  async root(size: number): Promise<string> {
    return sound(await sound(TreeReader.of(size, this.tiles)).root()).toString('base64');
  }
}
