import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { UsageError } from '../command.js';
import { type BackupPlace, MissingFile, PlaceUnavailable } from './backup-place.js';

/** Bytes of a part; S3 takes 10,000 of them, so that a file may have 156 GiB. One is in memory at a time. */
const PART = 16 * 2 ** 20;
/** How often a request is sent, and how often a download that broke off goes on without having got any further; the client waits longer each time. */
const ATTEMPTS = 8;
/** Milliseconds that S3 may be silent. */
const SILENCE = 60_000;

/**
 * The place `s3://bucket/prefix`. Credentials, region and endpoint are those that AWS's tools use: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_PROFILE, and the role of the machine or pod. With an endpoint of its own the bucket is
 * part of the path, as servers other than Amazon's expect it.
 */
export async function openS3(url: string, { part = PART } = {}): Promise<BackupPlace> {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/+(.*?)\/*)?$/.exec(url) ?? [];
  if (!bucket || (prefix !== '' && prefix.split('/').some((part) => ['', '.', '..'].includes(part))))
    throw new UsageError(`${url} is no place in S3, such as s3://bucket/chat.`);
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL;
  if (endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint))
    throw new UsageError('AWS_ENDPOINT_URL_S3 must be a URL such as https://s3.example.org.');
  // It is about versions of the client to come, which is of no use to operators.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const client = new S3Client({
    ...(endpoint ? { endpoint, forcePathStyle: true, region: process.env.AWS_REGION || 'us-east-1' } : {}),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: SILENCE },
    // Servers other than Amazon's do not know every kind of checksum. The manifest has one of each file.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return new S3Place(url, client, {
    bucket,
    folder: prefix === '' ? '' : `${prefix}/`,
    server: endpoint ?? 'S3',
    part,
  });
}

interface Location {
  readonly bucket: string;
  /** What the keys of all files begin with: empty, or with `/` at its end. */
  readonly folder: string;
  /** For error messages. */
  readonly server: string;
  readonly part: number;
}

class S3Place implements BackupPlace {
  constructor(
    readonly name: string,
    private readonly client: S3Client,
    private readonly location: Location,
  ) {}

  /** A file of one part is put in one request. A longer one becomes an object when its last part is there. */
  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const file = this.file(path);
    const parts = partsOf(content, this.location.part);
    const first = await parts.next();
    const second = await parts.next();
    if (second.done) {
      const Body = first.done ? Buffer.alloc(0) : first.value;
      await this.answer(() => this.client.send(new PutObjectCommand({ ...file, Body })));
      return;
    }
    const { UploadId } = await this.answer(() => this.client.send(new CreateMultipartUploadCommand(file)));
    const upload = { ...file, UploadId };
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    const add = async (Body: Buffer) => {
      const PartNumber = Parts.length + 1;
      const send = () => this.client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
      Parts.push({ PartNumber, ETag: (await this.answer(send)).ETag });
    };
    try {
      if (!first.done) await add(first.value);
      await add(second.value);
      for await (const part of parts) await add(part);
      const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
      await this.answer(() => this.client.send(complete));
    } catch (error) {
      await this.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }

  /** A download that breaks off goes on where it was, on the same object. */
  async *read(path: string): AsyncGenerator<Buffer> {
    let [from, failures, tag, size] = [0, 0, undefined as string | undefined, Number.POSITIVE_INFINITY];
    while (from < size) {
      const rest = from === 0 ? {} : { Range: `bytes=${from}-`, IfMatch: tag };
      const got: GetObjectCommandOutput = await this.answer(() =>
        this.client.send(new GetObjectCommand({ ...this.file(path), ...rest })),
      );
      if (from === 0) [tag, size] = [got.ETag, got.ContentLength ?? 0];
      try {
        for await (const chunk of got.Body as AsyncIterable<Buffer>) {
          from += chunk.length;
          failures = 0;
          yield chunk;
        }
        if (from < size) throw new Error('the connection ended early');
      } catch (error) {
        if (++failures === ATTEMPTS) throw this.explained(error);
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** failures));
      }
    }
  }

  async folders(path: string): Promise<string[]> {
    const within = this.file(`${path}/`).Key;
    const names: string[] = [];
    for await (const { CommonPrefixes = [] } of this.list(within, '/'))
      names.push(...CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(within.length, -1)));
    return names;
  }

  async removeFolder(path: string): Promise<void> {
    for await (const { Contents = [] } of this.list(this.file(`${path}/`).Key)) {
      if (Contents.length === 0) continue;
      const Delete = { Objects: Contents.map(({ Key }) => ({ Key })), Quiet: true };
      const command = new DeleteObjectsCommand({ Bucket: this.location.bucket, Delete });
      const { Errors: [kept] = [] } = await this.answer(() => this.client.send(command));
      if (kept) throw new PlaceUnavailable(`${kept.Key} of an older backup cannot be deleted (${kept.Code}).`);
    }
  }

  /** Parts of an upload that was killed are stored, and paid for, until somebody aborts it. */
  async removeUnfinished(): Promise<void> {
    const { bucket: Bucket, folder: Prefix } = this.location;
    const command = new ListMultipartUploadsCommand({ Bucket, Prefix });
    // Not every server knows this call, and not everybody may make it: then a rule of the bucket has to remove them.
    const { Uploads = [] } = await this.client.send(command).catch(() => ({ Uploads: [] }));
    for (const { Key, UploadId } of Uploads)
      if (Key?.startsWith(Prefix))
        await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
  }

  private async *list(Prefix: string, Delimiter?: string) {
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: this.location.bucket, Prefix, Delimiter, ContinuationToken });
      const page = await this.answer(() => this.client.send(command));
      yield page;
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken);
  }

  private file(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.location.bucket, Key: `${this.location.folder}${path}` };
  }

  private async answer<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw this.explained(error);
    }
  }

  private explained(error: unknown): Error {
    const { name, message } = error as Error;
    if (name === 'NoSuchKey') return new MissingFile(message, { cause: error });
    return new PlaceUnavailable(this.sentenceFor(error), { cause: error });
  }

  private sentenceFor(error: unknown): string {
    const { bucket, server } = this.location;
    const { name, message, code = name } = error as Error & { code?: string };
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    const keys = 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    if (name === 'NoSuchBucket') return `There is no bucket ${bucket} at ${server}.`;
    if (name === 'CredentialsProviderError') return `Set ${keys} to credentials for the bucket ${bucket}.`;
    if (message === 'Region is missing') return `Set AWS_REGION to the region of the bucket ${bucket}.`;
    if (status === 401 || status === 403)
      return `${server} refuses the bucket ${bucket} to these credentials (${name}): check ${keys}, and what they may do.`;
    if (status === undefined) return `${server} cannot be reached, after ${ATTEMPTS} attempts (${code}).`;
    return `${server} answers ${status} for the bucket ${bucket} (${name}).`;
  }
}

/** The same bytes in pieces of one size; the last may be shorter. */
async function* partsOf(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer, undefined> {
  let [chunks, length]: [Uint8Array[], number] = [[], 0];
  for await (let chunk of content) {
    while (length + chunk.length >= size) {
      yield Buffer.concat([...chunks, chunk.subarray(0, size - length)]);
      chunk = chunk.subarray(size - length);
      [chunks, length] = [[], 0];
    }
    if (chunk.length === 0) continue;
    chunks.push(chunk);
    length += chunk.length;
  }
  if (length > 0) yield Buffer.concat(chunks);
}
