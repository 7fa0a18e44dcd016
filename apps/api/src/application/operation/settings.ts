import type { ServerRole } from '@verbatim/domain';
import { about, type Config } from '../../config.js';
import { limitSettings } from '../../limits/limit-settings.js';
import type { Rate } from '../../limits/rate.js';
import { KEEP_HOURS } from '../../storage/desk/idempotency.js';
import { REFRESH_DAYS, SESSION_DAYS } from '../../storage/vault/sessions.js';

/** What administrators and auditors see of the settings. */
export interface ShownSettings {
  readonly version: string;
  readonly registration: Config['REGISTRATION'];
  readonly singleSignOn: { label: string; issuer: string } | null;
  readonly secondFactorFor: ServerRole[];
  /** Null: limits are off. `seconds` null: a limit on concurrency. */
  readonly limits: { name: string; count: number; seconds: number | null }[] | null;
  readonly retention: { idempotencyHours: number; sessionDays: number; unusedSessionDays: number };
  readonly database: 'embedded' | 'external';
  readonly eventStore: 'postgresql' | 'kurrentdb';
  readonly allowedOrigins: string[];
  readonly trustsProxies: boolean;
  readonly privateWebhooks: boolean;
  readonly logLevel: string;
}

/** The settings as administrators and auditors see them. */
export class Settings {
  constructor(readonly shown: ShownSettings) {}

  /** Each visible setting is listed here, so that no secret is shown by mistake. */
  static of(config: Config): Settings {
    const { OIDC_ISSUER: issuer } = config;
    return new Settings({
      version: about.version,
      registration: config.REGISTRATION,
      singleSignOn: issuer === undefined ? null : { label: config.OIDC_LABEL, issuer },
      secondFactorFor: config.REQUIRE_MFA,
      limits: config.RATE_LIMITS === 'on' ? limitsOf(config) : null,
      retention: { idempotencyHours: KEEP_HOURS, sessionDays: SESSION_DAYS, unusedSessionDays: REFRESH_DAYS },
      database: config.DATABASE_URL === undefined ? 'embedded' : 'external',
      eventStore: /^kurrentdb/.test(config.EVENT_STORE_URL ?? '') ? 'kurrentdb' : 'postgresql',
      allowedOrigins: config.ALLOWED_ORIGINS,
      trustsProxies: Boolean(config.TRUST_PROXY),
      privateWebhooks: config.WEBHOOK_ALLOW_PRIVATE === 'on',
      logLevel: config.LOG_LEVEL,
    });
  }
}

const limitsOf = (config: Config): NonNullable<ShownSettings['limits']> =>
  Object.keys(limitSettings).map((name) => {
    const value: Rate | number = config[name as keyof typeof limitSettings];
    return typeof value === 'number' ? { name, count: value, seconds: null } : { name, ...value };
  });
