import { readFileSync } from 'node:fs';
import type { ServerRole } from '@verbatim/domain';
import { z } from 'zod';

/** A setting of the environment is wrong; the message names it. */
export class InvalidConfiguration extends Error {}

const blank = (value: unknown) => (value === '' ? undefined : value);
const port = z.coerce.number().int().min(0).max(65_535);
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a URL postgres://user:password@host:port/database');

const environment = z.object({
  PORT: z.preprocess(blank, port.default(3000)),
  HOST: z.preprocess(blank, z.string().default('127.0.0.1')),
  DATABASE_URL: z.preprocess(blank, postgresUrl.optional()),
  DATABASE_DIRECT_URL: z.preprocess(blank, postgresUrl.optional()),
  EVENT_STORE_URL: z.preprocess(
    blank,
    postgresUrl.optional().describe('the event store; absent: the same PostgreSQL as everything else'),
  ),
  VERBATIM_DATA: z.preprocess(blank, z.string().default('./data')),
  MASTER_KEY: z.preprocess(
    blank,
    z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64')
      .optional(),
  ),
  ADMIN_USERNAME: z.preprocess(
    blank,
    z
      .string()
      .regex(/^[a-z0-9_.-]{3,32}$/i, 'must have 3 to 32 of the characters a-z 0-9 _ . -')
      .default('admin'),
  ),
  ADMIN_PASSWORD: z.preprocess(blank, z.string().min(10, 'must have at least 10 characters').optional()),
  REGISTRATION: z.preprocess(blank, z.enum(['open', 'invite', 'closed']).default('open')),
  REQUIRE_MFA: z.preprocess(
    blank,
    z
      .string()
      .regex(/^(admin|auditor|user)(,(admin|auditor|user))*$/, 'must be some of admin, auditor and user, with commas')
      .transform((roles) => roles.split(',') as ServerRole[])
      .default([]),
  ),
  RATE_LIMITS: z.preprocess(blank, z.enum(['on', 'off']).default('on')),
  LOG_LEVEL: z.preprocess(
    blank,
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ),
});

export type Config = z.infer<typeof environment>;

/** Reads the settings once, at the start. Throws InvalidConfiguration naming each wrong one, never its value. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const read = environment.safeParse(env);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new InvalidConfiguration(`The environment is not right: ${wrong.join('; ')}.`);
}

/** What the service says of itself. */
export const about = { name: 'Verbatim', version: packageVersion(), protocol: 1 } as const;

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
