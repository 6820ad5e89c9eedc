import { request } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import express from 'express';
import supertest from 'supertest';
import {
  DatabaseConnectionError,
  DatabaseProvisioningError,
  DomainError,
  OrganizationNotFoundError,
  ServiceBusyError,
} from '../../../domain/exceptions.ts';
import { CampaignArchivedError, CampaignNotFoundError } from '../../../domain/campaigns/errors.ts';
import {
  ConnectionBudgetExhaustedError,
  NoServerAvailableError,
  OrganizationBusyError,
  OrganizationDatabaseNotFoundError,
  OrganizationNotReadyError,
  ServerNotFoundError,
} from '../../../domain/databases/errors.ts';
import { DEFAULT_SERVER } from '../../../domain/databases/server.ts';
import { MigrationRunNotFoundError, MigrationStateConflictError } from '../../../domain/fleet/errors.ts';
import { TooManyStreamsError } from '../../../domain/events/errors.ts';
import {
  ConfirmationRequiredError,
  IdentityAlreadyLinkedError,
  IdentityNotFoundError,
  InvitationNotFoundError,
  MemberAlreadyExistsError,
  MemberNotFoundError,
  OrganizationAccessDeniedError,
  OwnAccountProtectedError,
  PasswordChangeRequiredError,
  OrganizationChoiceRequiredError,
  RoleRequiredError,
  ServiceAccountKeyNotFoundError,
  ServiceAccountNotFoundError,
  SessionNotFoundError,
  TooManyAttemptsError,
  UnauthenticatedError,
  UserAlreadyExistsError,
  UserNotFoundError,
} from '../../../domain/identity/errors.ts';
import {
  ArtifactAlreadyExistsError,
  IdempotencyKeyReusedError,
  LeaseLostError,
  LeaseRequiredError,
  WorkerBenchedError,
  JobNotFoundError,
  JobStateConflictError,
  SignatureNotFoundError,
} from '../../../domain/jobs/errors.ts';
import {
  ArtifactElsewhereError,
  DigestMismatchError,
  FileNotFoundError,
  FilesInUseError,
  FilesUnavailableError,
  FileTooLargeError,
  UploadExpiredError,
} from '../../../domain/files/errors.ts';
import {
  OrganizationAlreadyExistsError,
  OrganizationSuspendedError,
  QuotaExceededError,
  SettingsChangedError,
  StorageQuotaExceededError,
} from '../../../domain/organizations/errors.ts';
import { ValidationError } from '../../../domain/validation-error.ts';
import { StateConflictError, TaskNotFoundError } from '../../../domain/operators/errors.ts';
import { ERROR_CLASSES } from '../domain/error-classes.ts';
import { handleErrors } from '../../../presentation/http/request/error-handler.ts';
import { ERROR_STATUS } from '../../../presentation/http/errors/error-status.ts';
import { toFailure } from '../../../presentation/http/errors/failure.ts';
import { openRequest } from '../../../presentation/http/request/open-request.ts';
import { until } from '../../support/gate.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { portOf } from '../../support/fakes/port-of.ts';
import { JOB_ID, seedSamples } from '../../support/fakes/samples.ts';

