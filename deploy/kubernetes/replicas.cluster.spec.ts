import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KubernetesObject } from '../helm/helm.testing.js';
import { Crowd } from './crowd.testing.js';
import { attempt, isReady, Namespace, run, until } from './kubectl.testing.js';
import { postgres } from './postgres.testing.js';

/** Three replicas on one PostgreSQL, and what operators and accidents do to them while people write to each other. */
const PEOPLE = Number(process.env.VERBATIM_TEST_PEOPLE ?? 200);
/** Milliseconds for which a client may be without a connection; longer when a node is lost, which nobody hears of. */
const ABSENCE = 3_000;
const ABSENCE_LOST_NODE = 10_000;
/** On a machine that has much else to do, the times are multiplied by this, and said to be. */
const SLOWNESS = Number(process.env.VERBATIM_TEST_SLOWNESS ?? 1);

const masterKey = randomBytes(32).toString('base64');
const selector = 'app.kubernetes.io/component=server';
const values = {
  image: { repository: 'localhost/verbatim', tag: 'current', pullPolicy: 'Never' },
  database: { type: 'external', url: { existingSecret: 'database' } },
  masterKey: { existingSecret: 'master-key' },
  settings: { rateLimits: false },
  // Nothing in the image may need a shell or another command of the system.
  extraVolumes: [{ name: 'no-commands', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'no-commands', mountPath: '/usr/bin' }],
};

let talk: Namespace;
let crowd: Crowd;
let database: string;
/** Where nothing ends any more. */
let lostNode: string | null = null;

beforeAll(async () => {
  talk = await Namespace.create('talk');
  database = await postgres(talk);
  await talk.apply(
    secret('database', { DATABASE_URL: 'postgres://verbatim@postgres:5432/postgres' }),
    secret('master-key', { MASTER_KEY: masterKey }),
  );
  await talk.install('chat', values);
  crowd = await Crowd.gather(await talk.addressOf('chat-verbatim'), PEOPLE);
  crowd.act();
  await crowd.recovered(60 * SLOWNESS);
});
afterAll(() => crowd?.disperse());

const secret = (name: string, stringData: object) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
});
const replicas = () => talk.pods(selector);
const imagesOf = (pods: KubernetesObject[]) => new Set(pods.map(({ spec }) => spec.containers[0].image));
/** The oldest have the most clients: nobody moves to a new replica without need. */
const oldestFirst = (pods: KubernetesObject[]) =>
  pods.toSorted((a, b) => startOf(a).localeCompare(startOf(b))).map(({ metadata }) => metadata.name);
const startOf = ({ status }: KubernetesObject): string => status.startTime;
const namesOf = (pods: KubernetesObject[]) => pods.map(({ metadata }) => metadata.name).sort();

async function ready(count: number, seconds = 120): Promise<KubernetesObject[]> {
  let pods: KubernetesObject[] = [];
  await until(async () => {
    pods = await replicas();
    return pods.length === count && pods.every(isReady);
  }, seconds);
  return pods;
}

/** Waits until replicas that were told to end have ended. */
async function nobodyEnds(): Promise<void> {
  await until(async () => {
    const { items } = await talk.get<{ items: KubernetesObject[] }>('pods', '--selector', selector);
    return items.every(({ metadata, spec }) => !('deletionTimestamp' in metadata) || spec.nodeName === lostNode);
  });
}

/** What people may see while something is done to the service: no more than that they connect again. */
async function isHardlyNoticed(name: string, what: () => Promise<unknown>, absence = ABSENCE): Promise<void> {
  crowd.watch();
  const began = Date.now();
  const failure = await what()
    .then(() => nobodyEnds())
    .then(() => crowd.recovered(30 * SLOWNESS))
    .then(
      () => null,
      (error: unknown) => error,
    );
  const took = Date.now() - began;
  const seen = crowd.experience;
  console.log(`${name}: ${JSON.stringify({ seconds: Math.round(took / 100) / 10, people: PEOPLE, ...seen })}`);
  for (const [what, longest] of [
    ['away', seen.longestAbsence],
    ['without news', seen.longestSilence],
  ] as const)
    if (longest > absence)
      console.log(`${name}: a client was ${what} for ${longest} ms, and ${absence} are the target.`);
  expect(failure).toBeNull();
  expect(seen.serverErrors).toEqual([]);
  expect(seen.acknowledged).toBeGreaterThan(0);
  expect(seen.longestAbsence).toBeLessThanOrEqual(absence * SLOWNESS);
  expect(seen.longestSilence).toBeLessThanOrEqual(absence * SLOWNESS);
  expect(crowd.troubles).toEqual([]);
}

