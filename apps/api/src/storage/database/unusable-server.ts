import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { diagnoseKurrent, MasterKeyUnavailable, outageOf, readServerUrl, serverName } from '@verbatim/event-store';
import type { Config } from '../../config.js';
import type { Database } from './database.js';

/** A server that the service depends on cannot be used. The message is for the operator who started the service. */
export class UnusableServer extends Error {
  constructor(server: string, problem: string, tried: string, advice: string, options?: ErrorOptions) {
    super(`${server} cannot be used: ${problem}.\n  Tried: ${tried}.\n  What to do: ${advice}.`, options);
    this.name = 'UnusableServer';
  }
}

/**
 * Explains an error at startup. Errors of the database or the event store become an UnusableServer; where the error alone
 * does not say what is wrong, the server is probed again. All other errors are returned unchanged.
 */
export async function explainStart(
  error: unknown,
  { EVENT_STORE_URL }: Pick<Config, 'EVENT_STORE_URL'>,
  database: Pick<Database, 'url' | 'directUrl'>,
): Promise<unknown> {
  const outage = outageOf(error);
  if (outage?.kind !== 'away') return error;
  if (error instanceof MasterKeyUnavailable)
    return new UnusableServer(error.server, error.problem, 'to open the keys of the vault', error.advice, {
      cause: error,
    });
  if (outage.ofStore && EVENT_STORE_URL !== undefined) return explainEventStore(error, EVENT_STORE_URL);
  return explainDatabase(error, outage.reason, database);
}

/** Explains why the event store at a URL could not be opened. */
export async function explainEventStore(error: unknown, url: string, setting = 'EVENT_STORE_URL'): Promise<unknown> {
  const outage = outageOf(error);
  if (outage?.kind !== 'away') return error;
  if (readServerUrl(url).scheme.startsWith('postgres')) return explainPostgres(error, outage.reason, url, setting);
  const { problem, tried, advice } = await diagnoseKurrent(url, error);
  return new UnusableServer(serverName(url), problem, `${tried}, as ${setting} says`, advice(setting), {
    cause: error,
  });
}

async function explainDatabase(
  error: unknown,
  reason: string,
  { url, directUrl }: Pick<Database, 'url' | 'directUrl'>,
): Promise<unknown> {
  if (url === directUrl) return explainPostgres(error, reason, url, 'DATABASE_URL');
  // The error does not say which of the two it was, so find out which one does not respond.
  const silent = (await sslAnswer(url)).kind === 'nothing';
  return explainPostgres(error, reason, silent ? url : directUrl, silent ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL');
}

async function explainPostgres(error: unknown, reason: string, url: string, setting: string): Promise<UnusableServer> {
  const { rest, credentials } = readServerUrl(url);
  const { searchParams, pathname } = new URL(rest || '/', 'http://host');
  const mode = searchParams.get('sslmode') ?? searchParams.get('ssl') ?? 'disable';
  const tls = !['disable', 'false', 'allow', 'prefer'].includes(mode);
  const name = decodeURIComponent(pathname.slice(1)) || credentials?.username || '';
  const as = credentials ? ` as "${credentials.username}"` : '';
  const tried = `to connect to the database "${name}"${as} ${tls ? `with TLS (sslmode=${mode})` : 'without TLS'}, as ${setting} says`;
  const found = await sslAnswer(url);
  const { problem, advice } = verdict(codeOf(error), reason, { found, tls, setting, name });
  return new UnusableServer(serverName(url), problem, tried, advice, { cause: error });
}

interface Surroundings {
  readonly found: SslAnswer;
  readonly tls: boolean;
  readonly setting: string;
  readonly name: string;
}

function verdict(code: string, reason: string, { found, tls, setting, name }: Surroundings) {
  if (found.kind === 'nothing')
    return {
      problem: found.reason,
      advice: `start PostgreSQL, or correct host and port in ${setting}; check for a firewall or a container network in between`,
    };
  if (found.kind === 'other')
    return { problem: 'the server there is not PostgreSQL', advice: `correct host and port in ${setting}` };
  if (tls && found.kind === 'plain')
    return {
      problem: 'it does not support TLS',
      advice: `enable TLS on the server (ssl = on), or remove sslmode from ${setting} if no one can intercept the connection`,
    };
  if (/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT)/.test(code))
    return {
      problem: `its certificate is not trusted (${code})`,
      advice: `set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that signed it, and use a host name in ${setting} that the certificate contains`,
    };
  if (/^28/.test(code) && /no encryption|SSL off/.test(reason))
    return { problem: reason, advice: `add sslmode=verify-full to ${setting}, because the server requires TLS` };
  if (/^28/.test(code) || code === 'SASL_SIGNATURE_MISMATCH')
    return {
      problem: reason,
      advice: `correct user and password in ${setting} (percent-encode characters such as @ : / ? # % in them), or allow the user in pg_hba.conf`,
    };
  if (code === '3D000')
    return { problem: reason, advice: `create it (CREATE DATABASE "${name}"), or correct its name in ${setting}` };
  if (code === '42501')
    return {
      problem: reason,
      advice: `grant the missing rights: GRANT CREATE ON DATABASE "${name}", and ownership of the schemas log, vault, desk and cache if another user created them`,
    };
  if (/^53/.test(code))
    return { problem: reason, advice: 'raise max_connections, or close other connections, and start again' };
  if (/^57P03/.test(code)) return { problem: reason, advice: 'wait until it is ready, and start again' };
  return { problem: reason, advice: `see the log of PostgreSQL, and check ${setting}` };
}

/** The code of an error, or of what caused it. */
function codeOf(error: unknown): string {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; depth++) {
    const { code } = one as { code?: unknown };
    if (typeof code === 'string') return code;
    one = one instanceof AggregateError ? one.errors[0] : one.cause;
  }
  return '';
}

type SslAnswer = { readonly kind: 'tls' | 'plain' | 'other' } | { readonly kind: 'nothing'; readonly reason: string };

/** Milliseconds for a server to say whether it supports TLS. */
const PATIENCE_MS = 3_000;
/** SSLRequest of PostgreSQL's protocol: its length, and the number 80877103. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Asks a server whether it supports TLS, which also shows whether it is there and whether it is PostgreSQL. */
function sslAnswer(url: string): Promise<SslAnswer> {
  const host = readServerUrl(url).hosts.split(',')[0] ?? '';
  const [, name = 'localhost', port = '5432'] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(decodeURIComponent(host)) ?? [];
  const path = name.startsWith('/') ? `${name}/.s.PGSQL.${port}` : undefined;
  if (path && !existsSync(path)) return Promise.resolve({ kind: 'nothing', reason: `there is no socket ${path}` });
  return new Promise((resolve) => {
    const socket = path ? connect(path) : connect(Number(port), name);
    const answer = (found: SslAnswer) => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(PATIENCE_MS, () => answer({ kind: 'nothing', reason: 'no answer' }));
    socket.on('error', (error) => answer({ kind: 'nothing', reason: outageOf(error)?.reason ?? error.message }));
    socket.on('connect', () => socket.write(sslRequest));
    socket.on('close', () => answer({ kind: 'other' }));
    // Errors, such as too many connections, are sent in response to an SSLRequest as to any other startup message.
    socket.on('data', ([first]) =>
      answer({ kind: first === 0x53 ? 'tls' : first === 0x4e || first === 0x45 ? 'plain' : 'other' }),
    );
  });
}
