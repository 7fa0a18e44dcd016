import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { type MasterKey, MasterKeyUnavailable } from '@verbatim/event-store';

/** A key of a transit secrets engine. */
export interface TransitKey {
  /** `https://bao.example.org:8200` */
  readonly server: string;
  readonly mount: string;
  readonly key: string;
}

export interface TransitSettings {
  readonly KMS_TOKEN?: string;
  /** Read for each call, because agents of the key server renew it. */
  readonly KMS_TOKEN_FILE?: string;
  readonly KMS_NAMESPACE?: string;
  /** CA certificates for verifying the server's, in PEM. */
  readonly KMS_CA_FILE?: string;
}

/** Reads `transit+https://<host>:<port>/<mount>/<key>`; the mount may have several parts. */
export function readTransitUrl(text: string): TransitKey {
  const { origin, pathname } = new URL(text.replace(/^transit\+/, ''));
  const parts = pathname.slice(1).split('/');
  return { server: origin, mount: parts.slice(0, -1).join('/'), key: parts.at(-1) ?? '' };
}

/** Milliseconds for one call, and how often it is tried. */
const PATIENCE_MS = 3_000;
const TRIES = 3;
const PAUSE_MS = 300;
const MOST_BYTES = 65_536;

/**
 * A master key in HashiCorp Vault or OpenBao, which never leaves it: the transit secrets engine encrypts and decrypts the root keys
 * (https://openbao.org/api-docs/secret/transit/). The token needs `update` on `<mount>/encrypt/<key>` and
 * `<mount>/decrypt/<key>`, nothing else.
 */
export class TransitMasterKey implements MasterKey {
  /** Without the server's address, which may change. */
  readonly name: string;
  readonly description: string;

  constructor(
    private readonly at: TransitKey,
    private readonly settings: TransitSettings,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    const { KMS_NAMESPACE: namespace } = settings;
    this.name = `transit:${namespace ? `${namespace}/` : ''}${at.mount}/${at.key}`;
    this.description = `the key ${at.key} in ${at.mount} of the key server at ${at.server}`;
  }

  async wrap(key: Buffer, label: string): Promise<string> {
    const { ciphertext } = await this.call('encrypt', {
      plaintext: key.toString('base64'),
      associated_data: base64(label),
    });
    if (typeof ciphertext !== 'string') throw this.strange('no ciphertext in its answer');
    return ciphertext;
  }

  async unwrap(wrapped: string, label: string): Promise<Buffer | null> {
    const { plaintext } = await this.call('decrypt', { ciphertext: wrapped, associated_data: base64(label) });
    if (plaintext === null) return null;
    const key = Buffer.from(typeof plaintext === 'string' ? plaintext : '', 'base64');
    if (key.length !== 32) throw this.strange('no key of 32 bytes in its answer');
    return key;
  }

  versionOf(wrapped: string): string | null {
    return /^[a-z]+:v(\d+):/.exec(wrapped)?.[1] ?? null;
  }

  /** Repeats calls that may succeed the next time. `{ plaintext: null }`: the key cannot decrypt this. */
  private async call(operation: 'encrypt' | 'decrypt', body: object): Promise<Record<string, unknown>> {
    for (let tries = 1; ; tries++) {
      const answer = await this.send(operation, body).catch((error: Error) => error);
      const passing =
        answer instanceof Error
          ? !(answer instanceof MasterKeyUnavailable)
          : answer.status >= 500 || answer.status === 429;
      if (passing && tries < TRIES) await pause(PAUSE_MS * tries);
      else if (answer instanceof MasterKeyUnavailable) throw answer;
      else if (answer instanceof Error) throw this.silent(answer);
      else return this.read(operation, answer);
    }
  }

  private read(operation: string, { status, body }: Answer): Record<string, unknown> {
    const { data, errors } = parsed(body);
    if (status === 200 && data) return data;
    const said = errors.join('; ').slice(0, 200) || `status ${status}`;
    if (status === 400 && operation === 'decrypt' && /ciphertext|message authentication/.test(said))
      return { plaintext: null };
    throw this.refused(status, said);
  }

