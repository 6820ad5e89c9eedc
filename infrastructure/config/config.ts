import ipaddr from 'ipaddr.js';
import { EMAIL_PATTERN, MAX_EMAIL_LENGTH } from '../../domain/identity/email.ts';
import { ConfigError } from './config-error.ts';
import { readDatabaseConfig, type DatabaseConfig } from './database-config.ts';
import { readFilesConfig, type FilesConfig } from './files-config.ts';
import { EnvironmentReader, type Environment } from './environment-reader.ts';
import { readTokenConfig, type TokenConfig } from './token-config.ts';
import { readTracingConfig, type TracingConfig } from './tracing-config.ts';
import { unknownVariables, type UnknownVariable } from './unknown-variables.ts';
import { takenBy, type LOG_LEVELS, type MODES } from './variable.ts';
import { VARIABLES } from './variables.ts';

/** The validated, frozen configuration. It holds secrets: never log it. */
export interface Config {
  readonly environment: (typeof MODES)[number];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly readyStrict: boolean;
    /** Engines that metrics tell apart. */
    readonly metricsEngines: readonly string[];
    /** The number of reverse proxies in front. The service trusts this many last entries of `X-Forwarded-For`. */
    readonly trustedProxies: number;
    readonly responses: {
      /** The maximum of bytes of answers under way in this process, and of one organization's among them. */
      readonly totalBytes: number;
      readonly organizationBytes: number;
      /** A client that takes nothing of its answer for this long is disconnected. */
      readonly stallMs: number;
      /** Limits one whole answer. */
      readonly deadlineMs: number;
    };
    /** Origins of pages that may call the API, or `*`. */
    readonly corsOrigins: readonly string[];
  };
  readonly shutdown: {
    /** For the whole stop of the process. */
    readonly timeoutMs: number;
    /** Its beginning, during which requests are still served. */
    readonly delayMs: number;
  };
  readonly database: DatabaseConfig;
  readonly files: FilesConfig;
  readonly tokens: TokenConfig;
  /** Null: nothing is traced. */
  readonly tracing: TracingConfig | null;
  /** Failed logins allowed within 15 minutes. */
  readonly loginAttempts: { readonly perAccount: number; readonly perAddress: number };
  /** What callers may cost this process. */
  readonly limits: {
    /** Requests within a minute to routes that need no token, from one network. */
    readonly publicRequestsPerMinute: number;
    readonly organization: {
      /** Of request bodies. */
      readonly writeBytesPerSecond: number;
      /** Of the JSON in request bodies. */
      readonly writeValuesPerSecond: number;
      /** The size of its database. */
      readonly storageBytes: number;
    };
  };
  /** Set, and read by nobody: the start warns of them. */
  readonly unknownVariables: readonly UnknownVariable[];
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
  const mode = reader.choice('NODE_ENV');
  const config = {
    environment: mode,
    logLevel: reader.choice('LOG_LEVEL'),
    http: readHttp(reader),
    shutdown: readShutdown(reader),
    database: readDatabaseConfig(reader),
    files: readFilesConfig(reader),
    tokens: readTokenConfig(reader, mode === 'production'),
    tracing: readTracingConfig(reader),
    loginAttempts: {
      perAccount: reader.integer('LOGIN_ATTEMPTS_PER_ACCOUNT'),
      perAddress: reader.integer('LOGIN_ATTEMPTS_PER_ADDRESS'),
    },
    limits: readLimits(reader),
    unknownVariables: unknownVariables(environment),
    bootstrapAdministrator: readAdministrator(reader),
  };
  const { database } = config;
  if (database === null || reader.problems.length > 0) throw new ConfigError(reader.problems);
  return deepFreeze({ ...config, database });
};

const HOST_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/i;

/** A scheme, a host and perhaps a port; no path, as browsers send none. */
const ENGINE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const ORIGIN = /^(?:\*|https?:\/\/[a-z0-9.-]+(?::\d{1,5})?|https?:\/\/\[[0-9a-f:]+\](?::\d{1,5})?)$/;

const readHttp = (reader: EnvironmentReader): Config['http'] => ({
  host: reader.text('HOST', (text) => ipaddr.isValid(text) || HOST_NAME.test(text)),
  port: reader.integer('PORT'),
  readyStrict: reader.boolean('READY_STRICT'),
  metricsEngines: reader
    .text('METRICS_ENGINES', (text) => text.split(',').every((engine) => ENGINE.test(engine.trim())))
    .split(',')
    .map((engine) => engine.trim()),
  trustedProxies: reader.integer('TRUSTED_PROXIES'),
  responses: {
    totalBytes: reader.integer('RESPONSE_BYTES_TOTAL'),
    organizationBytes: reader.integer('RESPONSE_BYTES_PER_ORGANIZATION'),
    stallMs: reader.integer('RESPONSE_STALL_MS'),
    deadlineMs: reader.integer('RESPONSE_DEADLINE_MS'),
  },
  corsOrigins:
    reader
      .text('CORS_ORIGINS', (text) => text.split(',').every((origin) => ORIGIN.test(origin.trim())))
      ?.split(',')
      .map((origin) => origin.trim()) ?? [],
});

const readLimits = (reader: EnvironmentReader): Config['limits'] => ({
  publicRequestsPerMinute: reader.integer('PUBLIC_REQUESTS_PER_ADDRESS'),
  organization: {
    writeBytesPerSecond: reader.integer('ORG_WRITE_BYTES_PER_SECOND'),
    writeValuesPerSecond: reader.integer('ORG_WRITE_VALUES_PER_SECOND'),
    storageBytes: reader.integer('ORG_STORAGE_BYTES'),
  },
});

const readShutdown = (reader: EnvironmentReader): Config['shutdown'] => {
  const timeoutMs = reader.integer('SHUTDOWN_TIMEOUT_MS');
  const delayMs = reader.integer('SHUTDOWN_DELAY_MS');
  if (delayMs >= timeoutMs)
    reader.refuse(
      'SHUTDOWN_DELAY_MS',
      `"${delayMs}"`,
      `less than SHUTDOWN_TIMEOUT_MS, which is ${timeoutMs}`,
    );
  return { timeoutMs, delayMs };
};

const readAdministrator = (reader: EnvironmentReader): Config['bootstrapAdministrator'] => {
  const email = reader.text(
    'BOOTSTRAP_ADMIN_EMAIL',
    (text) => text.length <= MAX_EMAIL_LENGTH && EMAIL_PATTERN.test(text),
  );
  const password = reader.secret('BOOTSTRAP_ADMIN_PASSWORD', (text) =>
    text.length >= 8 && text.length <= 1024 ? text : undefined,
  );
  const hasEmail = reader.has('BOOTSTRAP_ADMIN_EMAIL');
  const hasPassword = reader.has('BOOTSTRAP_ADMIN_PASSWORD');
  if (hasEmail && !hasPassword) {
    reader.missing(
      'BOOTSTRAP_ADMIN_PASSWORD',
      `${takenBy(VARIABLES.BOOTSTRAP_ADMIN_PASSWORD)}, as BOOTSTRAP_ADMIN_EMAIL is set`,
    );
  }
  if (hasPassword && !hasEmail) {
    reader.missing(
      'BOOTSTRAP_ADMIN_EMAIL',
      `${takenBy(VARIABLES.BOOTSTRAP_ADMIN_EMAIL)}, as BOOTSTRAP_ADMIN_PASSWORD is set`,
    );
  }
  return email === null || password === null ? null : { email, password };
};

const deepFreeze = <Value extends object>(value: Value): Readonly<Value> => {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
};
