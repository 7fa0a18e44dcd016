'use client';

import { useEffect, useState } from 'react';
import { askService, type Service } from '../service';
import styles from './page.module.css';

const pause = 5_000;

const words = {
  asking: { title: 'Asking the service', detail: 'One moment.' },
  ready: { title: 'Ready', detail: 'Everything is up, and people can chat.' },
  'not ready': {
    title: 'Not ready',
    detail: 'The service answers but is still starting, or waits for its database. This page tells when that is over.',
  },
  'out of reach': {
    title: 'Out of reach',
    detail: 'The service does not answer. It may have been stopped, or the network in between is down.',
  },
};

/** Shows whether the service is ready and what it says of itself, and asks again every five seconds. */
export function ServiceFigures() {
  const service = useService();
  const state = service?.state ?? 'asking';
  const about = service?.about;
  return (
    <section className={styles.card} aria-labelledby="service">
      <h2 id="service" className={styles.heading}>
        The service
      </h2>
      <div role="status" className={styles.status} data-state={state}>
        <strong className={styles.state}>{words[state].title}</strong>
        <p className={styles.detail}>{words[state].detail}</p>
      </div>
      <dl className={styles.figures}>
        <Figure label="Name" value={about?.name} />
        <Figure label="Version" value={about?.version} />
        <Figure label="Protocol" value={about?.protocol} />
      </dl>
      <noscript>
        <p className={styles.detail}>
          The live figures need JavaScript. Without it, see <a href="/health/ready">/health/ready</a> and{' '}
          <a href="/v1/about">/v1/about</a>.
        </p>
      </noscript>
    </section>
  );
}

function Figure({ label, value }: { label: string; value: string | number | undefined }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value ?? 'not known'}</dd>
    </div>
  );
}

/** The latest answer of the service, undefined until the first one. */
function useService(): Service | undefined {
  const [service, setService] = useState<Service>();
  useEffect(() => {
    let shown = true;
    let next: ReturnType<typeof setTimeout>;
    const askAgain = async () => {
      const answer = await askService();
      if (!shown) return;
      setService(answer);
      next = setTimeout(askAgain, pause);
    };
    void askAgain();
    return () => {
      shown = false;
      clearTimeout(next);
    };
  }, []);
  return service;
}
