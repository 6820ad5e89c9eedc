import { createHash } from 'node:crypto';
import type { Express } from 'express';
import supertest from 'supertest';
import type { ObservedRequest } from '../../../application/ports/runtime/http-metrics.ts';
import type { RequestContext } from '../../../application/ports/runtime/request-context.ts';
import type {
  IssuedToken,
  TokenClaims,
  TokenIssuer,
  TokenReader,
} from '../../../application/ports/identity/tokens.ts';
import { OperatorStreams } from '../../../application/operators/operator-streams.ts';
import { EventStreams } from '../../../application/events/event-streams.ts';
import { RequestLimits } from '../../../application/limits/request-limits.ts';
import { StorageQuota } from '../../../application/limits/storage-quota.ts';
import { runTask } from '../../../application/operators/run-task.ts';
import type { BackgroundTasks, TaskReport } from '../../../application/ports/runtime/background-tasks.ts';
import { createUseCases } from '../../../application/use-cases.ts';
import { OrganizationDatabaseNotFoundError } from '../../../domain/databases/errors.ts';
import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import type { Principal } from '../../../domain/identity/principal.ts';
import type { Role } from '../../../domain/identity/role.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { ResponseAccount } from '../../../presentation/http/request/response-account.ts';
import type { OrganizationPolicy } from '../../../domain/organizations/organization-policy.ts';
import { createApp } from '../../../presentation/http/create-app.ts';
import type { HttpDependencies, HttpOptions } from '../../../presentation/http/http-dependencies.ts';
import { FakeDatabases } from './fake-databases.ts';
import { FakeFileStore } from './fake-file-store.ts';
import { FakeFleet } from './fake-fleet.ts';
import { FakeMetadata } from './fake-metadata.ts';
import { FakeOperators, FakeProcesses } from './fake-operators.ts';
import { fakeUuid } from './fake-results.ts';
import { FakeWorkHints } from './fake-work-hints.ts';
import { FakeServers } from './fake-servers.ts';
import { FakeLogger, type LogLine } from './fake-logger.ts';
import { FakeUsage } from './fake-usage.ts';

const MAX_ORGANIZATION_ID_LENGTH = 51;

export const organization = (id: string): OrganizationId =>
  parseOrganizationId(id, MAX_ORGANIZATION_ID_LENGTH);

/** Makes and reads tokens; knows those that it made. */
class FakeTokens implements TokenReader, TokenIssuer {
  readonly #principals = new Map<string, Principal>();

  issue({ organizationId, roles }: Principal): IssuedToken {
    return { accessToken: this.of(organizationId, ...roles), expiresInSeconds: 3600 };
  }

  /** The token of a user with these roles; `organizationId` null for no claim. */
  of(organizationId: string | null, ...roles: readonly Role[]): string {
    const token = `token.${organizationId ?? ''}.${roles.join('-')}`;
    this.#principals.set(token, {
      userId: `user-${roles.join('-')}`,
      organizationId: organizationId === null ? null : organization(organizationId),
      roles: new Set(roles),
    });
    return token;
  }

  async read(token: string): Promise<TokenClaims> {
    const principal = this.#principals.get(token);
    if (principal === undefined) throw new UnauthenticatedError();
    const { userId, organizationId, roles } = principal;
    return { issuer: 'fake', subject: userId, external: false, organizationId, roles, sessionId: null };
  }
}

const canonicalJson = {
  textOf: (value: unknown) => JSON.stringify(value),
  hashOf: (text: string) => createHash('sha256').update(text).digest('hex'),
};

const hashOf = (token: string) => Buffer.from(`hash of ${token}`);

const fakeTask = (name: string): TaskReport => ({
  name,
  lastSuccessAt: null,
  nextRunAt: null,
  everySeconds: 15,
  lastRunSeconds: null,
  failures: 0,
  isRunning: false,
});

/** The whole HTTP side over fakes of its ports. The organizations `acme` and `beta` are registered. */
export class FakeService {
  readonly metadata = new FakeMetadata();
  readonly workHints = new FakeWorkHints(this.metadata);
  readonly usage = new FakeUsage(this.metadata);
  readonly databases = new FakeDatabases();
  readonly servers = new FakeServers();
  readonly fleet = new FakeFleet();
  readonly processes = new FakeProcesses();
  readonly tasks: BackgroundTasks = {
    list: () => [fakeTask('fleet_snapshot')],
    run: async (name) => fakeTask(name),
  };
  readonly operators = new FakeOperators(this.metadata, this.processes);
  readonly feed = { isCurrent: true };
  readonly eventStreams = new EventStreams({
    trail: this.metadata.events,
    feed: this.feed,
    now: () => performance.now(),
  });
  readonly operatorStreams = new OperatorStreams({
    getOverview: () => this.deps.getOverview(),
    now: () => performance.now(),
  });
  readonly fileStore = new FakeFileStore();
  readonly tokens = new FakeTokens();
  readonly logger = new FakeLogger();
  readonly observed: ObservedRequest[] = [];
  readonly contexts: RequestContext[] = [];
  readonly options: { -readonly [Key in keyof HttpOptions]: HttpOptions[Key] } = {
    version: '1.2.3',
    maxOrganizationIdLength: MAX_ORGANIZATION_ID_LENGTH,
    corsOrigins: [],
    trustedProxies: 0,
    maxConnectionsPerOrganization: 15,
    organizationQuotas: {
      writeBytesPerSecond: 1e9,
      writeValuesPerSecond: 1e9,
      storageBytes: 1e12,
      filesBytes: 1e12,
    },
    maxFileBytes: 1e6,
    readyStrict: false,
    hideOrganizationNames: false,
    isStopping: () => false,
  };
  /** Of every organization. */
  policy: OrganizationPolicy = {};
  readonly deps: HttpDependencies;
  readonly app: Express;
  #ids = 100;

