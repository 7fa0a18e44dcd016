import { execFile, spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { chart, type KubernetesObject } from '../helm/helm.testing.js';

/** What a command said in the end, on both channels. */
interface Ended {
  readonly code: number;
  readonly text: string;
}

const environment = { ...process.env, KUBECONFIG: `${process.env.STATE}/admin.kubeconfig` };

/** Runs a command and takes what it prints to standard output; rejects with everything that it printed if it fails. */
export async function run(command: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env: environment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`)) : resolve(stdout),
    );
  });
}

/** Runs a command that may fail. */
export async function attempt(command: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { env: environment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
    );
  });
}

/** A namespace with Pod Security "restricted", and the releases of the chart in it. */
export class Namespace {
  private constructor(readonly name: string) {}

  static async create(name: string): Promise<Namespace> {
    await run('kubectl', 'create', 'namespace', name);
    await run('kubectl', 'label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted');
    const namespace = new Namespace(name);
    await until(async () => (await attempt('kubectl', '-n', name, 'get', 'serviceaccount', 'default')).code === 0);
    return namespace;
  }

  kubectl(...args: string[]): Promise<string> {
    return run('kubectl', '--namespace', this.name, ...args);
  }

  async apply(...objects: object[]): Promise<void> {
    await apply(this.name, objects.map((object) => stringify(object)).join('---\n'));
  }

  async get<T = KubernetesObject>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', '--output', 'json', ...args)) as T;
  }

  helm(action: string, release: string, ...args: string[]): Promise<string> {
    return run('helm', action, release, '--namespace', this.name, ...args);
  }

  /** Installs or upgrades the chart and waits until it is ready. */
  async install(release: string, values: object, ...args: string[]): Promise<string> {
    const file = join(await mkdtemp(join(tmpdir(), 'verbatim-values-')), 'values.yaml');
    await writeFile(file, stringify(values));
    return this.helm('upgrade', release, '--install', chart, '--values', file, '--wait', '--timeout', '300s', ...args);
  }

  /** Pods with this label that were not told to end. */
  async pods(selector: string): Promise<KubernetesObject[]> {
    const { items } = await this.get<{ items: KubernetesObject[] }>('pods', '--selector', selector);
    return items.filter(({ metadata }) => !('deletionTimestamp' in metadata));
  }

  /** Has a program run in a pod with these labels, and answers what it printed. */
  async program(name: string, labels: object, code: string): Promise<string> {
    const container = {
      name: 'program',
      image: 'localhost/verbatim:current',
      imagePullPolicy: 'Never',
      args: ['--input-type=module', '-e', code],
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    };
    const spec = {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container],
    };
    await this.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec });
    await until(async () => /Succeeded|Failed/.test((await this.get('pod', name)).status.phase));
    const printed = await this.kubectl('logs', name);
    await this.kubectl('delete', 'pod', name);
    return printed;
  }

  /** The address of a Service within the cluster. */
  async addressOf(service: string): Promise<string> {
    const { spec } = await this.get('service', service);
    return `http://${spec.clusterIP}:${spec.ports[0].port}`;
  }
}

/** Applies YAML in a namespace; with `--dry-run=server` among the options it is only checked. */
export async function apply(namespace: string, yaml: string, ...options: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', ['--namespace', namespace, 'apply', ...options, '--filename', '-'], {
      env: environment,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        text += data;
      });
    child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(text))));
    child.stdin.end(yaml);
  });
}

export const isReady = ({ status }: KubernetesObject): boolean =>
  (status.conditions ?? []).some(
    ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True',
  );

/** Waits for a condition; fails after so many seconds. */
export async function until(condition: () => Promise<boolean>, seconds = 120): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`It did not come to be in ${seconds} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
