import { expect } from 'chai';
import { effectiveSettings } from '../../../infrastructure/config/effective-settings.ts';
import { VARIABLES } from '../../../infrastructure/config/variables.ts';

describe('The configuration that operators see', () => {
  const shown = (environment: Readonly<Record<string, string>>) =>
    new Map(effectiveSettings(environment, () => 'file').map((setting) => [setting.name, setting]));

  it('has every variable, with its default unless it is set', () => {
    const settings = shown({ PORT: '80' });
    for (const [name, variable] of Object.entries(VARIABLES))
      if (!name.endsWith('<NAME>') && variable.section !== 'tests')
        expect([...settings.keys()]).to.include(name);
    expect(settings.get('PORT')).to.include({ value: '80', source: 'file' });
    expect(settings.get('HOST')).to.include({ value: '127.0.0.1', source: 'default' });
    expect(settings.get('DB_DATABASE_URL')).to.include({ value: null, source: 'default' });
  });

  it('has the variables of each server that is set, once', () => {
    const settings = effectiveSettings(
      { DB_CONNECTION_BUDGET_EU: '40', DB_ADMIN_URL_METADATA: 'postgresql://db/mad' },
      () => 'environment',
    ).map(({ name }) => name);
    expect(settings).to.include('DB_CONNECTION_BUDGET_EU');
    expect(settings.filter((name) => name === 'DB_ADMIN_URL_METADATA')).to.have.length(1);
    expect(settings.filter((name) => name.includes('<'))).to.deep.equal([]);
  });

  it('masks secrets, and whatever stands where a password does', () => {
    const secret = 'a secret that nobody may see';
    for (const name of Object.entries(VARIABLES).flatMap(([each, { kind }]) =>
      kind === 'secret' ? [each] : [],
    ))
      expect(shown({ [name]: secret }).get(name)).to.include({ value: '***', isSecret: true });
    const urls = [
      'postgresql://mad:s3cr:t/@et@db.example:5432/mad?sslmode=require',
      'postgresql://mad:s3cret@a:1,b:2/mad?sslmode=require',
      'postgresql://mad@db.example/mad?password=s3cret&sslpassword=s3cret',
    ];
    for (const url of urls) {
      const value = shown({ DB_DATABASE_URL: url }).get('DB_DATABASE_URL')?.value ?? '';
      expect(value)
        .to.match(/^postgresql:\/\/mad/)
        .and.include('***');
      expect(value).not.to.match(/s3cr|et@/);
    }
  });
});
