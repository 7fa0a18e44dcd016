import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { END, ErrorType } from '@kurrent/kurrentdb-client';
import { StoreUnavailable } from '../event-store.js';
import { outageOf } from '../outage.js';
import { readServerUrl } from '../server-url.js';
import { readConnection } from './connection-string.js';
import { KurrentClient, reasonOf, typeOf } from './kurrent-client.js';

/** Why a KurrentDB cannot be used, for people: without secrets. */
export interface Diagnosis {
  readonly problem: string;
  readonly tried: string;
  /** @param setting where the connection string is from. */
  readonly advice: (setting: string) => string;
}

/** Milliseconds for each step. */
const PATIENCE_MS = 3_000;

/**
 * Finds out what is wrong with a KurrentDB that could not be read, step by step: the way there, TLS, the user. The native
 * half of the client reports little more than that it failed.
 */
export async function diagnose(url: string, error: unknown): Promise<Diagnosis> {
  const { hosts, rest, credentials } = readServerUrl(url);
  const [, host = 'localhost', port = '2113'] = /^(.*?)(?::(\d+))?$/.exec(hosts.split(',')[0] ?? '') ?? [];
  const option = (name: string) => optionOf(rest, name);
  const tls = option('tls') !== 'false';
  const place = { host, port: Number(port) };
  const as = credentials ? ` as "${credentials.username}"` : ' without a user';
  const tried = `to read the newest event of $all${as} ${tls ? 'with TLS' : 'without TLS (tls=false)'}`;
  const way = await wayTo(place);
  if (way !== null)
    return {
      ...{ problem: way, tried },
      advice: (setting) =>
        `start KurrentDB, or correct host and port in ${setting}; look for a firewall or a container network in between`,
    };
  const secured = await handshake(
    place,
    tls ? caOf(option('tlscafile')) : undefined,
    tls && option('tlsverifycert') !== 'false',
  );
  if (!tls && secured === null)
    return {
      ...{ problem: 'it speaks TLS only', tried },
      advice: (setting) => `remove tls=false from ${setting}, and name the certificate of its authority with tlsCaFile`,
    };
  if (tls && secured !== null && !certificate.test(secured))
    return {
      ...{ problem: `it does not speak TLS (${secured})`, tried },
      advice: (setting) =>
        `turn TLS on at the server, or add tls=false to ${setting} if it runs insecurely on purpose and nobody else can listen in between`,
    };
  if (tls && secured !== null)
    return {
      ...{ problem: `its certificate is not trusted (${secured})`, tried },
      advice: (setting) =>
        `let tlsCaFile in ${setting} name a file with the certificate of the authority that has signed it, and have the host be one that the certificate names`,
    };
  if (typeOf(error) !== ErrorType.ACCESS_DENIED)
    return {
      ...{ problem: error instanceof StoreUnavailable ? error.reason : reasonOf(error), tried },
      advice: () =>
        'see whether the node is still starting, and whether the cluster has a leader (page /gossip of a node)',
    };
  if (await isKnown(url))
    return {
      ...{ problem: `the user ${credentials ? `"${credentials.username}" ` : ''}may not read $all`, tried },
      advice: () => 'make the user a member of the group $admins',
    };
  return {
    ...{ problem: credentials ? 'user or password are wrong' : 'it wants to know who we are', tried },
    advice: (setting) =>
      `have ${setting} begin with kurrentdb://user:password@, with characters such as @ : / ? # % in them percent-encoded; the user must be in the group $admins`,
  };
}

const certificate = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|SIGNATURE/;

/** The options of the client, by their names without case, hyphens and underscores. */
const optionOf = (rest: string, name: string): string | undefined => {
  for (const [, key = '', value] of rest.matchAll(/[?&]([^=&]+)=([^&]*)/g))
    if (key.toLowerCase().replace(/[-_]/g, '') === name) return decodeURIComponent(value ?? '');
  return undefined;
};

const caOf = (file: string | undefined): Buffer | undefined => (file ? readFileSync(file) : undefined);

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Null when there is somebody who takes a connection. */
function wayTo({ host, port }: Place): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const answer = (problem: string | null) => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(PATIENCE_MS, () => answer('no answer'));
    socket.on('connect', () => answer(null));
    socket.on('error', (error) => answer(outageOf(error)?.reason ?? error.message));
  });
}

/** Null when TLS was agreed upon, and the certificate is trusted if that is asked for; else what was wrong. */
function handshake({ host, port }: Place, ca: Buffer | undefined, verify: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, ca, rejectUnauthorized: verify, ALPNProtocols: ['h2'] });
    const answer = (problem: string | null) => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(PATIENCE_MS, () => answer('no answer'));
    socket.on('secureConnect', () => answer(null));
    socket.on('error', (error: NodeJS.ErrnoException) => answer(error.code ?? error.message));
  });
}

/** gRPC's code for a caller who has not proved who they are. */
const UNAUTHENTICATED = 16;

/** Whether the server knows the user and password. Only the other half of the client says why it was refused. */
async function isKnown(url: string): Promise<boolean> {
  const client = new KurrentClient(readConnection(url), PATIENCE_MS);
  try {
    await client.ask(
      (kurrent, call) =>
        new Promise((resolve, reject) => {
          const subscription = kurrent.subscribeToAll({ fromPosition: END, ...call });
          subscription.once('confirmation', resolve).on('error', reject);
        }),
    );
    return true;
  } catch (error) {
    return ((error as Error).cause as { code?: number } | undefined)?.code !== UNAUTHENTICATED;
  } finally {
    client.close();
  }
}
