import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { settingNames } from '../../apps/api/src/config.js';
import { doors } from '../../apps/api/src/doors/doors.js';
import { units } from '../../apps/api/src/units/units.js';
import { doorPorts } from '../door-ports.testing.js';
import {
  chart,
  helm,
  type KubernetesObject,
  kubeconform,
  objects,
  refusal,
  runHelm,
  schemas,
  template,
  valuesFiles,
} from './helm.testing.js';

const everyWay = Object.entries(valuesFiles);
const masterKey = ['--set', 'masterKey.existingSecret=master-key'];
const external = [...masterKey, '--set', 'database.type=external', '--set', 'database.url.existingSecret=database'];

describe.skipIf(!helm).each(everyWay)('the chart with the values %s', (name, values) => {
  it('passes helm lint', async () => {
    expect(await runHelm('lint', '--strict', chart, '--values', values, '--kube-version', '1.34.0')).toContain(
      '0 chart(s) failed',
    );
  });

  it('renders what it rendered before, each time', async () => {
    const rendered = await template('--values', values);
    expect(await template('--values', values)).toBe(rendered);
    const withoutFiles = rendered.replace(/( {2}verbatim\.json: \|\n)(?: {4}.*\n| *\n)+/, '$1    ...\n');
    await expect(withoutFiles).toMatchFileSnapshot(`./snapshots/${name}.yaml`);
  });

  it('has pods that Pod Security "restricted" lets in', async () => {
    const pods = (await objects('--values', values)).flatMap(podsOf);
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(pod.securityContext.runAsUser).not.toBe(0);
      for (const container of pod.containers)
        expect(container).toMatchObject({
          resources: { requests: expect.anything(), limits: { memory: expect.anything() } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        });
    }
  });

  it('sets no variable that the service does not know, and none twice', async () => {
    const known = new Set([...settingNames([...units, ...doors]), ...doorPorts, 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']);
    const containers = (await objects('--values', values)).flatMap(podsOf).flatMap(({ containers }) => containers);
    const set = containers
      .filter(({ name }) => name === 'verbatim')
      .flatMap(({ env }) => env.map((variable: { name: string }) => variable.name));
    expect(new Set(set).size).toBe(set.length);
    expect(set.filter((variable: string) => !known.has(variable))).toEqual([]);
  });

  it('gives the master key to nobody who makes a backup', async () => {
    for (const object of await objects('--values', values))
      if (object.kind === 'CronJob') expect(JSON.stringify(object)).not.toContain('MASTER_KEY');
  });

  it('keeps what cannot be made again', async () => {
    for (const { kind, metadata } of await objects('--values', values))
      if (/^(PersistentVolumeClaim|Cluster)$/.test(kind))
        expect(metadata.annotations).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
  });

  it.skipIf(!kubeconform)('is valid for Kubernetes', async () => {
    expect(await conforms(await template('--values', values))).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
  });
});

describe.skipIf(!kubeconform)('the check of validity', () => {
  it('refuses a field that does not exist', async () => {
    const rendered = await template();
    await expect(conforms(rendered.replace('serviceAccountName:', 'serviceAcountName:'))).rejects.toThrow();
  });
});

describe.skipIf(!helm)('what Kubernetes does not allow to change', () => {
  it('is as it was in the first version', async () => {
    const found: Record<string, unknown> = {};
    for (const [name, values] of everyWay)
      found[name] = (await objects('--values', values)).filter(isPinned).map(pinnedPartsOf);
    await expect(`${JSON.stringify(found, null, 2)}\n`).toMatchFileSnapshot('./snapshots/immutable.golden');
  });

  it('has no claims within StatefulSets, which could never grow', async () => {
    for (const [, values] of everyWay)
      for (const { kind, spec } of await objects('--values', values))
        if (kind === 'StatefulSet') expect(spec.volumeClaimTemplates).toBeUndefined();
  });
});

describe.skipIf(!helm)('the chart refuses', () => {
  it.each([
    ['replicas without a master key', ['--set', 'database.type=external'], 'Set masterKey.existingSecret'],
    ['no address of the database', [...masterKey, '--set', 'database.type=external'], 'database.url.existingSecret'],
    ['an address it would not use', ['--set', 'database.url.existingSecret=x'], 'Set database.type=external'],
    ['no address of the event store', ['--set', 'eventStore.type=external'], 'Set eventStore.url.existingSecret'],
    ['a secret given twice', ['--set', 'masterKey.value=x,masterKey.existingSecret=y'], 'not both'],
    ['a master key of the wrong length', ['--set', 'masterKey.value=c2hvcnQ='], '32 bytes in base64'],
    ['many pods on an embedded database', ['--set', 'autoscaling.enabled=true'], 'a database that replicas share'],
    ['a backup of an embedded database', ['--set', 'backup.enabled=true'], 'that other pods can reach'],
    ['a backup that is for nobody', [...external, '--set', 'backup.enabled=true'], 'Set backup.recipients'],
    [
      'half of the credentials of S3',
      [
        ...external,
        '--set',
        'backup.enabled=true,backup.plain=true,backup.s3.url=s3://b-b,backup.s3.accessKeyId.existingSecret=s',
      ],
      'Set both of backup.s3',
    ],
    [
      'an S3 server without a bucket',
      [...external, '--set', 'backup.enabled=true,backup.plain=true,backup.s3.endpoint=https://s3.example.org'],
      'Set backup.s3.url',
    ],
    ['a place that is not in S3', ['--set', 'backup.s3.url=/backups'], 'does not match pattern'],
    ['half of single sign-on', ['--set', 'oidc.issuer=https://id.example.org'], 'oidc.clientId'],
    ['an Ingress without a host', ['--set', 'ingress.enabled=true'], 'Set ingress.hostnames'],
    ['a route without a Gateway', ['--set', 'httpRoute.enabled=true'], 'Set httpRoute.parentRefs'],
    ['metrics on the port of everything else', ['--set', 'settings.metricsPort=3000'], 'must be another port'],
    ['two doors on one port', ['--set', 'doors.mqtt.enabled=true,doors.mqtt.port=3000'], 'share port 3000'],
    ['host names of MQTT over TCP', ['--set', 'doors.mqtt.hostnames={a.example.org}'], 'MQTT over TCP is not HTTP'],
    ['an unknown value', ['--set', 'replica=2'], "'replica' not allowed"],
    ['a digest that is none', ['--set', 'image.digest=latest'], 'does not match pattern'],
    ['a memory limit it cannot read', ['--set', 'resources.limits.memory=1e9'], 'must end with Mi, Gi, M or G'],
    ['a renamed value', ['--set', 'replicaCount=2'], 'The value replicaCount is called replicas.'],
  ])('%s', async (_what, values, sentence) => {
    expect(await refusal(...values)).toContain(sentence);
  });

  it('every value that it lists as renamed', async () => {
    const schema = JSON.parse(await readFile(`${chart}/values.schema.json`, 'utf8'));
    const properties = Object.entries<{ deprecated?: boolean }>(schema.properties);
    const renamed = properties.filter(([, { deprecated }]) => deprecated).map(([name]) => name);
    expect(renamed).not.toEqual([]);
    for (const name of renamed) expect(await refusal('--set', `${name}=1`)).toContain(`The value ${name} is called`);
  });
});

describe.skipIf(!helm)('the memory of a replica', () => {
  it.each([
    ['1Gi', 512],
    ['1.5Gi', 768],
    ['768Mi', 384],
    ['2G', 953],
    ['1000M', 476],
  ])('of %s has a heap of %d MiB', async (limit, mebibytes) => {
    const [deployment] = (await objects(...external, '--set', `resources.limits.memory=${limit}`)).filter(
      ({ kind }) => kind === 'Deployment',
    );
    const env: { name: string; value: string }[] = deployment?.spec.template.spec.containers[0].env;
    const options = env.find(({ name }) => name === 'NODE_OPTIONS')?.value;
    expect(options).toBe(`--max-semi-space-size=32 --max-old-space-size=${mebibytes}`);
  });
});

describe.skipIf(!helm)('a digest', () => {
  it('pins every image, ours or not', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const all = [...external, '--set', 'eventStore.type=kurrentdb'];
    const rendered = await objects(
      ...[...all, '--set', `image.digest=${digest}`, '--set', `eventStore.kurrentdb.image.digest=${digest}`],
    );
    const images = rendered.flatMap(podsOf).flatMap(({ containers }) => containers.map(({ image }) => image));
    expect(images).toHaveLength(4);
    for (const image of images) expect(image).toMatch(new RegExp(`^[a-z./-]+@${digest}$`));
  });
});

interface Pod {
  readonly containers: Container[];
  readonly securityContext: { readonly runAsUser?: number };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env: { readonly name: string }[];
}

function podsOf({ kind, spec }: KubernetesObject): Pod[] {
  if (kind === 'Pod') return [spec];
  if (kind === 'CronJob') return [spec.jobTemplate.spec.template.spec];
  return /^(Deployment|StatefulSet|Job)$/.test(kind) ? [spec.template.spec] : [];
}

const isPinned = ({ kind }: KubernetesObject) =>
  /^(Deployment|StatefulSet|Service|PersistentVolumeClaim|Cluster|Secret)$/.test(kind);

/** Names by which data and Secrets are found, and fields that cannot be changed in place. */
function pinnedPartsOf({ kind, metadata, spec = {} }: KubernetesObject): unknown {
  const workload = /^(Deployment|StatefulSet)$/.test(kind);
  return {
    kind,
    name: metadata.name,
    ...(workload && { selector: spec.selector, serviceName: spec.serviceName, volumes: claimsOf(spec) }),
    ...(kind === 'PersistentVolumeClaim' && { accessModes: spec.accessModes }),
    ...(kind === 'Cluster' && { bootstrap: spec.bootstrap }),
  };
}

function claimsOf(spec: KubernetesObject['spec']): string[] {
  const volumes: { persistentVolumeClaim?: { claimName: string } }[] = spec.template.spec.volumes;
  return volumes.flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : []));
}

/** The summary of kubeconform; rejects if anything is not valid. */
async function conforms(manifests: string): Promise<string> {
  const location = `${schemas}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
  const args = ['-strict', '-summary', '-schema-location', location, '-'];
  const checking = promisify(execFile)(kubeconform ?? 'kubeconform', args);
  checking.child.stdin?.end(manifests);
  return (await checking).stdout;
}
