import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseConfig } from '../../../infrastructure/config/config.ts';
import { VARIABLES } from '../../../infrastructure/config/variables.ts';
import { configurationPage, exampleFile } from './configuration-pages.ts';

const PROJECT = new URL('../../../', import.meta.url);
const CONFIG = new URL('infrastructure/config/', PROJECT);
const OUTDATED = 'written anew by "npm run configuration"';

const fileText = (name: string): string => readFileSync(new URL(name, PROJECT), 'utf8');

/** Every line of `.env.example` that names a variable: all are commented out. */
const exampleEntries = (): readonly (readonly [name: string, value: string])[] =>
  [...fileText('.env.example').matchAll(/^# ([A-Z][A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);

describe('The table of the configuration', () => {
  it('has every variable that is read, and no other', () => {
    const read = readdirSync(CONFIG)
      .filter((file) => file !== 'variables.ts')
      .map((file) => readFileSync(new URL(file, CONFIG), 'utf8'))
      .flatMap((text) => [...text.matchAll(/'([A-Z]+_[A-Z_]+|HOST|PORT)'/g)])
      .map(([, name]) => name);
    const single = Object.keys(VARIABLES).filter((name) => !name.endsWith('<NAME>'));
    expect([...new Set(read)]).to.have.members(single.filter((name) => name !== 'TEST_DATABASE_URL'));
  });

  it('says of each in one sentence what it means', () => {
    for (const [name, { means }] of Object.entries(VARIABLES))
      expect(means, name).to.match(/^[A-Z`].{10,}[^.]$/s);
  });

  it('is what .env.example and docs/configuration.md show', () => {
    expect(fileText('.env.example') === exampleFile(), `.env.example is ${OUTDATED}`).to.equal(true);
    expect(
      fileText('docs/configuration.md') === configurationPage(),
      `docs/configuration.md is ${OUTDATED}`,
    ).to.equal(true);
  });

  it('is all that the README and the first steps in production name', () => {
    const named = [
      ...`${fileText('README.md')}${fileText('docs/production.md')}`.matchAll(
        /`((?:DB|JWT|LOGIN|SHUTDOWN)_[A-Z_]+(?:<NAME>)?)[`=]/g,
      ),
    ].map(([, name]) => name ?? '');
    expect(named.length).to.be.greaterThan(5);
    for (const name of named) expect(Object.keys(VARIABLES)).to.include(name);
  });
});

describe('.env.example', () => {
  it('shows the variables that add a server', () => {
    for (const name of ['DB_RESULTS_DB_TEMPLATE', 'DB_CONNECTION_BUDGET'])
      expect(fileText('.env.example')).to.include(`# ${name}_<NAME>=`);
  });

  it('shows the defaults', () => {
    const required = {
      DB_DATABASE_URL: 'postgresql://mad:password@localhost:5432/mad',
      JWT_SECRET: 'a secret of more than thirty-two characters',
    };
    const shown = Object.fromEntries(exampleEntries().filter(([, value]) => value !== ''));
    expect(Object.keys(shown).length).to.be.greaterThan(30);
    expect(JSON.stringify(parseConfig({ ...shown, ...required }))).to.equal(
      JSON.stringify(parseConfig(required)),
    );
  });
});