/** One of each domain error; a class that is missing here fails the first test. */
const DOMAIN_ERRORS: readonly DomainError[] = [
  new ValidationError([{ path: 'name', message: 'is required' }]),
  new UnauthenticatedError(),
  new PasswordChangeRequiredError(),
  new ConfirmationRequiredError(),
  new SessionNotFoundError(),
  new StateConflictError({ status: 'suspended' }),
  new TooManyAttemptsError(900),
  new UserNotFoundError(),
  new UserAlreadyExistsError(),
  new OwnAccountProtectedError(),
  new MemberNotFoundError(),
  new MemberAlreadyExistsError(),
  new IdentityNotFoundError(),
  new InvitationNotFoundError(),
  new OrganizationChoiceRequiredError(['acme', 'beta']),
  new IdentityAlreadyLinkedError(),
  new OrganizationAccessDeniedError(),
  new RoleRequiredError(['worker']),
  new OrganizationSuspendedError(),
  new SettingsChangedError(3),
  new OrganizationAlreadyExistsError('acme'),
  new JobNotFoundError(JOB_ID),
  new MigrationRunNotFoundError(),
  new MigrationStateConflictError('Run 1 is halted.'),
  new TaskNotFoundError(),
  new SignatureNotFoundError(),
  new JobStateConflictError('FAILED', 'become RUNNING'),
  new LeaseRequiredError(),
  new LeaseLostError(),
  new WorkerBenchedError(60),
  new QuotaExceededError('max_running_jobs', 5),
  new IdempotencyKeyReusedError(),
  new DatabaseProvisioningError('CREATE DATABASE "mad_results_acme" failed'),
  new DatabaseConnectionError('postgres://mad:canary@db/mad is away'),
  new OrganizationNotFoundError(),
  new OrganizationDatabaseNotFoundError(),
  new OrganizationNotReadyError('mad_results_acme is at version 1'),
  new OrganizationBusyError(),
  new StorageQuotaExceededError(1000),
  new ServiceAccountNotFoundError(),
  new ServiceAccountKeyNotFoundError(),
  new CampaignNotFoundError(JOB_ID),
  new CampaignArchivedError(JOB_ID),
  new FileNotFoundError(),
  new FileTooLargeError(1000),
  new DigestMismatchError(),
  new UploadExpiredError(),
  new ArtifactElsewhereError(),
  new FilesInUseError(),
  new FilesUnavailableError(new Error('ENOSPC: /srv/files')),
  new ArtifactAlreadyExistsError(),
  new ServiceBusyError(),
  new ConnectionBudgetExhaustedError(),
  new TooManyStreamsError(20),
  new ServerNotFoundError(),
  new NoServerAvailableError([{ serverId: DEFAULT_SERVER, reason: 'draining' }]),
];

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  malformed_request: 400,
  malformed_json: 400,
  unauthenticated: 401,
  organization_access_denied: 403,
  confirmation_required: 403,
  role_required: 403,
  organization_choice_required: 403,
  cross_site_request: 403,
  ambiguous_session: 400,
  password_change_required: 403,
  organization_suspended: 403,
  not_found: 404,
  organization_not_found: 404,
  organization_database_not_found: 404,
  server_not_found: 404,
  job_not_found: 404,
  file_not_found: 404,
  signature_not_found: 404,
  campaign_not_found: 404,
  session_not_found: 404,
  user_not_found: 404,
  member_not_found: 404,
  identity_not_found: 404,
  invitation_not_found: 404,
  service_account_not_found: 404,
  service_account_key_not_found: 404,
  migration_run_not_found: 404,
  task_not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  request_timeout: 408,
  upload_expired: 410,
  settings_changed: 412,
  file_too_large: 413,
  range_not_satisfiable: 416,
  digest_mismatch: 422,
  body_too_large: 413,
  unsupported_media_type: 415,
  expectation_failed: 417,
  transfer_coding_unsupported: 501,
  organization_already_exists: 409,
  user_already_exists: 409,
  own_account_protected: 409,
  member_already_exists: 409,
  identity_already_linked: 409,
  state_conflict: 409,
  migration_state_conflict: 409,
  job_state_conflict: 409,
  artifact_already_exists: 409,
  artifact_elsewhere: 409,
  files_in_use: 409,
  idempotency_key_reused: 409,
  campaign_archived: 409,
  lease_required: 409,
  lease_lost: 409,
  worker_benched: 429,
  quota_exceeded: 429,
  validation_failed: 422,
  organization_busy: 429,
  files_unavailable: 503,
  storage_quota_exceeded: 403,
  service_busy: 503,
  too_many_attempts: 429,
  too_many_streams: 429,
  headers_too_large: 431,
  database_provisioning_failed: 503,
  database_unavailable: 503,
  connection_budget_exhausted: 503,
  no_server_available: 503,
  organization_not_ready: 503,
  internal_error: 500,
};

