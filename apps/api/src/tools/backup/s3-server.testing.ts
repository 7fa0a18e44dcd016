import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** An S3 server that others wrote: github.com/versity/versitygw, which deploy/helm/tools.sh builds. */
const folders = [
  ...(process.env.PATH ?? '').split(delimiter),
  join(process.env.VERBATIM_TOOLS ?? join(homedir(), '.cache/verbatim-tools'), 'versitygw-1.8.0'),
];
const program = folders.map((folder) => join(folder, 'versitygw')).find((path) => existsSync(path));
export const s3Missing = program === undefined;
if (s3Missing) console.log('Skipped: backups into S3, which need versitygw. Run deploy/helm/tools.sh to have it.');

export interface S3Server {
  readonly port: number;
  /** The variables with which AWS's tools find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the objects of a bucket are files. */
  readonly files: string;
  stop(): Promise<void>;
}

/** Starts a server with the empty bucket `backups`. */
export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-s3-'));
  const [objects, attributes, port] = [join(folder, 'objects'), join(folder, 'attributes'), await freePort()];
  for (const each of [objects, attributes]) await mkdir(each);
  const address = `127.0.0.1:${port}`;
  const environment = {
    AWS_ACCESS_KEY_ID: 'backup',
    AWS_SECRET_ACCESS_KEY: 'secret of the backup',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: `http://${address}`,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const keys = ['--access', environment.AWS_ACCESS_KEY_ID, '--secret', environment.AWS_SECRET_ACCESS_KEY];
  const server = spawn(`${program}`, [...keys, '--port', address, 'posix', '--sidecar', attributes, objects], {
    stdio: 'ignore',
  });
  await createBucket(server, environment);
  return {
    ...{ port, environment, files: join(objects, 'backups') },
    async stop() {
      server.kill();
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createBucket(server: ChildProcess, environment: Readonly<Record<string, string>>): Promise<void> {
  const client = new S3Client({
    ...{ endpoint: environment.AWS_ENDPOINT_URL_S3 as string, forcePathStyle: true, region: 'us-east-1' },
    credentials: {
      accessKeyId: `${environment.AWS_ACCESS_KEY_ID}`,
      secretAccessKey: `${environment.AWS_SECRET_ACCESS_KEY}`,
    },
    maxAttempts: 1,
  });
  for (let attempt = 1; ; attempt++) {
    if (server.exitCode !== null) throw new Error(`versitygw ended with ${server.exitCode}.`);
    try {
      await client.send(new CreateBucketCommand({ Bucket: 'backups' }));
      return client.destroy();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
