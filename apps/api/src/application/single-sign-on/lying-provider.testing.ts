import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export interface KeyPair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function keyPair(kid: string, alg = 'RS256'): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** A token as an honest provider would sign it. */
export const signed = (claims: JWTPayload, { kid, alg, privateKey }: KeyPair): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey);

/** An identity provider with arbitrary metadata, keys and tokens, for tests. */
export class LyingProvider {
  /** Builds the ID token from the claims that an honest provider would use. */
  token: (claims: JWTPayload) => string | Promise<string> = () => '';
  keys: readonly JWK[] = [];
  metadata: object = {};
  userInfo: ((sub: string) => object) | null = null;
  /** Responses to return instead, by path. */
  readonly instead = new Map<string, (response: ServerResponse) => void>();
  /** Requests per path. */
  readonly asked = new Map<string, number>();
  private nonce: string | null = null;
  private claims: JWTPayload = {};

  private constructor(
    readonly issuer: string,
    private readonly clientId: string,
    private readonly server: Server,
  ) {}

  static async start(clientId: string): Promise<LyingProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new LyingProvider(issuer, clientId, server);
    server.on('request', (request, response) => {
      provider.answer(request, response).catch((error) => response.destroy(error as Error));
    });
    return provider;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.issuer);
    this.asked.set(pathname, (this.asked.get(pathname) ?? 0) + 1);
    const instead = this.instead.get(pathname);
    if (instead) return instead(response);
    if (pathname === '/.well-known/openid-configuration') return json(response, this.discovery());
    if (pathname === '/jwks') return json(response, { keys: this.keys });
    if (pathname === '/me') return json(response, this.userInfo?.(this.claims.sub ?? '') ?? {});
    if (pathname === '/token') {
      const seconds = Math.floor(Date.now() / 1_000);
      const honest = { iss: this.issuer, aud: this.clientId, iat: seconds, exp: seconds + 300, nonce: this.nonce };
      this.claims = { sub: `somebody-${Math.random().toString(36).slice(2)}`, ...honest } as JWTPayload;
      const id_token = await this.token(this.claims);
      return json(response, { access_token: 'access', token_type: 'Bearer', id_token });
    }
    this.nonce = searchParams.get('nonce');
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.search = `${new URLSearchParams({ code: 'code', state: searchParams.get('state') ?? '' })}`;
    response.writeHead(302, { location: back.href }).end();
  }

  private discovery(): object {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256', 'none'],
      ...(this.userInfo && { userinfo_endpoint: `${issuer}/me` }),
      ...this.metadata,
    };
  }
}

const json = (response: ServerResponse, body: object): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
