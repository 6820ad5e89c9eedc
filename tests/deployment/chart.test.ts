import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { withSecretFiles } from '../../infrastructure/config/secret-files.ts';
import { unknownVariables } from '../../infrastructure/config/unknown-variables.ts';
import { VARIABLES } from '../../infrastructure/config/variables.ts';
import { needsProgram } from '../support/programs.ts';
import { helm, valuesFile } from './helm-program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(import.meta.url);
/** Between the end of the service's own deadline and the SIGKILL. */
const MARGIN_SECONDS = 5;

const VALUES = readdirSync(valuesFile('')).toSorted();

interface Pod {
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly { readonly name: string }[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Pod;
    };
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly groups?: unknown;
  };
  readonly data?: Readonly<Record<string, string>>;
}

/** What an upgrade of the chart with a file of values gives to Kubernetes. */
const manifestsOf = (values: string, ...options: readonly string[]): readonly Manifest[] => {
  const { status, output, errors } = helm(
    ['template', 'lab'],
    ['--is-upgrade', '--values', valuesFile(values), ...options],
  );
  expect(status, errors).to.equal(0);
  // Kubernetes reads YAML 1.1; the checks below say what is in it.
  return parseAllDocuments(output, { version: '1.1' })
    .map((document): unknown => document.toJS())
    .filter((manifest): manifest is Manifest => manifest !== null);
};

const modelOf = ({ apiVersion }: Manifest): string =>
  apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;

/** Of kind `kind`, whose names end as said. */
const find = (manifests: readonly Manifest[], kind: string, end = ''): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name.endsWith(end));
  if (found === undefined) throw new Error(`there is no ${kind} …${end}`);
  return found;
};

const podOf = (manifest: Manifest): Pod => {
  if (manifest.spec?.template === undefined) throw new Error(`a ${manifest.kind} has a template of pods`);
  return manifest.spec.template.spec;
};

const environmentOf = (manifest: Manifest): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    podOf(manifest).containers.flatMap(({ env }) => env.map(({ name, value }) => [name, value])),
  );

const variableOf = (fileVariable: string): string => fileVariable.replace(/_FILE$/, '');

