import { expect } from 'chai';
import { unknownVariables } from '../../../infrastructure/config/unknown-variables.ts';
import { VARIABLES } from '../../../infrastructure/config/variables.ts';

const found = (...names: readonly string[]): readonly string[] =>
  unknownVariables(Object.fromEntries(names.map((name) => [name, 'x']))).map(
    ({ name, meant }) => `${name}: ${meant}`,
  );

describe('Variables that nobody reads', () => {
  it('are named with the name that was probably meant', () => {
    expect(
      found('DB_POOLSIZE', 'DB_ORG_ROLE', 'JWT_SECRT', 'BOOTSTRAP_ADMIN_MAIL', 'READY_STRIKT', 'NODE_EVN'),
    ).to.deep.equal([
      'DB_POOLSIZE: DB_POOL_SIZE',
      'DB_ORG_ROLE: DB_ORG_ROLES',
      'JWT_SECRT: JWT_SECRET',
      'BOOTSTRAP_ADMIN_MAIL: BOOTSTRAP_ADMIN_EMAIL',
      'READY_STRIKT: READY_STRICT',
      'NODE_EVN: NODE_ENV',
    ]);
    expect(found('db_pool_size', 'DB_CONNECTION_BUDGETS_EU')[0]).to.equal('db_pool_size: DB_POOL_SIZE');
    expect(found('DB_CONNECTION_BUDGETS_EU')).to.have.length(1);
  });

  it('are none of those that are read, families of a server included', () => {
    expect(found(...Object.keys(VARIABLES).filter((name) => !name.endsWith('<NAME>')))).to.deep.equal([]);
    expect(found('DB_RESULTS_DB_TEMPLATE_EU', 'DB_CONNECTION_BUDGET_us_2')).to.deep.equal([]);
  });

  it('are none of other programs', () => {
    expect(
      found(
        'NODE_OPTIONS',
        'NODE_EXTRA_CA_CERTS',
        'LOG_DIR',
        'TEST_SEED',
        'HOSTNAME',
        'HOME',
        'npm_config_cache',
      ),
    ).to.deep.equal([]);
    expect(unknownVariables({ DB_POOLSIZE: undefined })).to.deep.equal([]);
  });
});
