import styles from './page.module.css';
import { ServiceFigures } from './service-figures';

export default function Page() {
  return (
    <div className={styles.page}>
      <header>
        <h1 className={styles.name}>Verbatim</h1>
        <p className={styles.promise}>Chat that you can run yourself, audit and replay.</p>
      </header>
      <main className={styles.main}>
        <p>
          This will be the dashboard of those who run the service: the rooms and the people in them, and the record of
          everything that happened, to look into and to replay.
        </p>
        <ServiceFigures />
      </main>
      <footer className={styles.footer}>
        {/* The documentation lies outside the base path of the dashboard, so this is no link of Next. */}
        <a href="/docs">Documentation of the API</a>
      </footer>
    </div>
  );
}
