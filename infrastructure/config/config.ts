import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error.ts';
import { readDatabaseConfig, type DatabaseConfig } from './database-config.ts';
import { EnvironmentReader, type Environment } from './environment-reader.ts';
import { readTokenConfig, type TokenConfig } from './token-config.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The validated, frozen configuration. It holds secrets: never log it. */
export interface Config {
  readonly environment: 'development' | 'production' | 'test';
  readonly logLevel: LogLevel;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly readyStrict: boolean;
    /** The number of reverse proxies in front. The service trusts this many last entries of `X-Forwarded-For`. */
    readonly trustedProxies: number;
    /** Origins of pages that may call the API, or `*`. */
    readonly corsOrigins: readonly string[];
  };
  readonly database: DatabaseConfig;
  readonly tokens: TokenConfig;
  /** Failed logins allowed within 15 minutes. */
  readonly loginAttempts: { readonly perAccount: number; readonly perAddress: number };
  /** The start creates this user if the email is unknown. */
  readonly bootstrapAdministrator: { readonly email: string; readonly password: string } | null;
}

/**
 * Validates an environment. Pure.
 *
 * @throws {ConfigError} with all problems, one line each
 */
export const parseConfig = (environment: Environment): Config => {
  const reader = new EnvironmentReader(environment);
  const mode = reader.choice('NODE_ENV', ['development', 'production', 'test'], 'development');
  const config = {
    environment: mode,
    logLevel: reader.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    http: readHttp(reader),
    database: readDatabaseConfig(reader),
    tokens: readTokenConfig(reader, mode === 'production'),
    loginAttempts: {
      perAccount: reader.integer('LOGIN_ATTEMPTS_PER_ACCOUNT', 10, { min: 1, max: 1_000_000 }),
      perAddress: reader.integer('LOGIN_ATTEMPTS_PER_ADDRESS', 100, { min: 1, max: 1_000_000 }),
    },
    bootstrapAdministrator: readAdministrator(reader),
  };
  const { database } = config;
  if (database === null || reader.problems.length > 0) throw new ConfigError(reader.problems);
  return deepFreeze({ ...config, database });
};

/**
 * Reads `process.env`, and under it the file `.env` in the working directory, if it exists. The only reader of
 * `process.env`.
 *
 * @throws {ConfigError} when `.env` exists and cannot be read
 */
export const readEnvironment = (): Record<string, string | undefined> => ({
  ...readDotEnv(),
  ...process.env,
});

const readDotEnv = (): Record<string, string | undefined> => {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    // A folder named `.env` is a Python environment.
    if (code === 'ENOENT' || code === 'EISDIR') return {};
    throw new ConfigError([`.env cannot be read (${code}); it takes lines of the form NAME=value`]);
  }
};

const HOST_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/i;

/** A scheme, a host and perhaps a port; no path, as browsers send none. */
const ORIGIN = /^(?:\*|https?:\/\/[a-z0-9.-]+(?::\d{1,5})?|https?:\/\/\[[0-9a-f:]+\](?::\d{1,5})?)$/;

const readHttp = (reader: EnvironmentReader): Config['http'] => ({
  host: reader.text(
    'HOST',
    '127.0.0.1',
    'an address or host name to listen on',
    (text) => isIP(text) !== 0 || HOST_NAME.test(text),
  ),
  port: reader.integer('PORT', 3000, { min: 0, max: 65_535 }),
  readyStrict: reader.boolean('READY_STRICT', false),
  trustedProxies: reader.integer('TRUSTED_PROXIES', 0, { min: 0, max: 16 }),
  corsOrigins:
    reader
      .text(
        'CORS_ORIGINS',
        null,
        'origins such as https://lab.example, with commas between them, or *',
        (text) => text.split(',').every((origin) => ORIGIN.test(origin.trim())),
      )
      ?.split(',')
      .map((origin) => origin.trim()) ?? [],
});

const EMAIL_TAKES = 'an e-mail address';
const PASSWORD_TAKES = '8 to 1024 characters';

const readAdministrator = (reader: EnvironmentReader): Config['bootstrapAdministrator'] => {
  const email = reader.text(
    'BOOTSTRAP_ADMIN_EMAIL',
    null,
    EMAIL_TAKES,
    (text) => text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text),
  );
  const password = reader.secret('BOOTSTRAP_ADMIN_PASSWORD', PASSWORD_TAKES, (text) =>
    text.length >= 8 && text.length <= 1024 ? text : undefined,
  );
  const hasEmail = reader.has('BOOTSTRAP_ADMIN_EMAIL');
  const hasPassword = reader.has('BOOTSTRAP_ADMIN_PASSWORD');
  if (hasEmail && !hasPassword) {
    reader.missing('BOOTSTRAP_ADMIN_PASSWORD', `${PASSWORD_TAKES}, as BOOTSTRAP_ADMIN_EMAIL is set`);
  }
  if (hasPassword && !hasEmail) {
    reader.missing('BOOTSTRAP_ADMIN_EMAIL', `${EMAIL_TAKES}, as BOOTSTRAP_ADMIN_PASSWORD is set`);
  }
  return email === null || password === null ? null : { email, password };
};

const deepFreeze = <Value extends object>(value: Value): Readonly<Value> => {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
};