describe('three replicas', () => {
  it('are ready, and spread over both nodes', async () => {
    const pods = await ready(3);
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(2);
  });

  it('serve people who do nothing unusual', () => isHardlyNoticed('nothing', () => sleep(10_000)));

  it('are upgraded to the next version', async () => {
    await isHardlyNoticed('upgrade', () =>
      talk.install('chat', { ...values, image: { ...values.image, tag: 'next' } }),
    );
    expect(imagesOf(await ready(3))).toEqual(new Set(['localhost/verbatim:next']));
  });

  it('go back to the version before', async () => {
    await isHardlyNoticed('rollback', () => talk.helm('rollback', 'chat', '--wait', '--timeout', '300s'));
    expect(imagesOf(await ready(3))).toEqual(new Set(['localhost/verbatim:current']));
  });

  it('stay as they are when the migrations before an upgrade fail, and can be upgraded afterwards', async () => {
    const before = namesOf(await ready(3));
    await isHardlyNoticed('failing migrations', async () => {
      const broken = {
        ...values,
        migrations: { args: ['-e', 'process.exit(1)'] },
        image: { ...values.image, tag: 'next' },
      };
      await expect(talk.install('chat', broken)).rejects.toThrow(/pre-upgrade hooks failed/);
    });
    expect(namesOf(await ready(3))).toEqual(before);
    await talk.install('chat', values);
    expect(namesOf(await ready(3))).toEqual(before);
  });

  it('are not evicted all at once', async () => {
    const [one, other] = oldestFirst(await ready(3));
    await isHardlyNoticed('eviction', async () => {
      expect((await evict(one)).code).toBe(0);
      expect((await evict(other)).text).toMatch(/disruption budget/);
      await ready(3);
    });
  });

  it('leave a node that is drained, one by one', async () => {
    await isHardlyNoticed('drain', async () => {
      await run('kubectl', 'drain', 'node2', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s');
      expect(new Set((await ready(3)).map(({ spec }) => spec.nodeName))).toEqual(new Set(['node1']));
    });
    await run('kubectl', 'uncordon', 'node2');
  });

  it('go on when one has no memory left, which comes back', async () => {
    const [victim] = oldestFirst(await ready(3));
    await isHardlyNoticed('out of memory', async () => {
      await attempt('kubectl', '-n', 'talk', 'exec', `${victim}`, '--', 'node', '-e', eatMemory);
      await until(async () => {
        const { status } = await talk.get('pod', `${victim}`);
        return status.containerStatuses[0].lastState.terminated?.reason === 'OOMKilled';
      });
      await ready(3);
    });
  });

  it('become more under load, and fewer after it', async () => {
    const quick = { scaleDown: { stabilizationWindowSeconds: 0 }, scaleUp: { stabilizationWindowSeconds: 0 } };
    const autoscaling = { enabled: true, minReplicas: 3, maxReplicas: 4, behavior: quick };
    await isHardlyNoticed('more replicas', async () => {
      await talk.install('chat', { ...values, autoscaling: { ...autoscaling, targetCPUUtilizationPercentage: 1 } });
      await ready(4, 240);
    });
    await isHardlyNoticed('fewer replicas', async () => {
      await talk.install('chat', { ...values, autoscaling: { ...autoscaling, targetCPUUtilizationPercentage: 1000 } });
      await ready(3, 240);
    });
    await talk.install('chat', values);
  });

  it('go on when a node is lost, and are three again elsewhere', async () => {
    // Everybody forgives a node for five minutes by default. Here it is less.
    const tolerations = ['unreachable', 'not-ready'].map((what) => ({
      key: `node.kubernetes.io/${what}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 5,
    }));
    await talk.install('chat', { ...values, tolerations });
    const pods = await ready(3);
    expect(pods.some(({ spec }) => spec.nodeName === 'node2')).toBe(true);
    await crowd.recovered(30 * SLOWNESS);
    await isHardlyNoticed(
      'lost node',
      async () => {
        await loseSecondNode();
        await until(async () => {
          const alive = (await replicas()).filter(({ spec }) => spec.nodeName === 'node1');
          return alive.length === 3 && alive.every(isReady);
        }, 240);
      },
      ABSENCE_LOST_NODE,
    );
  });

  it('have lost and repeated nothing that was acknowledged', async () => {
    await crowd.stop();
    const { findings, ...counts } = await crowd.verdict(database, masterKey);
    console.log(`messages: ${JSON.stringify(counts)}`);
    expect(findings).toEqual([]);
    expect(counts.refused).toBe(0);
  });
});

function evict(pod = ''): Promise<{ code: number; text: string }> {
  const eviction = JSON.stringify({
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod, namespace: 'talk' },
  });
  const path = `/api/v1/namespaces/talk/pods/${pod}/eviction`;
  return attempt('bash', '-c', `echo '${eviction}' | kubectl create --raw ${path} -f -`);
}

/** Many small programs beside the replica take all of the memory that it may have, so that the largest is ended: the replica. */
const eatMemory = `
  const code = 'const all = []; for (let i = 0; i < 6; i++) all.push(Buffer.alloc(1e7, 1)); setInterval(() => all, 1e6)';
  for (let i = 0; i < 30; i++) require('child_process').spawn(process.execPath, ['-e', code], { stdio: 'inherit' });
  setTimeout(() => process.exit(), 20_000);
`;

/** Its kubelet ends without a word, and nothing gets to it any more. */
async function loseSecondNode(): Promise<void> {
  lostNode = 'node2';
  const kubelet = await readFile(`${process.env.STATE}/run/kubelet2.pid`, 'utf8');
  process.kill(Number(kubelet), 'SIGKILL');
  await run('ip', 'link', 'set', 'node2', 'down');
}
