import { expect } from 'chai';
import { createContainer } from '../../infrastructure/composition/container.ts';
import { parseConfig } from '../../infrastructure/config/config.ts';
import { runCommandOn } from '../support/command-line.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { CommandOutcome } from '../support/fakes/fake-cli.ts';
import type { AuditEntry, Page } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

const ADMIN = { email: 'ada@acme.test', password: 'correct horse battery' };

describe('the way in to a deployment that has nobody', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const command = (...argv: readonly string[]): Promise<CommandOutcome> =>
    runCommandOn(deployment.start(), argv, {}, { readPassword: async () => ADMIN.password });
  const actions = async (token: string): Promise<readonly (readonly [string, string | null])[]> => {
    const { body } = await service.as(token).get<Page<AuditEntry>>('/admin/audit-logs');
    return body.items.map(({ action, user_id: userId }) => [action, userId]);
  };

  it('is a platform administrator whom an operator makes, and who logs in at once', async () => {
    expect(await command('users', 'create-admin', '--email', ADMIN.email)).to.include({
      exitCode: 0,
      stderr: '',
    });
    const login = await service.as('').post<{ access_token: string }>('/auth/token', ADMIN);
    expect(login.status, login.text).to.equal(200);
    const token = login.body.access_token;
    expect((await service.as(token).get('/organizations')).status).to.equal(200);
    expect(await actions(token)).to.deep.include(['user.created', null]);

    expect(await command('users', 'create-admin', '--email', ADMIN.email)).to.include({
      exitCode: 1,
      stderr: 'A user of this email exists already.',
    });
  });

  it('is an operator’s token, as often as it is asked for, and the trail has each', async () => {
    const { exitCode, stdout } = await command('token');
    expect(exitCode).to.equal(0);
    expect((await service.as(stdout).get('/organizations')).status).to.equal(200);
    await command('token');
    const granted = (await actions(stdout)).filter(([action]) => action === 'operator_token.granted');
    expect(granted).to.deep.equal([
      ['operator_token.granted', 'operator'],
      ['operator_token.granted', 'operator'],
    ]);
  });

  it('needs a secret to sign with', async () => {
    const { JWT_SECRET: _secret, ...environment } = deployment.environment;
    const container = createContainer(
      parseConfig({ ...environment, JWT_JWKS_URL: 'https://id.example/keys' }),
    );
    expect(await runCommandOn(container, ['token'])).to.include({
      exitCode: 1,
      stdout: '',
      stderr: 'JWT_SECRET is not set: without it this deployment issues no tokens.',
    });
  });
});