describe('The chart', function () {
  this.timeout(120_000);

  before(function () {
    needsProgram(this, 'unzip');
  });

  for (const values of VALUES) {
    it(`passes helm's strict checks with ${values}`, () => {
      const { status, output, errors } = helm(['lint', '--strict'], ['--values', valuesFile(values)]);
      expect(status, `${output}${errors}`).to.equal(0);
    });

    it(`makes documents that Kubernetes takes, of ${values}`, () => {
      for (const manifest of manifestsOf(values)) {
        const models: Readonly<Record<string, new (data: object) => { validate(): void }>> = require(
          modelOf(manifest),
        );
        const Model = models[manifest.kind];
        if (Model === undefined) throw new Error(`Kubernetes has no ${manifest.apiVersion} ${manifest.kind}`);
        expect(() => new Model(manifest).validate(), manifest.metadata.name).not.to.throw();
      }
    });
  }

  /** Validators let through what they do not know, and so does Kubernetes: a mistyped name is then without effect. */
  it('uses no name that Kubernetes does not have', () => {
    const literals = VALUES.flatMap((values, index) =>
      manifestsOf(values).map((manifest, place) => ({ manifest, name: `document_${index}_${place}` })),
    );
    const folder = mkdtempSync(join(ROOT, '.cache/documents-'));
    try {
      const check = (source: string): string => {
        const file = join(folder, 'documents.ts');
        writeFileSync(file, source);
        const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
        const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--types', ''];
        return spawnSync(process.execPath, [compiler, ...options, '--module', 'nodenext', file], {
          encoding: 'utf8',
        }).stdout;
      };
      const typed = ({ manifest, name }: (typeof literals)[number]): string =>
        `import type { I${manifest.kind} as ${name}_type } from '${modelOf(manifest)}';\n` +
        `export const ${name}: ${name}_type = ${JSON.stringify(manifest)};`;
      const source = literals.map(typed).join('\n');
      expect(check(source)).to.equal('');
      // A check that lets this through would let anything through.
      expect(check(source.replace('"startupProbe"', '"startupProb"'))).to.include('startupProb');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('lets a pod finish its own stop, however long that is said to be', () => {
    for (const values of VALUES) {
      const deployment = find(manifestsOf(values), 'Deployment', 'lab-mad');
      const timeoutMs = Number(environmentOf(deployment)['SHUTDOWN_TIMEOUT_MS']);
      expect(timeoutMs, values).to.be.at.least(VARIABLES.SHUTDOWN_TIMEOUT_MS.fallback);
      expect(podOf(deployment).terminationGracePeriodSeconds, values).to.be.at.least(
        timeoutMs / 1000 + MARGIN_SECONDS,
      );
    }
    const long = find(manifestsOf('s3-values.yaml'), 'Deployment');
    expect(podOf(long).terminationGracePeriodSeconds).to.equal(70);
  });

  it('refuses more replicas than the budget of connections carries', () => {
    const errorsWith = (values: string, ...settings: readonly string[]): string =>
      helm(
        ['template', 'lab'],
        ['--values', valuesFile(values), ...settings.flatMap((each) => ['--set', each])],
      ).errors;
    // 80 connections: (7 + 1) × 2 × 5.
    expect(errorsWith('smallest-values.yaml', 'replicas=7')).not.to.include('Error');
    expect(errorsWith('smallest-values.yaml', 'replicas=8')).to.include('databases.connectionBudget has 80');
    expect(errorsWith('s3-values.yaml', 'autoscaling.maxReplicas=11')).to.include('want 120 connections');
    expect(errorsWith('smallest-values.yaml', 'databases.orgPoolSize=20')).to.include('want 120 connections');
  });

  it('refuses values that it does not know, cannot be, or that keep files on a disk of one pod', () => {
    const refused = (...settings: readonly string[]): string =>
      helm(
        ['template', 'lab'],
        settings.flatMap((each) => ['--set', each]),
      ).errors;
    const claim = 'files.existingClaim=x';
    expect(refused(claim)).not.to.include('Error');
    for (const settings of [
      [],
      ['files.url=file:///data'],
      [claim, 'replica=2'],
      [claim, 'image.tag=latest'],
      [claim, 'secret.keys={JWT_SECRET}'],
      [claim, 'env.SHUTDOWN_TIMEOUT_MS=90000'],
      [claim, 'env.JWT_SECRET=in-plain-sight'],
    ])
      expect(refused(...settings), settings.join()).to.include('values don');
  });

  it('sets variables that the service reads, and mounts the files that they name', () => {
    for (const values of VALUES)
      for (const manifest of manifestsOf(values).filter(({ kind }) => ['Deployment', 'Job'].includes(kind))) {
        const environment = environmentOf(manifest);
        const isFile = (name: string): boolean => environment[name]?.startsWith('/run/secrets/mad/') === true;
        const files = Object.keys(environment).filter(isFile);
        expect(files.length, values).to.be.greaterThan(0);
        const read = Object.keys(environment).map((name) => [isFile(name) ? variableOf(name) : name, 'x']);
        expect(unknownVariables(Object.fromEntries(read)), values).to.deep.equal([]);
        for (const name of files) {
          expect(environment[name]).to.equal(`/run/secrets/mad/${variableOf(name)}`);
          expect(() => withSecretFiles({ [name]: '/nowhere/at/all' }), name).to.throw('cannot be read');
        }
        const { containers, volumes } = podOf(manifest);
        for (const { volumeMounts } of containers)
          expect(volumes.map(({ name }) => name)).to.include.members(volumeMounts.map(({ name }) => name));
      }
  });

  it('hands numbers over as the digits that they are written with', () => {
    const environment = environmentOf(find(manifestsOf('everything-values.yaml'), 'Deployment', 'lab-mad'));
    expect(environment).to.include({
      DB_POOL_SIZE: '10',
      ORG_STORAGE_BYTES: '5000000000',
      OTEL_TRACES_SAMPLER_ARG: '0.05',
      TRACE_ORGANIZATIONS: 'true',
      SHUTDOWN_TIMEOUT_MS: '1200000',
    });
  });

  it('migrates before the rollout and after it, and says that some are left only to those who ask', () => {
    const manifests = manifestsOf('smallest-values.yaml');
    const hooks = manifests.filter(({ kind }) => kind === 'Job');
    expect(hooks.map(({ metadata }) => metadata.annotations?.['helm.sh/hook'])).to.have.members([
      'pre-upgrade',
      'post-upgrade',
    ]);
    const [before] = podOf(find(manifests, 'Job', 'before')).containers;
    expect([before?.command, before?.args]).to.deep.equal([undefined, ['migrate', 'run']]);
    const { command = [], args = [] } = podOf(find(manifests, 'Job', 'after')).containers[0] ?? {};
    expect(args).to.deep.equal(['migrate', 'run']);
    // The command of the job, with a program in place of `mad` that ends as it is told.
    const exitCodeWhen = (code: number): number | null => {
      const [program = '', ...rest] = command.slice(command.indexOf('node'));
      const script = rest.map((text) =>
        text.replace("'dist/infrastructure/bin/mad.cjs'", `'-e', 'process.exit(${code})'`),
      );
      expect(script.join()).to.include('process.exit(');
      return spawnSync(program, [...script, ...args]).status;
    };
    expect([0, 1, 2, 3].map(exitCodeWhen)).to.deep.equal([0, 1, 2, 0]);
    expect(manifestsOf('migrated-by-hand-values.yaml').map(({ kind }) => kind)).not.to.include('Job');
  });

  it('selects its own pods alone, by labels that an upgrade does not change', () => {
    const manifests = manifestsOf('everything-values.yaml');
    for (const end of ['lab-mad', 'lab-mad-worker']) {
      const { spec } = find(manifests, 'Deployment', end);
      const labels = spec?.selector?.matchLabels ?? {};
      expect(Object.keys(labels)).to.have.members([
        'app.kubernetes.io/name',
        'app.kubernetes.io/instance',
        'app.kubernetes.io/component',
      ]);
      expect(spec?.template?.metadata.labels).to.include(labels);
    }
  });

  it('hands the rules, the alerts and the dashboards of this project over as they are', () => {
    const manifests = manifestsOf('everything-values.yaml');
    for (const name of ['rules', 'alerts']) {
      const text = readFileSync(join(ROOT, `infrastructure/deployment/prometheus/${name}.yml`), 'utf8');
      expect(find(manifests, 'PrometheusRule', name).spec).to.deep.equal(parse(text));
    }
    const dashboards = readdirSync(join(ROOT, 'infrastructure/deployment/grafana'));
    expect(Object.keys(find(manifests, 'ConfigMap').data ?? {})).to.have.members(
      dashboards.filter((name) => name.endsWith('.json')),
    );
  });

  it('has the version of the service, and can be packed', () => {
    const { version }: { readonly version: string } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    );
    const { output } = helm(['show', 'chart']);
    expect(output).to.include(`appVersion: ${version}\n`).and.include(`\nversion: ${version}`);
    const folder = mkdtempSync(join(ROOT, '.cache/chart-'));
    try {
      expect(helm(['package'], ['--destination', folder]).status).to.equal(0);
      const files = execFileSync('tar', ['-tzf', join(folder, `mad-${version}.tgz`)], {
        encoding: 'utf8',
      }).split('\n');
      expect(files).to.include.members([
        'mad/values.schema.json',
        'mad/files/alerts.yml',
        'mad/files/rules.yml',
      ]);
      expect(files.filter((file) => file.includes('/ci/'))).to.deep.equal([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
