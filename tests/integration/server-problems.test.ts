import { expect } from 'chai';
import { DatabaseError } from 'pg';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { ServerProblems } from '../../infrastructure/servers/server-problems.ts';
import { captureLog } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { watchAdminStatements } from '../support/provisioning-steps.ts';
import { defaultServer } from '../support/servers.ts';
import { FakeLogger } from '../support/fakes/fake-logger.ts';

const ACME = organizationId('acme');
const PASSWORD = 'a password of the test';
const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };

interface Readiness {
  readonly status: string;
  readonly checks: { readonly server_problems: Readonly<Record<string, readonly string[]>> };
}
interface Servers {
  readonly items: readonly { readonly server_id: string; readonly problems: readonly string[] }[];
}

describe('a server that answers, and something is wrong with it', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  const services: HttpService[] = [];

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
  });
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.close()));
    await deployment.dispose();
  });

  /** A login of the results server with these rights, and the settings by which the service uses it. */
  const asLogin = async (rights: string) => {
    const login = deployment.databaseName('login');
    await deployment.administer(`create role "${login}" login password '${PASSWORD}' ${rights}`);
    const template = DatabaseUrl.parse(deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '');
    return {
      login,
      settings: { DB_RESULTS_DB_TEMPLATE: template.withCredentials(login, PASSWORD).toString() },
    };
  };
  const readiness = async (service: HttpService): Promise<Readiness> => {
    const { status, body } = await service.as('nobody').get<Readiness>('/ready');
    expect(status).to.equal(200);
    return body;
  };

  it('tells that its login may create no databases, tries ever more seldom, and goes on when it may', async () => {
    const { login, settings } = await asLogin('');
    const container = deployment.start(settings);
    const statements = watchAdminStatements(container);
    const log = captureLog(container);
    const service = await HttpService.over(deployment, container, ['acme', 'beta']);
    services.push(service);
    const jobs = (organization: string) =>
      service.as(deployment.token(organization, ['member'])).post('/jobs', SUBMISSION);
    const attempts = (): number => statements.filter(({ text }) => text.startsWith('create database')).length;

    const start = await rejectionOf(defaultServer(container).template.ready());
    expect(start).to.be.instanceOf(DatabaseProvisioningError);
    expect(String(start)).to.match(
      /its login may not create databases: see "npm run cli -- servers check default"/,
    );
    const before = attempts();
    for (let request = 0; request < 20; request += 1) {
      const { status, headers } = await jobs(request % 2 === 0 ? 'acme' : 'beta');
      expect(status).to.equal(503);
      expect(Number(headers['retry-after'])).to.be.within(1, 30);
    }
    // Each makes the next one come twice as late.
    expect(attempts() - before, 'tries of 20 requests').to.be.below(5);
    expect(log.filter(({ level }) => level === 'error')).to.have.length.below(6);

    expect(await readiness(service)).to.deep.include({ status: 'ready' });
    const { checks } = await readiness(service);
    expect(checks.server_problems).to.deep.equal({ default: ['cannot_create_databases'] });
    const platform = service.as(deployment.token(null, ['platform_admin']));
    const { body } = await platform.get<Servers>('/admin/servers');
    expect(body.items.map(({ problems }) => problems)).to.deep.equal([['cannot_create_databases']]);

    await deployment.administer(`alter role "${login}" createdb`);
    await until('the back-off is over', () => defaultServer(container).refusal === null);
    expect((await jobs('acme')).status).to.equal(201);
    expect((await readiness(service)).checks.server_problems).to.deep.equal({});
  });

  it('tells that its login may create no roles, and makes nothing for organizations without theirs', async () => {
    const { settings } = await asLogin('createdb');
    const container = deployment.start({
      ...settings,
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
    });
    const error = await rejectionOf(container.get(TOKENS.connectionManager).acquire(ACME));
    expect(String(error)).to.match(/could not be made|may not create roles/);
    expect(defaultServer(container).problems.current).to.deep.equal(['cannot_create_roles']);
  });

  it('has a full disk for as long as statements meet it, and a minute longer; the log says so once', () => {
    let now = 0;
    const logger = new FakeLogger();
    const problems = new ServerProblems({
      serverId: DEFAULT_SERVER,
      hasRoles: true,
      logger,
      now: () => now,
    });
    const note = (code: string): void =>
      problems.noteError(Object.assign(new DatabaseError('refused', 7, 'error'), { code }));
    note('23505');
    expect(problems.current).to.deep.equal([]);
    note('53100');
    now = 50_000;
    note('53100');
    now = 109_999;
    expect(problems.current).to.deep.equal(['disk_full']);
    now = 110_000;
    expect(problems.current).to.deep.equal([]);
    expect(logger.said).to.deep.equal(['The server "default" answers, and its disk is full.']);
    note('58030');
    expect(problems.current).to.deep.equal(['io_error']);
  });

  it('tells operators that its disk is full, and stays in rotation', async () => {
    const service = await HttpService.start(deployment, ['acme']);
    services.push(service);
    const member = service.as(deployment.token('acme', ['member']));
    expect((await member.post('/jobs', SUBMISSION)).status).to.equal(201);
    await deployment.administer(
      `create function is_full() returns trigger language plpgsql as
         $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
       create trigger is_full before insert on docking_jobs for each row execute function is_full()`,
      [],
      deployment.databaseName('acme'),
    );
    expect((await member.post('/jobs', SUBMISSION)).status).to.equal(503);
    expect((await readiness(service)).checks.server_problems).to.deep.equal({ default: ['disk_full'] });
    expect((await member.get('/jobs')).status).to.equal(200);
    const platform = service.as(deployment.token(null, ['platform_admin']));
    const { body } = await platform.get<Servers>('/admin/servers');
    expect(body.items.map(({ problems }) => problems)).to.deep.equal([['disk_full']]);
  });
});
