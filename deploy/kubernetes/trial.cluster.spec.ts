import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../apps/api/src/tests/harness/test-client.testing.js';
import { isReady, Namespace, run, until } from './kubectl.testing.js';

/** The chart as it is, with one pod and the embedded database. */
const image = { repository: 'localhost/verbatim', tag: 'current', pullPolicy: 'Never' };
const administrator = { username: 'admin', password: 'correct horse battery' };
const values = {
  image,
  administrator: { username: administrator.username, password: { value: administrator.password } },
  database: { volume: { storageClass: 'local' } },
};

let talk: Namespace;
const address = () => talk.addressOf('chat-verbatim');

beforeAll(async () => {
  talk = await Namespace.create('trial');
  await makeVolume('trial');
  await talk.install('chat', values);
});

/** A volume on the first node, which belongs to root until the kubelet makes it the group's. */
async function makeVolume(name: string): Promise<void> {
  const path = join(`${process.env.STATE}`, 'volumes', name);
  await mkdir(path, { recursive: true, mode: 0o755 });
  await talk.apply(
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'local',
        local: { path },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node1'] }] },
            ],
          },
        },
      },
    },
  );
}

async function texts(room: string): Promise<string[]> {
  const person = await signIn(await address(), administrator);
  return (await person.all(`/v1/rooms/${room}/messages`)).map(({ text }) => `${text}`).reverse();
}

describe('the chart with an embedded database', () => {
  let room: string;

  it('lets the administrator in, and keeps what is said', async () => {
    const person = await signIn(await address(), administrator);
    room = await person.room();
    await person.says(room, 'from the first pod');
    expect(await texts(room)).toEqual(['from the first pod']);
  });

  it('passes helm test', async () => {
    expect(await talk.helm('test', 'chat', '--timeout', '120s')).toContain('Succeeded');
  });

  it('ends by itself when its pod is deleted, and the next pod has everything', async () => {
    await talk.kubectl('delete', 'pod', 'chat-verbatim-0', '--timeout=60s');
    await until(async () => (await talk.pods('app.kubernetes.io/component=all-in-one')).some(isReady));
    expect(await texts(room)).toEqual(['from the first pod']);
  });

  it('keeps its volume when it is uninstalled, and finds it when it is installed again', async () => {
    await talk.helm('uninstall', 'chat', '--wait', '--timeout', '120s');
    const claim = await talk.get('persistentvolumeclaim', 'chat-verbatim-data');
    expect(claim.status.phase).toBe('Bound');
    await talk.install('chat', values);
    expect(await texts(room)).toEqual(['from the first pod']);
    await talk.helm('uninstall', 'chat', '--wait', '--timeout', '120s');
    await run('kubectl', 'delete', 'namespace', 'trial', '--timeout=120s');
  });
});
