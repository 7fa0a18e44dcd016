import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const run = promisify(execFile);
const tools = process.env.VERBATIM_TOOLS ?? join(homedir(), '.cache/verbatim-tools');

export const chart = fileURLToPath(new URL('./verbatim', import.meta.url));
/** Schemas of Kubernetes and of the operators that the chart has objects for. */
export const schemas = join(tools, 'schemas-1.34.4');

/** What the tests look at in an object of Kubernetes. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: its shape depends on the kind
  readonly [field: string]: any;
}

/** Files of values, one for each way to install the chart, by name. */
export const valuesFiles = Object.fromEntries(
  readdirSync(join(chart, 'ci')).map((file) => [basename(file, '-values.yaml'), join(chart, 'ci', file)]),
);

export const helm = findTool('helm', 'helm-3.19.5');
export const kubeconform = existsSync(schemas) ? findTool('kubeconform', 'kubeconform-0.7.0') : undefined;
export const promtool = findTool('promtool', 'prometheus', 'Install Prometheus to have it.');

/** Runs helm; rejects with what it printed to standard error. */
export async function runHelm(...args: string[]): Promise<string> {
  return (await run(helm ?? 'helm', args, { maxBuffer: 2 ** 26 })).stdout;
}

/** The text of everything that a release `chat` in the namespace `talk` consists of. */
export function template(...args: string[]): Promise<string> {
  return runHelm('template', 'chat', chart, '--namespace', 'talk', '--kube-version', '1.34.0', ...args);
}

/** The same as objects. */
export async function objects(...args: string[]): Promise<KubernetesObject[]> {
  const documents = parseAllDocuments(await template(...args));
  return documents.map((document) => document.toJS() as KubernetesObject | null).filter((object) => object !== null);
}

/** Why the chart refuses to be rendered with these values. */
export async function refusal(...args: string[]): Promise<string> {
  return template(...args).then(
    () => 'It was rendered.',
    (error: { stderr: string }) => error.stderr,
  );
}

function findTool(name: string, folder: string, hint = 'Run deploy/helm/tools.sh to have it.'): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), join(tools, folder)];
  const found = folders.map((each) => join(each, name)).find((path) => existsSync(path));
  if (!found) console.log(`Skipped: tests of the chart that need ${name}. ${hint}`);
  return found;
}