  constructor(overrides: Partial<HttpDependencies> = {}) {
    const { metadata, databases } = this;
    for (const id of ['acme', 'beta']) metadata.add(organization(id));
    const policies = {
      confirm: () => undefined,
      policyOf: () => this.policy,
      isSuspended: (id: OrganizationId) => metadata.stored.get(id)?.status === 'suspended',
    };
    const useCases = createUseCases({
      metadata,
      fileStore: this.fileStore,
      policies,
      maxFileBytes: this.options.maxFileBytes,
      maxFilesBytes: this.options.organizationQuotas.filesBytes,
      newUploadId: () => this.#newId(),
      ledger: metadata.ledger,
      databases,
      servers: this.servers,
      serverInspection: { inspect: () => Promise.reject(new Error('no server is inspected here')) },
      operatorsLedger: this.operators,
      reconcileDatabases: async () => ({ findings: [], unreachable: [] }),
      retireDatabase: async (organizationId, approve) => {
        const record = await metadata.ledger.find(organizationId);
        if (record === null) throw new OrganizationDatabaseNotFoundError();
        await approve?.(record);
        return `retired_${record.databaseName}`;
      },
      changeFeed: { isBehind: false },
      releaseSchemas: async () => ({ oldest: 1, newest: 3, current: 2 }),
      passwords: {
        hash: async (password) => `hash of ${password}`,
        verify: async (password, hash) => hash === `hash of ${password}`,
      },
      loginAttempts: { begin: async () => {}, succeed: async () => {}, failKey: async () => {} },
      accessTokens: this.tokens,
      refreshTokens: {
        create: () => ({ token: 'a refresh token', hash: hashOf('a refresh token') }),
        hashOf,
      },
      serviceKeys: { create: () => ({ token: 'mad_sk_sample', hash: hashOf('mad_sk_sample') }), hashOf },
      tokenReader: this.tokens,
      // No bearer has an account: the token speaks for them.
      accounts: { find: async () => null, findUserId: async () => null },
      workHints: this.workHints,
      usage: this.usage,
      canonicalJson,
      newJobId: () => this.#newId(),
      newSessionId: () => this.#newId(),
      sessionLifetimeSeconds: 7200,
      now: Date.now,
      logger: this.logger,
    });
    const rates = { publicRequestsPerMinute: 1e6, ...this.options.organizationQuotas };
    this.deps = {
      ...useCases,
      metadata,
      fleet: this.fleet,
      steering: this.fleet.steering,
      operators: this.operators,
      tasks: this.tasks,
      runTask: runTask({ metadata, tasks: this.tasks }),
      settings: [],
      processes: this.processes,
      instanceId: fakeUuid(1),
      health: databases,
      changeFeed: { isBehind: false },
      databases,
      eventStreams: this.eventStreams,
      operatorStreams: this.operatorStreams,
      fileStore: this.fileStore,
      policies,
      requestLimits: new RequestLimits({ policies, rates, networkOf: (address) => address }),
      storageQuota: new StorageQuota({ policies, maxBytes: this.options.organizationQuotas.storageBytes }),
      logger: this.logger,
      runWithRequestContext: (context, run) => {
        this.contexts.push(context);
        run();
      },
      responses: new ResponseAccount({ totalBytes: 128 * 1024 * 1024, organizationBytes: 32 * 1024 * 1024 }),
      workFigures: { seen: () => undefined, handedOut: () => undefined },
      tracing: null,
      httpMetrics: { observe: (request) => this.observed.push(request) },
      renderMetrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
      options: this.options,
      ...overrides,
    };
    this.app = createApp(this.deps);
  }

  #newId(): string {
    this.#ids += 1;
    return fakeUuid(this.#ids);
  }

  /** A client that sends this token with every request. */
  as(token: string): ReturnType<typeof supertest.agent> {
    return supertest.agent(this.app).set('Authorization', `Bearer ${token}`);
  }

  /** A client of `acme` with these roles. */
  acme(...roles: readonly Role[]): ReturnType<typeof supertest.agent> {
    return this.as(this.tokens.of('acme', ...roles));
  }

  admin(): ReturnType<typeof supertest.agent> {
    return this.as(this.tokens.of(null, 'platform_admin'));
  }

  anonymous(): ReturnType<typeof supertest.agent> {
    return supertest.agent(this.app);
  }

  /** The access log's lines. */
  get requestLines(): readonly LogLine[] {
    return this.logger.lines.filter(({ message }) => message === 'request finished');
  }
}
