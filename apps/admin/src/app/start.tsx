'use client';

import dynamic from 'next/dynamic';

/** The dashboard lives in the browser alone: it is loaded there, once it is known who is signed in. */
export const Start = dynamic(
  async () => {
    const { begin } = await import('../dashboard');
    return begin();
  },
  { ssr: false, loading: () => <Waiting /> },
);

function Waiting() {
  return (
    <main className="waiting" aria-busy="true">
      <h1>Verbatim</h1>
      <noscript>
        <p>
          The dashboard needs JavaScript. Without it, see <a href="/health/ready">/health/ready</a> and{' '}
          <a href="/docs">/docs</a>.
        </p>
      </noscript>
    </main>
  );
}
