import { expect } from 'chai';
import { PrometheusMetrics } from '../../../adapters/prometheus/prometheus-metrics.ts';

describe('PrometheusMetrics', () => {
  it('counts requests by method, route and status', async () => {
    const metrics = new PrometheusMetrics();

    metrics.observe({
      method: 'GET',
      route: '/organizations/:org_id/jobs',
      status: 200,
      seconds: 0.02,
    });
    metrics.observe({ method: 'GET', route: '/organizations/:org_id/jobs', status: 200, seconds: 3 });
    const { contentType, body } = await metrics.renderMetrics();

    expect(contentType).to.match(/^text\/plain; version=0\.0\.4/);
    const labels = 'method="GET",route="/organizations/:org_id/jobs",status="200"';
    expect(body).to.contain(`mad_http_request_duration_seconds_count{${labels}} 2`);
    expect(body).to.contain(`mad_http_request_duration_seconds_bucket{le="0.025",${labels}} 1`);
  });

  it('reads a snapshot at each scrape, and forgets labels that left it', async () => {
    const metrics = new PrometheusMetrics();
    let states = [
      { labels: { state: 'ready' }, value: 3 },
      { labels: { state: 'draining' }, value: 1 },
    ];
    let evicted = 5;
    metrics.registerGauge({ name: 'pools', help: 'Pools', labels: ['state'], read: () => states });
    metrics.registerGauge({ name: 'connections', help: 'Connections', read: () => evicted * 2 });
    metrics.registerCounter({ name: 'evictions_total', help: 'Evictions', read: () => evicted });

    const first = (await metrics.renderMetrics()).body;
    states = [{ labels: { state: 'ready' }, value: 4 }];
    evicted = 7;
    const second = (await metrics.renderMetrics()).body;

    expect(first).to.contain('mad_pools{state="ready"} 3').and.contain('mad_pools{state="draining"} 1');
    expect(first).to.contain('mad_connections 10').and.contain('mad_evictions_total 5');
    expect(second).to.contain('mad_pools{state="ready"} 4').and.not.contain('draining');
    expect(second).to.contain('mad_connections 14').and.contain('mad_evictions_total 7');
  });

  it('shares nothing between two instances', async () => {
    const one = new PrometheusMetrics();
    const two = new PrometheusMetrics();
    one.registerGauge({ name: 'pools', help: 'Pools', read: () => 1 });

    expect((await two.renderMetrics()).body).to.not.contain('mad_pools');
    expect(() => one.registerGauge({ name: 'pools', help: 'Pools', read: () => 1 })).to.throw(Error);
  });

  it('tells of the process when asked to, under the names that stock dashboards look for', async () => {
    expect((await new PrometheusMetrics().renderMetrics()).body).to.not.contain('process_');
    const { body } = await new PrometheusMetrics({ ofProcess: true }).renderMetrics();
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(body).to.match(new RegExp(`^${name} `, 'm'));
  });

  it('ends the name of a counter, and of nothing else, in _total', async () => {
    const { body } = await new PrometheusMetrics({ ofProcess: true }).renderMetrics();
    const types = Array.from(body.matchAll(/^# TYPE (\w+) (\w+)$/gm), ([, name = '', type]) => ({
      name,
      type,
    }));
    expect(types).not.to.be.empty;
    for (const { name, type } of types) expect(name.endsWith('_total'), name).to.equal(type === 'counter');
  });
});
