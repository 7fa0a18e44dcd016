import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../apps/api/src/tests/harness/test-client.testing.js';
import { isReady, Namespace, until } from './kubectl.testing.js';

/** The chart as it is, with one pod and the embedded database. */
const image = { repository: 'localhost/verbatim', tag: 'current', pullPolicy: 'Never' };
const administrator = { username: 'admin', password: 'correct horse battery' };
const values = {
  image,
  administrator: { username: administrator.username, password: { value: administrator.password } },
  database: { volume: { storageClass: 'local' } },
};

const selector = 'app.kubernetes.io/component=all-in-one';

let talk: Namespace;
const address = () => talk.addressOf('chat-verbatim');

beforeAll(async () => {
  talk = await Namespace.create('trial');
  await makeVolume('trial');
  await talk.install('chat', values);
});

// The next file needs the room on the nodes.
afterAll(() => talk?.helm('uninstall', 'chat', '--wait', '--timeout', '120s'));

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

/** What a program in another pod gets from the Service, at the latest at its fifth try: policies know a new pod after a moment only. */
async function visit(name: string, labels: object): Promise<string> {
  const url = `${await address()}/v1/about`;
  const code = `
    let said = 'nobody answered';
    for (let tries = 0; tries < 5 && said === 'nobody answered'; tries++)
      said = await fetch('${url}', { signal: AbortSignal.timeout(3_000) }).then(({ status }) => status, () => said);
    console.log(said);
  `;
  return (await talk.program(name, labels, code)).trim();
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

  it('is healthy by its own check, and ends well on SIGTERM as the first process', async () => {
    const inPod = (...command: string[]) => talk.kubectl('exec', 'chat-verbatim-0', '--', ...command);
    await inPod('node', '/app/healthcheck.js');
    await inPod('node', '-e', 'process.kill(1, "SIGTERM")');
    const lastEnd = async () =>
      (await talk.get('pod', 'chat-verbatim-0')).status.containerStatuses[0].lastState.terminated;
    await until(async () => (await lastEnd()) !== undefined);
    expect(await lastEnd()).toMatchObject({ exitCode: 0, reason: 'Completed' });
    await until(async () => (await talk.pods(selector)).some(isReady));
  });

  it('cannot write to its root, nor become root', async () => {
    const code = `
      const { readFileSync, writeFileSync } = require('fs');
      try { writeFileSync('/app/x', ''); } catch (error) { console.log(error.code); }
      console.log(readFileSync('/proc/1/status', 'utf8').match(/^(CapEff|NoNewPrivs|Seccomp):.*$/gm).sort().join(' '));
    `;
    const said = await talk.kubectl('exec', 'chat-verbatim-0', '--', 'node', '-e', code);
    expect(said.replaceAll('\t', ' ')).toMatch(/^EROFS\nCapEff: 0+ NoNewPrivs: 1 Seccomp: 2\n$/);
  });

  it('is reached by whom its NetworkPolicy names, and by nobody else', async () => {
    const from = [{ podSelector: { matchLabels: { may: 'enter' } } }];
    await talk.install('chat', { ...values, networkPolicy: { from } });
    await until(async () => (await visit('stranger', {})) === 'nobody answered');
    expect(await visit('guest', { may: 'enter' })).toBe('200');
    expect(await visit('stranger', {})).toBe('nobody answered');
    await talk.install('chat', values);
    await until(async () => (await visit('stranger', {})) === '200');
  });

  it('ends by itself when its pod is deleted, and the next pod has everything', async () => {
    await talk.kubectl('delete', 'pod', 'chat-verbatim-0', '--timeout=60s');
    await until(async () => (await talk.pods(selector)).some(isReady));
    expect(await texts(room)).toEqual(['from the first pod']);
  });

  it('keeps its volume when it is uninstalled, and finds it when it is installed again', async () => {
    await talk.helm('uninstall', 'chat', '--wait', '--timeout', '120s');
    const claim = await talk.get('persistentvolumeclaim', 'chat-verbatim-data');
    expect(claim.status.phase).toBe('Bound');
    await talk.install('chat', values);
    expect(await texts(room)).toEqual(['from the first pod']);
  });
});
