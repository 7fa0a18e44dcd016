/** Bytes of an answer of the provider, which all of them keep far below. */
const MOST_BYTES = 256 * 1024;

interface ProviderRequest {
  // biome-ignore lint/suspicious/noExplicitAny: what the two libraries hand over differs in type only
  readonly body?: any;
  readonly headers?: Headers | Record<string, string>;
  readonly method?: string;
  readonly redirect?: 'manual';
  readonly signal?: AbortSignal;
}

/**
 * Asks the identity provider something. A fault of the provider, and an answer without end, are a TypeError, as a connection
 * that fails is: sign-on is then `unavailable` rather than refused.
 */
export async function providerFetch(address: string, request: ProviderRequest): Promise<Response> {
  const response = await fetch(address, request);
  if (response.status >= 500) throw new TypeError(`The identity provider answered ${response.status}.`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MOST_BYTES) throw new TypeError('The answer of the identity provider is too large.');
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  return new Response(size > 0 ? Buffer.concat(chunks) : null, { status, statusText, headers });
}
