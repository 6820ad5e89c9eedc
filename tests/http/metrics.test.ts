import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  readDashboards,
  readMetricsPage,
  readRules,
  readRunbooks,
  readRuleTests,
  type Panel,
} from '../support/deployment-files.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { readMetrics, seriesOf, type ExportedMetric } from '../support/exported-metrics.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';
import { readExpression } from '../support/promql.ts';
import { until } from '../support/gate.ts';

/** Those that Prometheus itself gives every series. */
const OF_TARGETS = ['instance', 'job'];
/** Series that Prometheus itself makes. */
const OF_PROMETHEUS = new Map([
  ['ALERTS', new Set(['alertname', 'alertstate', 'severity'])],
  ['up', new Set<string>()],
]);

describe('The metrics of a running service', function () {
  this.timeout(180_000);
  let deployment: Deployment;
  let service: HttpService;
  let text: string;
  let metrics: ReadonlyMap<string, ExportedMetric>;
  let own: readonly ExportedMetric[];
  /** Of every series that a rule or a panel may name. */
  let labelsOf: ReadonlyMap<string, ReadonlySet<string>>;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('canary-organization');
    service = await HttpService.running(deployment.start(), ['canary-organization']);
    // Each has done something before it is looked at.
    const member = service.as(deployment.token('canary-organization', ['member']));
    const worker = service.as(deployment.token('canary-organization', ['worker']));
    const engines = ['vina', 'canary-organization'];
    for (const engine of engines)
      expect((await member.post<Job>('/jobs', { engine, inputs: { a: 1 } })).status).to.equal(201);
    expect((await member.get('/jobs/nonsense')).status).to.equal(422);
    const claim = { worker: { name: 'canary-organization' }, engines, limit: 1, lease_seconds: 60 };
    expect((await worker.post('/organizations/canary-organization/jobs/claim', claim)).status).to.equal(200);
    const background = service.container.get(TOKENS.background);
    await until('the entries are relayed', async () => {
      const rows = await deployment.metadata<object>('select from work_hints');
      return rows.length > 0;
    });
    for (const task of ['fleet_snapshot', 'server_sizes', 'process_beat', 'connection_share'])
      await background.run(task);
    ({ text } = await service.call('GET', '/metrics'));
    metrics = readMetrics(text);
    own = [...metrics.values()].filter(({ name }) => name.startsWith('mad_'));
    const recorded = readRules('rules.yml').map(({ record = '', expr }): [string, Set<string>] => [
      record,
      new Set(readExpression(expr).groupings),
    ]);
    const predicted = new Set(['server']);
    labelsOf = new Map([
      ...OF_PROMETHEUS,
      ...[...metrics.values()].flatMap(seriesOf),
      ...recorded,
      ['mad:results_server_bytes:predicted_3d', predicted],
    ]);
  });
  after(async () => {
    await service?.close();
    await deployment?.dispose();
  });

  const check = (where: string, expr: string): void => {
    const { errors, selectors, groupings } = readExpression(expr);
    expect(errors, where).to.deep.equal([]);
    const known = new Set(OF_TARGETS);
    for (const { metric, labels } of selectors) {
      const found = labelsOf.get(metric);
      expect(found, `${where}: nobody exports ${metric}`).not.to.equal(undefined);
      for (const label of found ?? []) known.add(label);
      const allowed = [...(found ?? []), ...OF_TARGETS];
      for (const label of labels)
        expect(allowed, `${where}: ${metric} has no label ${label}`).to.include(label);
    }
    for (const label of groupings) expect([...known], `${where} by ${label}`).to.include(label);
  };

  it('have nothing that Prometheus itself objects to', function () {
    needsProgram(this, 'promtool');
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).to.deep.equal([0, '', '']);
  });

  it('have been measured, all of them', () => {
    const empty = own.filter(({ name, type }) => {
      const sample = type === 'histogram' ? `${name}_count` : name;
      return !new RegExp(`^${sample}[ {]`, 'm').test(text);
    });
    expect(empty.map(({ name }) => name)).to.deep.equal([]);
  });

  it('name no organization, and no word that a client chose', () => {
    expect(text).not.to.include('canary');
    expect(own.flatMap(({ labels }) => [...labels])).not.to.include.members(['org_id']);
    expect(text)
      .to.match(/^mad_jobs_waiting\{engine="vina"\} /m)
      .and.match(/^mad_jobs_waiting\{engine="other"\} /m);
  });

  it('end in a unit, in _total, or count things', () => {
    const uncountable = own.filter(({ name, type }) => type === 'histogram' && !name.endsWith('_seconds'));
    expect(uncountable.map(({ name }) => name)).to.deep.equal([]);
    const milliseconds = own.filter(({ name }) =>
      /_(?:ms|millis|milliseconds|kb|mb|minutes)(?:_|$)/.test(name),
    );
    expect(milliseconds.map(({ name }) => name)).to.deep.equal([]);
  });

  it('are on the page about metrics, each as it is', () => {
    const rows = own
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ name, type, help, labels }) => {
        const names = [...labels].toSorted().map((label) => `\`${label}\``);
        return `| \`${name}\` | ${type} | ${names.join(', ')} | ${help} |`;
      });
    const page = readMetricsPage().split('\n');
    const written = page
      .filter((line) => line.startsWith('| `mad_'))
      .map((line) => line.replaceAll(/ +/g, ' '));
    expect(written.join('\n')).to.equal(rows.map((row) => row.replaceAll(/ +/g, ' ')).join('\n'));
  });

  it('are what the rules and the alerts ask for', () => {
    for (const file of ['rules.yml', 'alerts.yml'])
      for (const { record, alert, expr } of readRules(file)) check(String(record ?? alert), expr);
  });

  it('are what the tests of the rules are made of', () => {
    for (const { name, input_series } of readRuleTests())
      for (const { series } of input_series) check(name, series);
  });

  it('are what the runbooks and the page about metrics ask for, by routes that there are', () => {
    const routes = new Set(service.routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`));
    for (const [name, page] of [...readRunbooks(), ['docs/metrics.md', readMetricsPage()] as const]) {
      for (const [, expr = ''] of page.matchAll(/`([^`\n]*\bmad[_:][^`\n]*)`/g))
        if (!metrics.has(expr)) check(name, expr);
      for (const [, method = '', path = ''] of page.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`? ]*)/g))
        expect([...routes], name).to.include(`${method} ${path}`);
    }
  });

  describe('with a thousand organizations', () => {
    const DORMANT = 1000;
    const scrape = async (): Promise<string> => (await service.call('GET', '/metrics')).text;
    const valueOf = (name: string, scraped: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(scraped)?.[1]);

    before(async () => {
      await deployment.metadata(
        `with made as (
           insert into organizations (org_id, name) select 'dormant-' || n, 'Dormant' from generate_series(1, ${DORMANT}) n
           returning org_id)
         insert into organization_databases (org_id, database_name, state, stamp, schema_version)
         select org_id, 'nowhere_' || org_id, 'ready', gen_random_uuid(), 2 from made`,
      );
      await service.container.get(TOKENS.background).run('fleet_snapshot');
    });

    it('have no more series, and open no database', async () => {
      const scraped = await scrape();
      expect(valueOf('mad_schema_behind_organizations', scraped)).to.equal(DORMANT);
      expect(valueOf('mad_organization_pools\\{state="active"\\}', scraped)).to.equal(1);
      const namesIn = (metricsText: string): Set<string> =>
        new Set(Array.from(metricsText.matchAll(/^mad_\w+\{[^}]*\}/gm), ([series]) => series));
      // Requests of the tests before may be new ones, and tasks may have run for the first time.
      const isExpected = /^mad_(?:http_request_duration|background_last_)/;
      const before = namesIn(text);
      const added = [...namesIn(scraped)].filter((series) => !before.has(series) && !isExpected.test(series));
      expect(added).to.deep.equal([]);
    });

    it('show the one of which every request fails', async () => {
      const member = service.as(deployment.token('dormant-7', ['member']));
      const codes: string[] = [];
      for (let request = 0; request < 20; request += 1) {
        const { status, body } = await member.get<Problem>('/jobs');
        expect(status).to.equal(503);
        codes.push(body.code);
      }
      await service.container.get(TOKENS.background).run('process_beat');
      expect(valueOf('mad_organizations_failing', await scrape())).to.equal(1);
      const [code = ''] = codes;
      const alike = codes.filter((each) => each === code).length;
      expect(valueOf(`mad_refusals_total\\{code="${code}"\\}`, await scrape())).to.equal(alike);
      const platform = service.as(deployment.token(null, ['platform_admin']));
      const { body } = await platform.get<{ needs_you: readonly { code: string; sentence: string }[] }>(
        '/admin/overview',
      );
      const item = body.needs_you.find((each) => each.code === 'organizations_failing');
      expect(item?.sentence).to.include('dormant-7');
    });
  });

  describe('on dashboards', () => {
    const dashboards = [...readDashboards().values()];
    const panels = (all: readonly Panel[]): readonly Panel[] => all.filter(({ type }) => type !== 'row');

    it('have panels with a unit and a description, from a data source that is chosen', () => {
      expect(dashboards).to.have.length(4);
      for (const { title, panels: all, templating } of dashboards) {
        expect(templating.list.find(({ name }) => name === 'datasource')?.type, title).to.equal('datasource');
        for (const panel of panels(all)) {
          const where = `${title}: ${panel.title}`;
          expect(panel.description, where).to.be.a('string').and.match(/\.$/);
          expect(panel.fieldConfig?.defaults.unit, where).to.be.a('string');
          for (const { datasource } of [panel, ...(panel.targets ?? [])])
            expect(datasource?.uid, where).to.equal('${datasource}');
        }
      }
      expect(new Set(dashboards.map(({ uid }) => uid)).size).to.equal(dashboards.length);
    });

    it('are asked for by names that there are', () => {
      for (const { title, panels: all, templating } of dashboards) {
        for (const panel of panels(all)) {
          expect(panel.targets, panel.title).not.to.be.empty;
          for (const { expr } of panel.targets ?? [])
            check(`${title}: ${panel.title}`, expr.replaceAll('$__rate_interval', '5m'));
        }
        for (const { definition, name } of templating.list) {
          if (definition === undefined) continue;
          const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
          check(`${title}: $${name}`, `sum by (${label}) (${metric})`);
        }
      }
    });
  });
});
