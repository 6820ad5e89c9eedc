import { expect } from 'chai';
import { ConfigError } from '../../../infrastructure/config/config-error.ts';
import { parseWorkerConfig, readEngineConfig } from '../../../infrastructure/config/worker-config.ts';

const KEY = { WORKER_KEY: 'a-key' };

const problemOf = (environment: Readonly<Record<string, string>>): string => {
  try {
    parseWorkerConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('it was taken');
};

describe("a worker's configuration", () => {
  it('needs a key and nothing else', () => {
    const { engine, ...config } = parseWorkerConfig({ ...KEY, PATH: '/usr/bin' });
    expect(config).to.deep.include({
      serviceUrl: 'http://127.0.0.1:3000',
      credentials: { kind: 'key', key: 'a-key' },
      slots: 1,
      logLevel: 'info',
    });
    expect(config.name).to.match(new RegExp(`-${process.pid}$`));
    expect(engine).to.include({ program: 'vina', searchPath: '/usr/bin' });
    expect(engine.cores).to.be.at.least(1);
    expect(engine.memoryBytes).to.be.greaterThan(2 ** 20);
  });

  it('finds the service where HOST and PORT say that it listens', () => {
    const urlOf = (environment: Readonly<Record<string, string>>): string =>
      parseWorkerConfig({ ...KEY, ...environment }).serviceUrl;
    expect(urlOf({ HOST: '0.0.0.0', PORT: '81' })).to.equal('http://127.0.0.1:81');
    expect(urlOf({ HOST: '::1' })).to.equal('http://[::1]:3000');
    expect(urlOf({ WORKER_SERVICE_URL: 'https://mad.example/api/' })).to.equal('https://mad.example/api');
  });

  it('takes a password or a token in place of a key', () => {
    const login = { WORKER_EMAIL: 'w@acme.example', WORKER_PASSWORD: 'correct horse', WORKER_ORG_ID: 'acme' };
    expect(parseWorkerConfig(login).credentials).to.deep.equal({
      kind: 'password',
      email: 'w@acme.example',
      password: 'correct horse',
      organizationId: 'acme',
    });
    expect(parseWorkerConfig({ WORKER_TOKEN: 'e30.e30.x' }).credentials).to.deep.equal({
      kind: 'token',
      token: 'e30.e30.x',
    });
  });

  it("divides the machine among its slots, unless a job's memory is said", () => {
    const [one, four] = ['1', '4'].map((slots) => readEngineConfig({ WORKER_SLOTS: slots }));
    expect(four?.memoryBytes).to.be.closeTo((one?.memoryBytes ?? 0) / 4, 4);
    expect(readEngineConfig({ WORKER_MEMORY_MB: '512' }).memoryBytes).to.equal(512 * 2 ** 20);
  });

  const REFUSED: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{}, /^WORKER_KEY is not set; /],
    [{ WORKER_KEY: '' }, /^WORKER_KEY is not set; /],
    [{ WORKER_EMAIL: 'w@acme.example' }, /^WORKER_KEY is not set; /],
    [{ WORKER_KEY: 'a\nkey' }, /^WORKER_KEY holds a text of 5 characters; /],
    [{ ...KEY, WORKER_SLOTS: '0' }, /^WORKER_SLOTS holds "0"; it takes a whole number from 1 to 64$/],
    [
      { ...KEY, WORKER_SERVICE_URL: 'http://u:hun/ter2@mad' },
      /^WORKER_SERVICE_URL holds a text of 21 characters; it takes an http\(s\):\/\/ URL without credentials$/,
    ],
    [{ ...KEY, WORKER_SERVICE_URL: 'mad:3000' }, /^WORKER_SERVICE_URL holds a text of 8 characters; /],
    [{ ...KEY, WORKER_NAME: 'x'.repeat(101) }, /^WORKER_NAME holds /],
    [{ ...KEY, LOG_LEVEL: 'loud' }, /^LOG_LEVEL holds "loud"; /],
  ];
  for (const [environment, problem] of REFUSED) {
    it(`says what is wrong with ${JSON.stringify(environment)}`, () => {
      const said = problemOf(environment);
      expect(said).to.match(problem);
      expect(said.split('\n')).to.have.length(1);
    });
  }
});
