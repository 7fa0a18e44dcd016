import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const read = (file: string) => readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8');
const containerfile = read('image/Containerfile');
const compose = parse(read('compose/compose.yaml'));
const values = parse(read('helm/verbatim/values.yaml'));
const podTemplate = read('helm/verbatim/templates/_pod.tpl');
const unit = read('systemd/verbatim.service');
const { version } = JSON.parse(read('../package.json')) as { version: string };

describe('image, chart, Compose and systemd', () => {
  it('run the same version', () => {
    const { version: chart, appVersion } = parse(read('helm/verbatim/Chart.yaml'));
    expect([chart, appVersion]).toEqual([version, version]);
    expect(compose.services.verbatim.image).toBe(`\${VERBATIM_IMAGE:-verbatim:${version}}`);
  });

  it('run it as the same user, on the same folder and port', () => {
    const { runAsUser, fsGroup } = values.podSecurity;
    expect(containerfile).toContain(`USER ${runAsUser}:${fsGroup}`);
    expect(containerfile).toContain(`verbatim:x:${runAsUser}:${fsGroup}:`);
    expect(containerfile).toContain('VOLUME /var/lib/verbatim\n');
    expect(containerfile).toContain(`EXPOSE ${values.settings.port}\n`);
    expect(podTemplate).toContain('value: /var/lib/verbatim/data');
    expect(containerfile).toContain('VERBATIM_DATA=/var/lib/verbatim/data');
    expect(compose.services.verbatim.volumes).toEqual(['data:/var/lib/verbatim']);
  });

  it('wait for the 30 seconds that an ending may take', () => {
    expect(values.terminationGracePeriodSeconds - values.preStopSeconds).toBeGreaterThan(30);
    expect(Number.parseInt(compose.services.verbatim.stop_grace_period, 10)).toBeGreaterThan(30);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(30);
  });

  it('check health without a shell', () => {
    expect(containerfile).toContain('CMD ["node", "/app/healthcheck.js"]');
    expect(compose.services.verbatim.healthcheck.test).toEqual(['CMD', 'node', '/app/healthcheck.js']);
  });
});

describe('the backup by systemd', () => {
  const backup = read('systemd/verbatim-backup.service');

  it('runs as the service does, on its data, and without the master key', () => {
    for (const line of ['User', 'Group', 'WorkingDirectory', 'UMask', 'Environment'])
      expect(new RegExp(`^${line}=.*$`, 'm').exec(backup)?.[0]).toBe(new RegExp(`^${line}=.*$`, 'm').exec(unit)?.[0]);
    expect(backup).toContain('\nUnsetEnvironment=MASTER_KEY MASTER_KEY_BEFORE KMS_TOKEN KMS_TOKEN_FILE\n');
  });

  it('is encrypted, and started by its timer', () => {
    expect(backup).toMatch(/^ExecStart=\/opt\/verbatim\/bin\/verbatim backup \S+ --recipient \$\{BACKUP_RECIPIENT\}$/m);
    expect(read('systemd/verbatim-backup.timer')).toContain('\nUnit=verbatim-backup.service\n');
  });
});

describe('compose.yaml', () => {
  it('lets every image be replaced by one with a digest', () => {
    for (const { image } of Object.values<{ image: string }>(compose.services))
      expect(image).toMatch(/^\$\{[A-Z]+_IMAGE:-/);
  });

  it('opens nothing to other machines but the proxy with TLS', () => {
    for (const [name, { ports = [] }] of Object.entries<{ ports?: string[] }>(compose.services))
      if (name !== 'caddy') for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('has the service read-only and without capabilities', () => {
    expect(compose.services.verbatim).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });
});
