import { availableParallelism, hostname, totalmem } from 'node:os';
import { EMAIL_PATTERN, MAX_EMAIL_LENGTH } from '../../domain/identity/email.ts';
import { PRINTABLE, toPrintable } from '../../domain/printable.ts';
import { urlHost } from '../http-server/listening-address.ts';
import { ConfigError } from './config-error.ts';
import { EnvironmentReader, type Environment } from './environment-reader.ts';
import { isPlainUrl, readTracingConfig, type TracingConfig } from './tracing-config.ts';
import type { LOG_LEVELS } from './variable.ts';

type Credentials =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'password';
      readonly email: string;
      readonly password: string;
      readonly organizationId: string | null;
    };

/** What a machine gives to AutoDock Vina. */
interface EngineConfig {
  readonly program: string;
  /** Where programs are looked for. */
  readonly searchPath: string;
  /** Of one job. */
  readonly cores: number;
  readonly memoryBytes: number;
}

/** The configuration of a worker. It holds secrets: never log it. */
export interface WorkerConfig {
  readonly serviceUrl: string;
  readonly credentials: Credentials;
  readonly name: string;
  readonly slots: number;
  readonly engine: EngineConfig;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Null: nothing is traced. */
  readonly tracing: TracingConfig | null;
}

const MAX_NAME_LENGTH = 100;
const MB = 1024 * 1024;

/**
 * Validates what a worker reads of an environment. An empty variable counts as not set.
 *
 * @throws {ConfigError} with all problems, one line each
 */
export const parseWorkerConfig = (environment: Environment): WorkerConfig => {
  const reader = readerOf(environment);
  const credentials = readCredentials(reader);
  const config = {
    serviceUrl: readServiceUrl(reader),
    name: reader.text('WORKER_NAME', isName) ?? defaultName(),
    slots: reader.integer('WORKER_SLOTS'),
    engine: readEngine(reader, environment),
    logLevel: reader.choice('LOG_LEVEL'),
    tracing: readTracingConfig(reader),
  };
  if (credentials === null || reader.problems.length > 0)
    throw new ConfigError([...new Set(reader.problems)]);
  return { ...config, credentials };
};

/** As a worker does, for a program that runs an engine without being configured as a worker. @throws {ConfigError} */
export const readEngineConfig = (environment: Environment): EngineConfig => {
  const reader = readerOf(environment);
  const config = readEngine(reader, environment);
  if (reader.problems.length > 0) throw new ConfigError(reader.problems);
  return config;
};

const readerOf = (environment: Environment): EnvironmentReader =>
  new EnvironmentReader(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')));

const readEngine = (reader: EnvironmentReader, environment: Environment): EngineConfig => {
  const slots = reader.integer('WORKER_SLOTS');
  const memoryMb = reader.integer('WORKER_MEMORY_MB');
  return {
    program: reader.text('WORKER_VINA', (text) => PRINTABLE.test(text)),
    searchPath: environment['PATH'] ?? '',
    cores: Math.max(1, Math.floor(availableParallelism() / slots)),
    memoryBytes: memoryMb === 0 ? Math.floor(machineMemory() / slots) : memoryMb * MB,
  };
};

const readServiceUrl = (reader: EnvironmentReader): string => {
  const host = reader.text('HOST', isName);
  const port = reader.integer('PORT');
  // Read as a secret: neither a message nor the list of settings must show a URL that is refused for its credentials.
  const url =
    reader.secret('WORKER_SERVICE_URL', (text) => (isPlainUrl(text) ? text : undefined)) ??
    `http://${urlHost(host)}:${port}`;
  return url.replace(/\/+$/, '');
};

const isName = (text: string): boolean => text.length <= MAX_NAME_LENGTH && PRINTABLE.test(text);

const defaultName = (): string => `${toPrintable(hostname()).slice(0, MAX_NAME_LENGTH - 20)}-${process.pid}`;

/** A container may have less than its machine. */
const machineMemory = (): number => {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
};

const isCredential = (text: string): string | undefined =>
  text.length <= 4096 && PRINTABLE.test(text) ? text : undefined;

const readCredentials = (reader: EnvironmentReader): Credentials | null => {
  const key = reader.secret('WORKER_KEY', isCredential);
  const token = reader.secret('WORKER_TOKEN', isCredential);
  const email = reader.text(
    'WORKER_EMAIL',
    (text) => text.length <= MAX_EMAIL_LENGTH && EMAIL_PATTERN.test(text),
  );
  const password = reader.secret('WORKER_PASSWORD', (text) => (text.length <= 1024 ? text : undefined));
  const organizationId = reader.text('WORKER_ORG_ID', isName);
  if (key !== null) return { kind: 'key', key };
  if (token !== null) return { kind: 'token', token };
  if (email !== null && password !== null) return { kind: 'password', email, password, organizationId };
  if (reader.problems.length === 0)
    reader.missing(
      'WORKER_KEY',
      "a service account's key (or set WORKER_EMAIL and WORKER_PASSWORD): docs/worker.md says how to get one",
    );
  return null;
};