const failing = (reason: unknown): FakeService => {
  const service = new FakeService();
  service.databases.refusal = () => Promise.reject(reason);
  return service;
};

describe('The error table', () => {
  it('knows every domain error, each by a code of its own', () => {
    const classes = ERROR_CLASSES.map(({ value }) => value);
    expect(DOMAIN_ERRORS.map((error) => error.constructor)).to.have.members(classes);
    const codes = DOMAIN_ERRORS.map(({ code }) => code);
    expect(new Set(codes).size).to.equal(codes.length);
    for (const code of codes) expect(ERROR_STATUS).to.have.property(code);
  });

  it('gives each code the status of the contract', () => {
    const statuses = Object.fromEntries(
      Object.entries(ERROR_STATUS).map(([code, { status }]) => [code, status]),
    );
    expect(statuses).to.deep.equal(STATUS_OF_CODE);
  });

  it('takes an error without a known code for a fault of the service', () => {
    class UnheardOfError extends DomainError {
      readonly code = 'unheard_of';
    }
    expect(toFailure(new UnheardOfError('what?'))).to.include({ code: 'internal_error' });
  });
});

describe('The error handler', () => {
  for (const error of DOMAIN_ERRORS) {
    it(`answers ${error.name} as problem+json`, async () => {
      const response = await failing(error).acme('member').get('/jobs').set('X-Request-Id', 'request-1');
      const status = STATUS_OF_CODE[error.code];
      expect(response.status).to.equal(status);
      expect(response.type).to.equal('application/problem+json');
      expect(response.body).to.include({
        type: `urn:mad:problem:${error.code}`,
        status,
        code: error.code,
        instance: 'urn:mad:request:request-1',
        request_id: 'request-1',
      });
      expect(response.body.title).to.be.a('string').that.is.not.empty;
      expect(response.body.detail).to.be.a('string').that.is.not.empty;
      expect(response.text).not.to.match(/canary|CREATE|mad_results|version 1|draining/);
      if (status === 503 || status === 429) expect(response.headers['retry-after']).to.match(/^[1-9]\d*$/);
      else expect(response.headers).not.to.have.property('retry-after');
    });
  }

  it('answers an unknown error with 500, says nothing of it, and logs it once with its request id', async () => {
    const error = new Error('select password from users; postgres://mad:canary@db/mad');
    const service = failing(error);
    const response = await service.acme('member').get('/jobs').set('X-Request-Id', 'request-2');
    expect(response.status).to.equal(500);
    expect(response.body).to.include({ code: 'internal_error', request_id: 'request-2' });
    expect(response.text).not.to.match(/canary|select|at /);
    expect(service.logger.lines).to.have.length(1);
    expect(service.logger.lines[0]).to.deep.include({ level: 'error' });
    expect(service.logger.lines[0]?.fields).to.include({
      request_id: 'request-2',
      org_id: 'acme',
      code: 'internal_error',
      err: error,
    });
  });

  it('logs a missing database as a warning with its cause, once, and without a stack', async () => {
    const error = new DatabaseConnectionError('gone', new Error('refused'));
    const service = failing(error);
    await service.acme('member').get('/jobs');
    expect(service.logger.lines).to.have.length(1);
    expect(service.logger.lines[0]).to.deep.include({ level: 'warn' });
    expect(service.logger.lines[0]?.fields).to.include({
      code: 'database_unavailable',
      reason: 'gone (refused)',
    });
    expect(service.logger.lines[0]?.fields).not.to.have.property('err');
  });

  it("logs the client's own fault as information, without a stack", async () => {
    const service = new FakeService();
    await service.acme('member').get(`/jobs/${JOB_ID}`);
    expect(service.logger.lines).to.have.length(1);
    expect(service.logger.lines[0]).to.deep.include({ level: 'info' });
    expect(service.logger.lines[0]?.fields).to.include({ code: 'job_not_found', status: 404 });
    expect(service.logger.lines[0]?.fields['err']).to.equal(undefined);
  });

  for (const reason of [undefined, null, false, 0, '', 'a string', { status: 200 }]) {
    it(`answers 500 when a step rejects with ${JSON.stringify(reason) ?? 'undefined'}`, async () => {
      const response = await failing(reason).acme('member').get('/jobs');
      expect(response.status).to.equal(500);
      expect(response.body.code).to.equal('internal_error');
    });
  }

  for (const [place, overrides] of Object.entries({
    'token verifier': { verifyToken: () => Promise.reject() },
    handler: { renderMetrics: () => Promise.reject() },
  })) {
    it(`answers 500 when the ${place} rejects with nothing`, async () => {
      const service = new FakeService(overrides);
      for (const path of place === 'handler'
        ? ['/metrics']
        : ['/jobs', '/organizations', '/organizations/acme']) {
        const response = await service.anonymous().get(path).set('Authorization', 'Bearer x');
        expect(response.status).to.equal(500);
        expect(response.body.code).to.equal('internal_error');
      }
    });
  }

  it('breaks the connection off when a failure comes after the headers', async () => {
    const service = new FakeService();
    const { deps, logger } = service;
    const app = express();
    app.use(openRequest(deps));
    app.get('/late', (_req, res) => {
      res.write('half');
      throw new Error('too late');
    });
    app.use(handleErrors(logger));
    const outcome = await supertest(app)
      .get('/late')
      .then(
        () => 'answered',
        () => 'broken off',
      );
    expect(outcome).to.equal('broken off');
    expect(service.requestLines).to.have.length(1);
    expect(service.requestLines[0]?.fields).to.include({ code: 'internal_error', status: 500 });
  });

  it('answers an unknown route with 404, with or without a token', async () => {
    const service = new FakeService();
    for (const path of [
      '/',
      '/nope',
      '/organizations/acme/nope',
      '/JOBS',
      '/jobs/',
      '//jobs',
      '/docs/index.html',
    ]) {
      const response = await service.acme('member').get(path);
      expect(response.status).to.equal(404);
      expect(response.body.code).to.equal('not_found');
    }
    expect((await service.anonymous().post('/nope')).status).to.equal(404);
  });

  it('echoes nothing of a hostile path', async () => {
    const response = await new FakeService().anonymous().get('/%3Cscript%3Ealert(1)%3C/script%3E?beta');
    expect(response.text).not.to.match(/script|beta/);
  });

  it('answers a method that a path does not know with 405 and Allow', async () => {
    const service = new FakeService();
    const expected: Readonly<Record<string, string>> = {
      '/organizations/acme/jobs': 'POST, GET, HEAD, OPTIONS',
      '/jobs': 'POST, GET, HEAD, OPTIONS',
      [`/jobs/${JOB_ID}`]: 'GET, PATCH, HEAD, OPTIONS',
      [`/jobs/${JOB_ID}/task-results/docking`]: 'PUT, OPTIONS',
      '/auth/token': 'POST, OPTIONS',
      '/health': 'GET, HEAD, OPTIONS',
    };
    for (const [path, allow] of Object.entries(expected)) {
      const refused = await service.anonymous().delete(path);
      expect(refused.status).to.equal(405);
      expect(refused.body.code).to.equal('method_not_allowed');
      expect(refused.headers['allow']).to.equal(allow);
      const options = await service.anonymous().options(path);
      expect(options.status).to.equal(204);
      expect(options.headers['allow']).to.equal(allow);
    }
  });

  it('answers HEAD as GET without a body, also for problems', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const found = await service.acme('member').head(`/jobs/${JOB_ID}`);
    expect(found.status).to.equal(200);
    expect(found.headers['content-length']).to.match(/^[1-9]/);
    expect(found.text).to.be.undefined;
    const refused = await service.anonymous().head('/jobs');
    expect(refused.status).to.equal(401);
    expect(refused.type).to.equal('application/problem+json');
    expect(service.databases.releases).to.equal(1);
  });
});

