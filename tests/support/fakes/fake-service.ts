import { createHash } from 'node:crypto';
import type { Express } from 'express';
import supertest from 'supertest';
import { RecordDeniedAccess } from '../../../application/audit/record-denied-access.ts';
import { GetDatabase } from '../../../application/databases/get-database.ts';
import { ListDatabases } from '../../../application/databases/list-databases.ts';
import { ProvisionDatabase } from '../../../application/databases/provision-database.ts';
import { ChangeOwnPassword } from '../../../application/identity/change-own-password.ts';
import { EndSession } from '../../../application/identity/end-session.ts';
import { IssueToken } from '../../../application/identity/issue-token.ts';
import { RefreshSession } from '../../../application/identity/refresh-session.ts';
import { SessionTokens } from '../../../application/identity/session-tokens.ts';
import { SubmitJob } from '../../../application/jobs/submit-job.ts';
import { AddMember } from '../../../application/members/add-member.ts';
import { ChangeMemberRoles } from '../../../application/members/change-member-roles.ts';
import { RemoveMember } from '../../../application/members/remove-member.ts';
import { CreateOrganization } from '../../../application/organizations/create-organization.ts';
import { GetOrganization } from '../../../application/organizations/get-organization.ts';
import { GetSettings } from '../../../application/organizations/get-settings.ts';
import { PatchSettings } from '../../../application/organizations/patch-settings.ts';
import { RenameOrganization } from '../../../application/organizations/rename-organization.ts';
import { ReplaceSettings } from '../../../application/organizations/replace-settings.ts';
import { SuspendOrganization } from '../../../application/organizations/suspend-organization.ts';
import type { ObservedRequest } from '../../../application/ports/runtime/http-metrics.ts';
import type { Logger } from '../../../application/ports/runtime/logger.ts';
import type { RequestContext } from '../../../application/ports/runtime/request-context.ts';
import type { TokenVerifier } from '../../../application/ports/identity/tokens.ts';
import { ChangeUser } from '../../../application/users/change-user.ts';
import { CreateUser } from '../../../application/users/create-user.ts';
import { LinkIdentity } from '../../../application/users/link-identity.ts';
import { SetPassword } from '../../../application/users/set-password.ts';
import { UnlinkIdentity } from '../../../application/users/unlink-identity.ts';
import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import type { Principal } from '../../../domain/identity/principal.ts';
import type { Role } from '../../../domain/identity/role.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { createApp } from '../../../presentation/http/create-app.ts';
import type { HttpDependencies, HttpOptions } from '../../../presentation/http/http-dependencies.ts';
import { FakeDatabases } from './fake-databases.ts';
import { FakeFleet } from './fake-fleet.ts';
import { FakeMetadata } from './fake-metadata.ts';
import { fakeUuid } from './fake-results.ts';

const MAX_ORGANIZATION_ID_LENGTH = 51;

export const organization = (id: string): OrganizationId =>
  parseOrganizationId(id, MAX_ORGANIZATION_ID_LENGTH);

export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

class FakeLogger implements Logger {
  readonly lines: LogLine[] = [];
  debug = (fields: object, message: string): void => this.#write('debug', fields, message);
  info = (fields: object, message: string): void => this.#write('info', fields, message);
  warn = (fields: object, message: string): void => this.#write('warn', fields, message);
  error = (fields: object, message: string): void => this.#write('error', fields, message);

  #write(level: keyof Logger, fields: object, message: string): void {
    this.lines.push({ level, fields: { ...fields }, message });
  }
}

/** Knows the tokens it was told of. */
class FakeTokens implements TokenVerifier {
  readonly #principals = new Map<string, Principal>();

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

  async verify(token: string): Promise<Principal> {
    const principal = this.#principals.get(token);
    if (principal === undefined) throw new UnauthenticatedError();
    return principal;
  }
}

const fingerprint = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

const hashOf = (token: string) => Buffer.from(`hash of ${token}`);

