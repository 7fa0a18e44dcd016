import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a provider knows about a user: OpenID Connect claims, and groups. */
export interface Claims {
  readonly sub: string;
  readonly email?: unknown;
  readonly email_verified?: unknown;
  readonly name?: unknown;
  readonly preferred_username?: unknown;
  readonly groups?: readonly string[];
}

/** The part of `oidc-provider` used here; the package has no types. */
interface Provider {
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
  Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
  on(event: string, listener: (...args: unknown[]) => void): void;
}

export const client = { id: 'verbatim', secret: 'a secret between two services' };

/** A real identity provider on this machine that signs everyone in as `next`. */
export class TestProvider {
  /** The next user to sign in; null: they refuse. */
  next: Claims | null = null;
  private readonly people = new Map<string, Claims>();

  private constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  static async start(redirectUri: string): Promise<TestProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const test = new TestProvider(issuer, server);
    const { Provider } = (await import('oidc-provider' as string)) as {
      Provider: new (issuer: string, settings: object) => Provider;
    };
    const provider = new Provider(issuer, test.settings(redirectUri));
    const handle = provider.callback();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!request.url?.startsWith('/interaction/')) return handle(request, response);
      const { next } = test;
      if (next) test.people.set(next.sub, next);
      const result = next ? { login: { accountId: next.sub, remember: false } } : { error: 'access_denied' };
      provider.interactionFinished(request, response, result).catch((error) => response.destroy(error as Error));
    });
    return test;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private settings(redirectUri: string): object {
    const { people } = this;
    return {
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          redirect_uris: [redirectUri],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      claims: {
        email: ['email', 'email_verified'],
        profile: ['name', 'preferred_username'],
        groups: ['groups'],
        openid: ['sub'],
      },
      scopes: ['openid', 'email', 'profile', 'groups'],
      features: { devInteractions: { enabled: false } },
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      cookies: { keys: ['only for tests'] },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => people.get(sub) ?? { sub } }),
      async loadExistingGrant(context: {
        oidc: { provider: Provider; session: { accountId: string }; client: { clientId: string } };
      }) {
        const { provider, session, client } = context.oidc;
        const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid email profile groups');
        await grant.save();
        return grant;
      },
    };
  }
}

/**
 * A browser as far as redirects and cookies are concerned: cookies are kept per host and path, ignoring other attributes.
 */
export class Browser {
  private readonly cookies = new Map<string, { value: string; path: string }>();
  /** The Set-Cookie headers received, verbatim. */
  readonly asked: string[] = [];

  async get(address: string): Promise<Response> {
    return this.send(address, {});
  }

  async post(address: string, body: object): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return this.send(address, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** Follows redirects until the address belongs to the application; returns that address or the last response. */
  async follow(address: string, application: string): Promise<string | Response> {
    for (let next = address, hops = 0; hops < 20; hops++) {
      const response = await this.get(next);
      const location = response.headers.get('location');
      if (!location) return response;
      next = new URL(location, next).href;
      if (next.startsWith(application)) return next;
    }
    throw new Error('too many redirects');
  }

  private async send(address: string, request: RequestInit): Promise<Response> {
    const { origin, pathname } = new URL(address);
    const cookies = [...this.cookies]
      .filter(([key, { path }]) => key.startsWith(`${origin} `) && pathname.startsWith(path))
      .map(([key, { value }]) => `${key.slice(origin.length + 1)}=${value}`);
    const headers = { ...request.headers, accept: '*/*', ...(cookies.length > 0 && { cookie: cookies.join('; ') }) };
    const response = await fetch(address, { ...request, headers, redirect: 'manual' });
    for (const text of response.headers.getSetCookie()) {
      this.asked.push(text);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
      const path = /;\s*path=([^;]*)/i.exec(text)?.[1] ?? '/';
      if (value === '' || /max-age=0/i.test(text)) this.cookies.delete(`${origin} ${name}`);
      else this.cookies.set(`${origin} ${name}`, { value, path });
    }
    return response;
  }
}
