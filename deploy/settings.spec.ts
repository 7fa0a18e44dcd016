import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../apps/api/src/commands.js';
import { settingNames } from '../apps/api/src/config.js';
import { doors } from '../apps/api/src/doors/doors.js';
import { units } from '../apps/api/src/units/units.js';
import { doorPorts } from './door-ports.testing.js';

// Everything in this folder that names a setting or a command of the service names one that it has.

const read = (file: string) => readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8');
const templates = ['_pod.tpl', 'migrations.yaml', 'backup.yaml']
  .map((file) => read(`helm/verbatim/templates/${file}`))
  .join('\n');
const values = parse(read('helm/verbatim/values.yaml'));
const compose = parse(read('compose/compose.yaml'));
const unit = read('systemd/verbatim.service');
const containerfile = read('image/Containerfile');
const documents = ['install.md', 'runbook.md', 'operations.md'].map((name) => read(`../docs/${name}`));

/** The setting of the port of a door, as the chart names it: `mqttWs` has `MQTT_WS_PORT`. */
const portOf = (door: string) => `${door.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_PORT`;
/** Read by Node itself. */
const ofNode = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'PATH'];
/** Read by the client of S3 when a backup is there. */
const ofS3 = ['AWS_REGION', 'AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
const known = new Set([...settingNames([...units, ...doors]), ...doorPorts, ...ofNode, ...ofS3]);
const unknown = (names: Iterable<string>) => [...new Set(names)].filter((name) => !known.has(name));

const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => `${name}`);

describe('the settings', () => {
  it('of the chart are those of the service', () => {
    const named = found(templates, /^ *- name: ([A-Z][A-Z_]+)$/gm);
    const secret = found(templates, /"verbatim\.secretVariable" \(list \S+ "([A-Z_]+)"/g);
    const oidc = found(templates, /"(OIDC_[A-Z_]+)"/g);
    expect(named).toContain('DATABASE_URL');
    expect(secret).toContain('MASTER_KEY');
    expect(unknown([...named, ...secret, ...oidc])).toEqual([]);
  });

  it('that the chart describes are those of the service', () => {
    const { properties } = JSON.parse(read('helm/verbatim/values.schema.json'));
    const described = Object.values<{ description: string }>({
      ...properties.settings.properties,
      ...properties.oidc.properties,
    }).flatMap(({ description }) => found(description, /`([A-Z]+(?:_[A-Z]+)*)`/g));
    expect(described).toContain('REGISTRATION');
    expect(unknown(described)).toEqual([]);
  });

  it('of doors have a port each that no other door has', () => {
    expect(Object.keys(values.doors).map(portOf)).toEqual(doorPorts);
    const ports = Object.values<{ port: number }>(values.doors).map(({ port }) => port);
    expect(new Set([...ports, values.settings.port, values.settings.metricsPort]).size).toBe(ports.length + 2);
  });

  it('of Compose, systemd and the image are those of the service', () => {
    const used = [
      ...Object.keys(compose.services.verbatim.environment),
      ...found(unit, /^Environment=([A-Z_]+)=/gm),
      ...found(containerfile.slice(containerfile.lastIndexOf('FROM')), /^(?:ENV|) +([A-Z_]+)=/gm),
    ];
    expect(used).toContain('VERBATIM_DATA');
    expect(unknown(used)).toEqual([]);
  });
});

describe('the commands', () => {
  const words = Object.keys(commands);
  const isCommand = (line: string) => line === '' || line.startsWith('-') || words.some((own) => line.startsWith(own));

  it('of the chart are those of the command line', () => {
    const [program, ...args] = values.migrations.args;
    expect(program).toBe('apps/api/dist/cli.js');
    expect(words).toContain(args.join(' '));
    const [, inTemplate] = /- apps\/api\/dist\/cli\.js\n +- ([a-z]+)\n/.exec(templates) ?? [];
    expect(words).toContain(inTemplate);
  });

  it('of documents are those of the command line', () => {
    const lines = [...documents, read('image/README.md')].flatMap((text) =>
      found(text, /(?:bin\/verbatim|npm run cli --|apps\/api\/dist\/cli\.js)(?: +([a-z][^`\n]*))?/g),
    );
    expect(lines).toContain('projections rebuild');
    expect(lines.filter((line) => line !== 'undefined' && !isCommand(line))).toEqual([]);
  });

  it('come in an order in which none hides another', () => {
    const hidden = words.filter((own, index) => words.slice(0, index).some((earlier) => own.startsWith(`${earlier} `)));
    expect(hidden).toEqual([]);
  });
});