/** The whole HTTP side over fakes of its ports. The organizations `acme` and `beta` are registered. */
export class FakeService {
  readonly metadata = new FakeMetadata();
  readonly databases = new FakeDatabases();
  readonly fleet = new FakeFleet();
  readonly tokens = new FakeTokens();
  readonly logger = new FakeLogger();
  readonly observed: ObservedRequest[] = [];
  readonly contexts: RequestContext[] = [];
  readonly options: { -readonly [Key in keyof HttpOptions]: HttpOptions[Key] } = {
    maxOrganizationIdLength: MAX_ORGANIZATION_ID_LENGTH,
    trustedProxies: 0,
    maxConnectionsPerOrganization: 15,
    readyStrict: false,
    hideOrganizationNames: false,
    isStopping: () => false,
  };
  readonly deps: HttpDependencies;
  readonly app: Express;
  #ids = 100;

  constructor(overrides: Partial<HttpDependencies> = {}) {
    const { metadata, databases } = this;
    for (const id of ['acme', 'beta']) metadata.add(organization(id));
    const passwords = {
      hash: async (password: string) => `hash of ${password}`,
      verify: async (password: string, hash: string | null) => hash === `hash of ${password}`,
    };
    const tokenIssuer = {
      issue: ({ organizationId, roles }: Principal) => ({
        accessToken: this.tokens.of(organizationId, ...roles),
        expiresInSeconds: 3600,
      }),
    };
    const attempts = { begin: async () => {}, succeed: async () => {} };
    const sessionTokens = new SessionTokens({
      accessTokens: tokenIssuer,
      refreshTokens: {
        create: () => ({ token: 'a refresh token', hash: hashOf('a refresh token') }),
        hashOf,
      },
      newId: () => fakeUuid((this.#ids += 1)),
      lifetimeSeconds: 7200,
    });
    this.deps = {
      createOrganization: new CreateOrganization(metadata),
      renameOrganization: new RenameOrganization(metadata),
      getOrganization: new GetOrganization(metadata, metadata.ledger),
      getSettings: new GetSettings(metadata),
      replaceSettings: new ReplaceSettings(metadata),
      patchSettings: new PatchSettings(metadata),
      suspendOrganization: new SuspendOrganization(metadata),
      recordDeniedAccess: new RecordDeniedAccess(metadata, this.logger),
      issueToken: new IssueToken({ metadata, passwords, attempts, sessionTokens }),
      refreshSession: new RefreshSession(metadata, sessionTokens),
      endSession: new EndSession(metadata, sessionTokens),
      changeOwnPassword: new ChangeOwnPassword({ metadata, passwords, attempts }),
      createUser: new CreateUser(metadata, passwords),
      changeUser: new ChangeUser(metadata),
      setPassword: new SetPassword(metadata, passwords),
      linkIdentity: new LinkIdentity(metadata),
      unlinkIdentity: new UnlinkIdentity(metadata),
      addMember: new AddMember(metadata),
      changeMemberRoles: new ChangeMemberRoles(metadata),
      removeMember: new RemoveMember(metadata),
      submitJob: new SubmitJob(fingerprint, () => fakeUuid((this.#ids += 1))),
      provisionDatabase: new ProvisionDatabase(metadata, databases, metadata.ledger),
      listDatabases: new ListDatabases(metadata.ledger, databases),
      getDatabase: new GetDatabase(metadata.ledger, databases),
      metadata,
      fleet: this.fleet,
      databases,
      policies: {
        policyOf: () => ({}),
        isSuspended: (id) => metadata.stored.get(id)?.status === 'suspended',
      },
      tokenVerifier: this.tokens,
      logger: this.logger,
      runWithRequestContext: (context, run) => {
        this.contexts.push(context);
        run();
      },
      httpMetrics: { observe: (request) => this.observed.push(request) },
      renderMetrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
      options: this.options,
      ...overrides,
    };
    this.app = createApp(this.deps);
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