  private async send(operation: string, body: object): Promise<Answer> {
    const { server, mount, key } = this.at;
    const [token, ca] = await Promise.all([this.token(), this.authorities()]);
    const { KMS_NAMESPACE: namespace } = this.settings;
    const text = JSON.stringify(body);
    const headers = {
      'X-Vault-Token': token,
      ...(namespace ? { 'X-Vault-Namespace': namespace } : {}),
      'Content-Type': 'application/json',
      'Content-Length': `${Buffer.byteLength(text)}`,
    };
    const send = server.startsWith('https:') ? tlsRequest : plainRequest;
    return new Promise((resolve, reject) => {
      const options = {
        method: 'POST',
        headers,
        ca,
        signal: AbortSignal.timeout(this.patienceMs),
        agent: false as const,
      };
      const request = send(`${server}/v1/${mount}/${operation}/${key}`, options, (response) => {
        answerOf(response).then(resolve, reject);
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  private async token(): Promise<string> {
    const { KMS_TOKEN, KMS_TOKEN_FILE } = this.settings;
    if (!KMS_TOKEN_FILE) {
      if (KMS_TOKEN) return KMS_TOKEN;
      throw this.unavailable('there is no token for it', 'set KMS_TOKEN_FILE or KMS_TOKEN');
    }
    return (await this.fileOf('KMS_TOKEN_FILE', KMS_TOKEN_FILE)).trim();
  }

  private async authorities(): Promise<string | undefined> {
    const { KMS_CA_FILE } = this.settings;
    return KMS_CA_FILE ? this.fileOf('KMS_CA_FILE', KMS_CA_FILE) : undefined;
  }

  private async fileOf(setting: string, path: string): Promise<string> {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw this.unavailable(`${path} cannot be read (${code})`, `correct ${setting}, or make the file readable`);
    }
  }

  private silent(error: Error & { code?: unknown }): MasterKeyUnavailable {
    const { server } = this.at;
    const code = typeof error.code === 'string' ? error.code : '';
    if (error.name === 'AbortError' || error.name === 'TimeoutError')
      return this.unavailable(
        'it did not answer in time',
        `check whether ${server} is up and reachable from here`,
        error,
      );
    if (/CERT|SIGNED|ALTNAME|UNABLE_TO/.test(code))
      return this.unavailable(
        `its certificate is not trusted (${code})`,
        'set KMS_CA_FILE to the certificate of the authority that signed it, and use a host name that it contains',
        error,
      );
    return this.unavailable(
      `it cannot be reached (${code || error.message})`,
      `start it, or correct host and port in MASTER_KEY; check for a firewall in between`,
      error,
    );
  }

  private refused(status: number, said: string): MasterKeyUnavailable {
    const { mount, key } = this.at;
    if (status === 503)
      return this.unavailable(`it is sealed or has no leader (${said})`, 'unseal it, or wait until it has a leader');
    if (status === 403 || status === 401)
      return this.unavailable(
        `it denied access (${said})`,
        `give the service a valid token whose policy allows update on ${mount}/encrypt/${key} and ${mount}/decrypt/${key}`,
      );
    if (status === 404 || /key not found/.test(said))
      return this.unavailable(
        `it has no such key (${said})`,
        `enable the transit engine at ${mount}, create the key ${key}, and check KMS_NAMESPACE`,
      );
    return this.unavailable(`it answered ${status} (${said})`, 'see its log');
  }

  private strange = (what: string): MasterKeyUnavailable =>
    this.unavailable(
      `there is ${what}`,
      'check that MASTER_KEY leads to a transit engine and to a key that can encrypt and decrypt',
    );

  private unavailable(problem: string, advice: string, cause?: Error): MasterKeyUnavailable {
    return new MasterKeyUnavailable(`The key server at ${this.at.server}`, problem, advice, { cause });
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  let body = '';
  for await (const part of response.setEncoding('utf8')) {
    body += part;
    if (body.length > MOST_BYTES) throw new Error('the answer is too long');
  }
  return { status: response.statusCode ?? 0, body };
}

function parsed(body: string): { data: Record<string, unknown> | null; errors: string[] } {
  try {
    const { data, errors } = JSON.parse(body) as { data?: unknown; errors?: unknown };
    return {
      data: typeof data === 'object' ? (data as Record<string, unknown> | null) : null,
      errors: Array.isArray(errors) ? errors.map(String) : [],
    };
  } catch {
    return { data: null, errors: [] };
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
