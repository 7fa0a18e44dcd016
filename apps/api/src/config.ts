import { readFileSync } from 'node:fs';
import type { ServerRole } from '@verbatim/domain';
import { z } from 'zod';
import { isOrigin } from './host/origins.js';
import { readTrustedProxies } from './host/proxies.js';
import { limitSettings } from './limits/limit-settings.js';
import { auditLogSettings } from './storage/transparency/audit-log-settings.js';
import { masterKeySettings } from './storage/vault/master-key-settings.js';
import { telemetrySettings } from './telemetry/telemetry-settings.js';

/** An environment setting is invalid; the message names it. */
export class InvalidConfiguration extends Error {}

const blank = (value: unknown) => (value === '' ? undefined : value);
const port = z.coerce.number().int().min(0).max(65_535);
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a URL postgres://user:password@host:port/database');

const eventStoreUrl = z
  .string()
  .regex(
    /^(postgres(ql)?|kurrentdb(\+discover)?):\/\/\S+$/,
    'must be a URL postgres://user:password@host:port/database, kurrentdb://host:port or kurrentdb+discover://host:port',
  );

const environment = z.object({
  PORT: z.preprocess(blank, port.default(3000)),
  HOST: z.preprocess(blank, z.string().default('127.0.0.1')),
  DATABASE_URL: z.preprocess(blank, postgresUrl.optional()),
  DATABASE_DIRECT_URL: z.preprocess(blank, postgresUrl.optional()),
  DATABASE_READ_URL: z.preprocess(blank, postgresUrl.optional()),
  EVENT_STORE_URL: z.preprocess(
    blank,
    eventStoreUrl.optional().describe('the event store; absent: the same PostgreSQL as everything else'),
  ),
  POSTGRES_BIN: z.preprocess(
    blank,
    z.string().optional().describe('folder with the PostgreSQL 18 to run in place of the embedded one'),
  ),
  VERBATIM_DATA: z.preprocess(blank, z.string().default('./data')),
  ...masterKeySettings,
  ADMIN_USERNAME: z.preprocess(
    blank,
    z
      .string()
      .regex(/^[a-z0-9_.-]{3,32}$/i, 'must have 3 to 32 of the characters a-z 0-9 _ . -')
      .default('admin'),
  ),
  ADMIN_PASSWORD: z.preprocess(blank, z.string().min(10, 'must have at least 10 characters').optional()),
  REGISTRATION: z.preprocess(blank, z.enum(['open', 'invite', 'closed']).default('open')),
  ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform((list) => list.split(/[\s,]+/).filter((origin) => origin !== ''))
    .refine((list) => list.every(isOrigin), 'must be comma-separated origins such as https://chat.example.org'),
  TRUST_PROXY: z
    .string()
    .default('')
    .transform(readTrustedProxies)
    .refine((trusted) => trusted !== undefined, 'must be a number of proxies, or networks such as 10.0.0.0/8'),
  REQUIRE_MFA: z.preprocess(
    blank,
    z
      .string()
      .regex(
        /^(admin|auditor|user)(,(admin|auditor|user))*$/,
        'must be a comma-separated list of admin, auditor and user',
      )
      .transform((roles) => roles.split(',') as ServerRole[])
      .default([]),
  ),
  OIDC_ISSUER: z.preprocess(
    blank,
    z
      .url()
      .regex(/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/, 'must begin with https://')
      .optional(),
  ),
  OIDC_CLIENT_ID: z.preprocess(blank, z.string().optional()),
  OIDC_CLIENT_SECRET: z.preprocess(blank, z.string().optional()),
  OIDC_REDIRECT_URI: z.preprocess(
    blank,
    z
      .url()
      .regex(/\/v1\/auth\/sso\/callback$/, 'must end with /v1/auth/sso/callback')
      .optional(),
  ),
  OIDC_SCOPES: z.preprocess(
    blank,
    z
      .string()
      .regex(/(^| )openid( |$)/, 'must contain openid')
      .default('openid email profile'),
  ),
  OIDC_ROLE_CLAIM: z.preprocess(blank, z.string().optional()),
  OIDC_ADMIN_VALUE: z.preprocess(blank, z.string().optional()),
  OIDC_AUDITOR_VALUE: z.preprocess(blank, z.string().optional()),
  OIDC_LABEL: z.preprocess(blank, z.string().default('Single sign-on')),
  OIDC_RETURN_URL: z.preprocess(
    blank,
    z
      .string()
      .regex(/^(\/(?!\/)|https?:\/\/)[^#\s]*$/, 'must be a path or a URL without #')
      .default('/admin/'),
  ),
  /** Whether read models hold plain texts or only keyed hashes of their words. */
  READ_MODELS_TEXTS: z.preprocess(blank, z.enum(['plain', 'sealed']).default('plain')),
  RATE_LIMITS: z.preprocess(blank, z.enum(['on', 'off']).default('on')),
  /** Whether webhooks may go to private addresses and without TLS. */
  WEBHOOK_ALLOW_PRIVATE: z.preprocess(blank, z.enum(['on', 'off']).default('off')),
  ...limitSettings,
  ...auditLogSettings,
  ...telemetrySettings,
  LOG_LEVEL: z.preprocess(
    blank,
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ),
});

/** Single sign-on requires all of these. */
const together = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_REDIRECT_URI'] as const;

const complete = environment.superRefine((config, context) => {
  if (config.AUDIT_QUORUM > config.AUDIT_WITNESSES.length)
    context.addIssue({
      code: 'custom',
      path: ['AUDIT_QUORUM'],
      message: 'must not be above the number of witnesses in AUDIT_WITNESSES',
    });
  const missing = together.filter((name) => config[name] === undefined);
  if (missing.length === together.length) return;
  for (const name of missing)
    context.addIssue({
      code: 'custom',
      path: [name],
      message: `is required together with the others of ${together.join(', ')}`,
    });
});

export type Config = z.infer<typeof environment>;

/** A part of the service with its own settings. */
export interface WithSettings {
  readonly settings?: Readonly<Record<string, z.ZodType>>;
}

/**
 * Parses the settings, once at the start: those of the service and of its `parts`. Throws InvalidConfiguration naming
 * each invalid setting, but never its value.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  parts: readonly WithSettings[] = [],
): Config {
  const own = z.object(Object.assign({}, ...parts.map(({ settings }) => settings)));
  const read = complete.and(own).safeParse(env);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new InvalidConfiguration(`The environment is invalid: ${wrong.join('; ')}.`);
}

/** The names of all settings: those of the service and of its `parts`. */
export const settingNames = (parts: readonly WithSettings[]): string[] => [
  ...Object.keys(environment.shape),
  ...parts.flatMap(({ settings = {} }) => Object.keys(settings)),
];

/** What the service says about itself. */
export const about = { name: 'Verbatim', version: packageVersion(), protocol: 1 } as const;

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
