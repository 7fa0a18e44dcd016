import { type RequestOptions, request } from 'node:http';

/** An answer as makechat's own tests read it: as ASCII, and as JSON unless it is empty. */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests are about
  readonly json: any;
}

/** A client as makechat's tests have it: a JSON type and the body `{}` with every GET, no `Accept`, another host's name. */
export class MakechatClient {
  constructor(
    readonly url: string,
    private readonly credential: Readonly<Record<string, string>> = {},
  ) {}

  withCookie = (cookie: string): MakechatClient => new MakechatClient(this.url, { cookie: `session=${cookie}` });
  withToken = (token: string): MakechatClient => new MakechatClient(this.url, { 'x-auth-token': token });

  /** This place with the credential of another client. */
  with = ({ credential }: MakechatClient): MakechatClient => new MakechatClient(this.url, credential);

  get = (path: string, headers?: Headers) => this.send('GET', path, {}, headers);
  post = (path: string, body?: unknown, headers?: Headers) => this.send('POST', path, body, headers);
  put = (path: string, body?: unknown, headers?: Headers) => this.send('PUT', path, body, headers);
  patch = (path: string, body?: unknown, headers?: Headers) => this.send('PATCH', path, body, headers);
  delete = (path: string, headers?: Headers) => this.send('DELETE', path, undefined, headers);

  send(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<RawAnswer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const { hostname, port } = new URL(this.url);
    const sent = {
      host: 'makechat-web',
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(text)}` }),
      ...this.credential,
      ...headers,
    };
    const present = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
    return exchange({ hostname, port, method, path, headers: present as Record<string, string> }, text);
  }
}

type Headers = Readonly<Record<string, string | undefined>>;

function exchange(options: RequestOptions, body: string | undefined): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sending = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== '';
        if (isJson && bytes.some((byte) => byte > 126)) reject(new Error(`not ASCII: ${text}`));
        const { statusCode = 0, statusMessage = '', headers } = response;
        resolve({
          status: statusCode,
          reason: statusMessage,
          headers,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    sending.on('error', reject).end(body);
  });
}

/** The value of the session cookie, cut out by hand as makechat's tests do. */
export function cookieOf({ headers }: RawAnswer): string {
  const [first = ''] = headers['set-cookie'] ?? [];
  return first.split(';')[0]?.split('=')[1] ?? '';
}

let names = 0;
/** A name that nobody in the run has yet. */
export const freshName = (): string => `mk${process.pid}-${++names}`;

/** Longer than makechat asks for. */
export const password = 'correct horse';

/** Signs somebody up; the client has their cookie. */
export async function signUp(anybody: MakechatClient, username = freshName()): Promise<MakechatClient> {
  const email = `${username}@example.org`;
  const answer = await anybody.post('/api/register', { username, email, password1: password, password2: password });
  if (answer.status !== 201) throw new Error(`not signed up: ${answer.text}`);
  return anybody.withCookie(cookieOf(answer));
}

/** Signs somebody in; the client has their cookie. */
export async function login(
  anybody: MakechatClient,
  credentials: { username: string; password: string },
): Promise<MakechatClient> {
  const answer = await anybody.post('/api/login', credentials);
  if (answer.status !== 200) throw new Error(`not signed in: ${answer.text}`);
  return anybody.withCookie(cookieOf(answer));
}