const post = (service: FakeService, type: string, body: string | Buffer) =>
  service
    .acme('member')
    .post('/jobs')
    .set('Content-Type', type)
    .serialize((value) => value)
    .send(body);

describe('A body', () => {
  const valid = '{"engine":"vina","inputs":{"ligand":"CCO"}}';

  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ]) {
    it(`is read as ${type}`, async () => {
      expect((await post(new FakeService(), type, valid)).status).to.equal(201);
    });
  }

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/merge-patch+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset=no-such-charset',
    'application/json; charset=',
    'nonsense',
    '',
  ]) {
    it(`is refused as ${type === '' ? 'nothing at all' : type} with 415`, async () => {
      const response = await post(new FakeService(), type, valid);
      expect(response.status).to.equal(415);
      expect(response.body.code).to.equal('unsupported_media_type');
    });
  }

  for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'nonsense']) {
    it(`is refused when ${encoding}-encoded with 415`, async () => {
      const service = new FakeService();
      const response = await service
        .acme('member')
        .post('/jobs')
        .set('Content-Encoding', encoding)
        .send({ engine: 'vina', inputs: { ligand: 'CCO' } });
      expect(response.status).to.equal(415);
      expect(response.body.code).to.equal('unsupported_media_type');
    });
  }

  for (const [what, text] of [
    ['cut short', '{"engine": "vi'],
    ['not JSON', 'engine=vina'],
    ['two values', '{}{}'],
    ['blank', '   '],
    ['with a trailing comma', '{"engine":"vina",}'],
  ] as const) {
    it(`that is ${what} is refused with 400`, async () => {
      const response = await post(new FakeService(), 'application/json', text);
      expect(response.status).to.equal(400);
      expect(response.body.code).to.equal('malformed_json');
      expect(response.body.detail).not.to.contain('vi');
    });
  }

  it('that is not UTF-8 is refused with 400', async () => {
    const body = Buffer.from('{"engine":"vina","inputs":{"ligand":"\u00ff"}}', 'latin1');
    const response = await post(new FakeService(), 'application/json', body);
    expect(response.status).to.equal(400);
    expect(response.body.code).to.equal('malformed_json');
  });

  for (const text of ['[]', '"text"', '5', 'null', 'true', '[{}]']) {
    it(`that is JSON but no object (${text}) is refused with 422`, async () => {
      const response = await post(new FakeService(), 'application/json', text);
      expect(response.status).to.equal(422);
      expect(response.body.errors.map(({ path }: { path: string }) => path)).to.deep.equal(['body']);
    });
  }

  it('that is missing is refused with 422', async () => {
    const response = await new FakeService().acme('member').post('/jobs');
    expect(response.status).to.equal(422);
    expect(response.body.errors).to.deep.equal([{ path: 'body', message: 'is required' }]);
  });

  it('may have 1 MiB and not one byte more', async () => {
    const service = new FakeService();
    const [start, end] = ['{"engine":"vina","inputs":{"ligand":"', '"}}'];
    const filler = (bytes: number) => start + 'x'.repeat(bytes - start.length - end.length) + end;
    expect((await post(service, 'application/json', filler(1024 * 1024))).status).to.equal(201);
    const response = await post(service, 'application/json', filler(1024 * 1024 + 1));
    expect(response.status).to.equal(413);
    expect(response.body.code).to.equal('body_too_large');
  });

  it('that the client stops sending is no error, and leads to nothing', async () => {
    const service = new FakeService();
    const server = service.app.listen(0);
    try {
      const headers = {
        authorization: `Bearer ${service.tokens.of('acme', 'member')}`,
        'content-type': 'application/json',
        'content-length': '1000',
      };
      const aborted = request({ port: portOf(server), path: '/jobs', method: 'POST', headers });
      aborted.on('error', () => {});
      aborted.write('{"engine":');
      await new Promise((resolve) => server.once('request', resolve));
      setImmediate(() => aborted.destroy());
      await until('the request is over', () => service.requestLines.length > 0);
      await nextTurn();
      expect(service.logger.lines).to.have.length(1);
      expect(service.logger.lines[0]).to.deep.include({ level: 'info' });
      expect(service.observed.map(({ status }) => status)).to.deep.equal([499]);
      expect(service.databases.acquired).to.be.empty;
    } finally {
      server.close();
    }
  });
});
