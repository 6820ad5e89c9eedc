import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const CHECK = read('infrastructure/bin/check-node.cjs');

/** What the check says to a Node of that version; null when it lets it pass. */
const answerTo = (version: string): string | null => {
  let said = '';
  let status: number | null = null;
  const stderr = { write: (text: string) => (said += text) };
  const exit = (code: number): void => {
    status = code;
  };
  runInNewContext(CHECK, { process: { versions: { node: version }, stderr, exit } });
  return status === 1 ? said : null;
};

describe('the check that comes before each program', () => {
  for (const version of ['0.12.18', '18.20.8', '20.18.3'])
    it(`tells Node ${version} what is needed, in one line`, () => {
      expect(answerTo(version)).to.match(/^This needs Node 20\.19 or newer.*\n$/);
    });

  for (const version of ['20.19.0', '20.20.2', '22.0.0', '26.1.0'])
    it(`lets Node ${version} pass`, () => {
      expect(answerTo(version)).to.equal(null);
    });

  it('asks for what the package asks for', () => {
    const { engines } = readManifest();
    const min = /MIN = \[(\d+), (\d+)\]/.exec(CHECK);
    expect(engines.node).to.equal(`>=${min?.[1]}.${min?.[2]}`);
    expect(Number(read('.nvmrc')), 'what nvm takes').to.be.at.least(Number(min?.[1]));
  });

  it('is the first that the entry to all programs loads, and an old Node loads nothing more', () => {
    const loaded: string[] = [];
    const load = (path: string): void => {
      loaded.push(path);
      if (path.endsWith('check-node.cjs')) throw new Error('exit');
    };
    const entry = read('infrastructure/bin/mad.cjs').replace(/^#!.*/, '');
    expect(() => runInNewContext(entry, { require: load })).to.throw('exit');
    expect(loaded).to.deep.equal(['./check-node.cjs']);
  });

  it('comes before every script that runs the project, its build as well', () => {
    const { scripts, bin } = readManifest();
    expect(bin.mad).to.equal('infrastructure/bin/mad.cjs');
    for (const name of ['start', 'start:built', 'worker', 'demo', 'cli', 'knex'])
      expect(scripts[name], name).to.match(/^exec node \S+\/mad\.cjs\b/);
    for (const name of ['test', 'bench'])
      expect(scripts[name], name).to.match(/^node \S+\/check-node\.cjs && /);
  });
});

interface Manifest {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: { readonly mad: string };
}

const readManifest = (): Manifest => JSON.parse(read('package.json'));
