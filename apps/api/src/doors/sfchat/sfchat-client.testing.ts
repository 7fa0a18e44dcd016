export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what the tests are about
  readonly body: any;
}

/** Somebody without scripts: a cookie jar and forms. */
export class FormVisitor {
  private readonly cookies = new Map<string, { value: string; path: string }>();

  constructor(readonly url: string) {}

  async get(path: string): Promise<Answer> {
    return this.send(path, {});
  }

  /** Fills in the form of the home page. */
  async post(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const home = await this.get('/');
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(home.text)?.[1] ?? '';
    const body = new URLSearchParams({ csrfmiddlewaretoken: token, ...fields });
    return this.send(path, { method: 'POST', body });
  }

  /** Opens a chat and its page, as a browser does. */
  async create(): Promise<ChatMember> {
    return this.enter(await this.post('/create-chat/'));
  }

  async join(code: string): Promise<ChatMember> {
    return this.enter(await this.post('/', { chat_token: code }));
  }

  async send(path: string, init: RequestInit): Promise<Answer> {
    const sent = [...this.cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    const cookie = sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${this.url}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { ...init.headers, cookie },
    });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return { status: response.status, headers: response.headers, text: await response.text(), body: null };
  }

  private async enter(answer: Answer): Promise<ChatMember> {
    const path = answer.headers.get('location') ?? '';
    const page = await this.get(path);
    const token = optionOf(page.text, 'userToken');
    return new ChatMember(this.url, path.split('/').pop() as string, token);
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split('=');
    const path = attributes.find((one) => one.startsWith('Path='))?.slice(5) ?? '/';
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, { value, path });
  }
}

/** What a page gives scripts under this name. */
export const optionOf = (page: string, name: string): string =>
  new RegExp(`<option value="${name}">([^<]*)</option>`).exec(page)?.[1] ?? '';

/** A participant, as SFChat's scripts are one. */
export class ChatMember {
  constructor(
    readonly url: string,
    readonly code: string,
    readonly token: string,
  ) {}

  /** The same participant at another replica. */
  at(url: string): ChatMember {
    return new ChatMember(url, this.code, this.token);
  }

  /** Waits for messages. */
  poll(signal?: AbortSignal): Promise<Answer> {
    return this.call('GET', `/api/v1/messages.json?_=${Date.now()}`, undefined, {}, signal);
  }

  /** Looks for messages without waiting. */
  look(): Promise<Answer> {
    return this.call('GET', '/api/v1/messages.json?longPolling=False');
  }

  say(...texts: string[]): Promise<Answer> {
    return this.call('POST', '/api/v1/messages.json', { data: { messages: texts.map((msg) => ({ msg })) } });
  }

  confirm(...ids: string[]): Promise<Answer> {
    return this.call('DELETE', '/api/v1/messages.json', { data: { messages: ids.map((_id) => ({ _id })) } });
  }

  /** Confirms everything that is there now. */
  async confirmAll(): Promise<void> {
    const { body } = await this.look();
    await this.confirm(...body.results.messages.map(({ _id }: { _id: string }) => _id));
  }

  leave(): Promise<Answer> {
    return this.call('DELETE', '/api/v1/chat.json');
  }

  async call(
    method: string,
    path: string,
    data?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      body: data === undefined ? undefined : JSON.stringify(data),
      headers: {
        'content-type': 'application/json',
        'x-sfc-usertoken': this.token,
        'x-sfc-chattoken': this.code,
        ...headers,
      },
      signal,
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : null };
  }
}

/** The texts in an answer, in their order. */
export const textsIn = ({ body }: Answer): string[] => body.results.messages.map(({ msg }: { msg: string }) => msg);
/** Their ids. */
export const idsIn = ({ body }: Answer): string[] => body.results.messages.map(({ _id }: { _id: string }) => _id);

/** A figure of the metrics of a replica, at the address of its native API. */
export async function figureOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
}
