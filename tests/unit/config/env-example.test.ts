import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseConfig } from '../../../infrastructure/config/config.ts';

const PROJECT = new URL('../../../', import.meta.url);
const CONFIG = new URL('infrastructure/config/', PROJECT);

/** Every line of `.env.example` that names a variable: all are commented out. */
const exampleEntries = (): readonly (readonly [name: string, value: string])[] =>
  [...readFileSync(new URL('.env.example', PROJECT), 'utf8').matchAll(/^# ([A-Z][A-Z_]+)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value],
  );

describe('.env.example', () => {
  it('names every variable that the configuration reads, once', () => {
    const read = readdirSync(CONFIG)
      .map((file) => readFileSync(new URL(file, CONFIG), 'utf8'))
      .flatMap((text) => [
        ...text.matchAll(/'((?:DB|JWT|BOOTSTRAP|READY|LOG|LOGIN|NODE|TRUSTED)_[A-Z_]+|HOST|PORT)'/g),
      ])
      .map(([, name]) => name);
    expect(read.length).to.be.greaterThan(30);
    expect(exampleEntries().map(([name]) => name)).to.have.members([...new Set(read), 'TEST_DATABASE_URL']);
  });

  it('shows the variables that add a server', () => {
    const text = readFileSync(new URL('.env.example', PROJECT), 'utf8');
    for (const name of ['DB_RESULTS_DB_TEMPLATE', 'DB_CONNECTION_BUDGET', 'DB_ADMIN_URL'])
      expect(text).to.include(`# ${name}_<NAME>=`);
  });

  it('shows the defaults', () => {
    const required = {
      DB_DATABASE_URL: 'postgresql://mad:password@localhost:5432/mad',
      JWT_SECRET: 'a secret of more than thirty-two characters',
    };
    const shown = Object.fromEntries(exampleEntries().filter(([, value]) => value !== ''));
    expect(JSON.stringify(parseConfig({ ...shown, ...required }))).to.equal(
      JSON.stringify(parseConfig(required)),
    );
  });
});
