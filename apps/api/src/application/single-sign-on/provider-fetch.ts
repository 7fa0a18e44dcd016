/** Maximum size of a response of the provider. */
const MAX_RESPONSE_BYTES = 256 * 1024;

interface ProviderRequest {
  // biome-ignore lint/suspicious/noExplicitAny: the two libraries pass it with different types
  readonly body?: any;
  readonly headers?: Headers | Record<string, string>;
  readonly method?: string;
  readonly redirect?: 'manual';
  readonly signal?: AbortSignal;
}

/**
 * Sends a request to the identity provider. Server errors and oversized responses throw a TypeError, like failed
 * connections: sign-on is then `unavailable` rather than rejected.
 */
export async function providerFetch(address: string, request: ProviderRequest): Promise<Response> {
  const response = await fetch(address, request);
  if (response.status >= 500) throw new TypeError(`The identity provider answered ${response.status}.`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_RESPONSE_BYTES) throw new TypeError('The response of the identity provider is too large.');
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  return new Response(size > 0 ? Buffer.concat(chunks) : null, { status, statusText, headers });
}
