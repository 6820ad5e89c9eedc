import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LazyTracing } from '../../adapters/opentelemetry/lazy-tracing.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { FakeLogger } from '../support/fakes/fake-logger.ts';
import {
  AN_HOUR_MS,
  BOX,
  HEARTBEAT_MS,
  ligandOf,
  RECEPTOR,
  ShortWaits,
  startWorker,
} from '../support/fakes/running-worker.ts';
import { until } from '../support/gate.ts';
import type { Job } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { TraceReceiver, type ReceivedSpan } from '../support/trace-receiver.ts';

const CANARY = 'canary-of-a-caller';
const SERVER = 2;
const REMOTE = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const UNSAMPLED = '1bf7651916cd43dd8448eb211c80319c';
const JOBS = '/organizations/{org_id}/jobs';

describe('Tracing', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let receiver: TraceReceiver;
  let folder: string;
  let log: readonly LogEntry[];
  let service: HttpService;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mad-test-tracing-'));
    receiver = await TraceReceiver.start();
    deployment = await createDeployment({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=of%20the%20collector',
    });
    const container = deployment.start();
    log = captureLog(container);
    service = await HttpService.running(container, ['acme']);
    await deployment.register('acme');
  });
  /** Everything first: spans are sent when the service ends, at the latest. */
  before(async () => {
    const { container } = service;
    const token = deployment.token('acme', ['member', 'worker']);
    const acme = service.as(token);
    const upload = async (text: string): Promise<string> => {
      const response = await fetch(`${service.url}/files`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'chemical/x-pdbqt' },
        body: text,
      });
      const { sha256 } = (await response.json()) as { readonly sha256: string }; // as documented
      return `sha256:${sha256}`;
    };
    const path = '/organizations/acme/jobs';

    const submitted = await acme.post<Job>(path, { engine: 'none', inputs: { ligand: CANARY } });
    expect(submitted.status, submitted.text).to.equal(201);
    const one = `${path}/${submitted.body.job_id}`;
    await acme.get(one, { 'X-Request-Id': `${CANARY}-header` });
    container.get(TOKENS.connectionManager).forgetPlacement(organizationId('acme'));
    await acme.get(`${path}?label=${CANARY}`);
    await acme.get(one, { traceparent: `00-${REMOTE.trace}-${REMOTE.span}-01`, tracestate: 'other=1' });
    await acme.get(one, { traceparent: `00-${UNSAMPLED}-${REMOTE.span}-00` });
    await acme.get(one, { traceparent: `00-${CANARY}` });
    await service.call('GET', `/${CANARY}`, { token });

    const inputs = {
      receptor: { file: await upload(RECEPTOR), name: `${CANARY}.pdbqt` },
      ligand: { file: await upload(ligandOf('fine')) },
    };
    const docked = await acme.post<Job>(path, { engine: 'vina', inputs, params: BOX });
    const tracing = new LazyTracing(
      {
        endpoint: receiver.url,
        headers: '',
        sampler: { name: 'parentbased_always_on', ratio: 1 },
        namesOrganizations: false,
        service: { name: 'mad-worker', version: '1', instanceId: 'test' },
      },
      new FakeLogger(),
    );
    await tracing.start();
    const waits = new ShortWaits();
    const worker = await startWorker({
      url: service.url,
      credentials: { kind: 'token', token },
      folder,
      // No heartbeat: one that comes when the job is done, and not answered yet, says that its lease is lost.
      wait: (ms, signal) => waits.wait(ms === HEARTBEAT_MS ? AN_HOUR_MS : ms, signal),
      tracing,
    });
    try {
      await until('the job is done', async () => {
        const { body } = await acme.get<Job>(`${path}/${docked.body.job_id}`);
        return body.status === 'COMPLETED';
      });
    } finally {
      await worker.end();
      await tracing.close();
      await service.close();
    }
  });
  after(async () => {
    await receiver.close();
    await deployment.dispose();
    await rm(folder, { recursive: true });
  });

  /** As names, each with what it holds. */
  const treeOf = (span: ReceivedSpan): unknown => {
    const parts = receiver.within(span);
    return parts.length === 0 ? span.name : { [span.name]: parts.map(treeOf) };
  };
  const requests = (name: string): readonly ReceivedSpan[] =>
    receiver.named(name).toSorted((a, b) => Number(a.startNs - b.startNs));
  const leaseOf = (request: ReceivedSpan | undefined): ReceivedSpan => {
    if (request === undefined) throw new Error('there is no such request');
    return receiver.one('results.lease', receiver.within(request));
  };

  it('shows of a request its lease, its wait for a connection, and its statement', () => {
    const tree = {
      [`GET ${JOBS}/{job_id}`]: [{ 'results.lease': [{ 'results.acquire': ['db.query docking_job_find'] }] }],
    };
    const [first] = requests(`GET ${JOBS}/{job_id}`);
    expect(first && treeOf(first)).to.deep.equal(tree);
    expect(first?.kind).to.equal(SERVER);
    expect(first?.parentSpanId ?? '').to.equal('');
    expect(first?.attributes).to.deep.equal({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': `${JOBS}/{job_id}`,
    });
    const [acquire] = receiver.within(leaseOf(first));
    expect(acquire?.attributes['mad.waited_ms']).to.be.a('number');
    const [query] = acquire === undefined ? [] : receiver.within(acquire);
    const { 'mad.backend_pid': pid, ...target } = query?.attributes ?? {};
    expect(pid).to.be.a('number').greaterThan(0);
    expect(target).to.deep.equal({
      'db.system.name': 'postgresql',
      'db.namespace': deployment.databaseName('').replace(/_$/, ''),
      'server.address': 'default',
    });
  });

  it('has each step begin and end within the one that it belongs to', () => {
    const ids = new Map(receiver.spans.map((span) => [span.spanId, span]));
    for (const span of receiver.spans) {
      const parent = ids.get(span.parentSpanId ?? '');
      // What crossed from one clock to another, and the request's own end, are not compared.
      if (parent === undefined || parent.service !== span.service || parent.kind === SERVER) continue;
      expect(span.startNs >= parent.startNs, `${span.name} begins within ${parent.name}`).to.equal(true);
      expect(span.endNs <= parent.endNs, `${span.name} ends within ${parent.name}`).to.equal(true);
    }
  });

  it('says whether a lease found its pool, opened it, or had the database made, with the steps of that', () => {
    const [submit] = requests(`POST ${JOBS}`);
    const [list] = requests(`GET ${JOBS}`);
    const [get] = requests(`GET ${JOBS}/{job_id}`);
    expect([submit, list, get].map((request) => leaseOf(request).attributes['mad.lease'])).to.deep.equal([
      'provisioned',
      'opened',
      'hit',
    ]);
    const steps = receiver.within(receiver.one('provision', receiver.within(leaseOf(submit))));
    expect(steps.map(({ name }) => name)).to.deep.equal(
      ['claimed', 'cloned', 'restricted', 'named', 'completed'].map((step) => `provision.${step}`),
    );
  });

  it('goes on with the trace that a request comes with, and leaves alone what its caller does not record', () => {
    const [continued, ...more] = receiver.spans.filter(({ parentSpanId }) => parentSpanId === REMOTE.span);
    expect(continued?.traceId).to.equal(REMOTE.trace);
    expect(continued && receiver.within(continued).map(({ name }) => name)).to.deep.equal(['results.lease']);
    expect(more).to.deep.equal([]);
    expect(receiver.texts.join('\n')).not.to.include(UNSAMPLED);
  });

  it('goes on in the service with the trace of a job that a worker does', () => {
    const job = receiver.one('worker.job');
    expect(job.service).to.equal('mad-worker');
    expect(job.attributes).to.deep.include({ 'mad.attempt': 1, 'mad.ending': 'delivered' });
    const stages = receiver.within(job);
    expect(stages.map(({ name }) => name)).to.deep.equal([
      'worker.fetching',
      'worker.docking',
      'worker.delivering',
    ]);
    const asked = stages.map((stage) => receiver.within(stage).map(({ name }) => name));
    expect(asked).to.deep.equal([
      ['GET /files/{sha256}', 'GET /files/{sha256}'],
      [],
      ['POST /files', 'POST /files', 'POST /jobs/{job_id}/complete'],
    ]);
    const complete = receiver.one('POST /jobs/{job_id}/complete');
    expect(complete.service).to.equal('mad');
    const [transaction] = receiver.within(leaseOf(complete));
    expect(transaction?.name).to.equal('results.acquire');
    expect(transaction && receiver.within(transaction).length).to.be.greaterThan(1);
  });

  it('names a request without a route by its method alone', () => {
    const unmatched = receiver.one('GET');
    expect(unmatched.attributes).to.deep.equal({
      'http.request.method': 'GET',
      'http.response.status_code': 404,
    });
  });

  it('holds nothing that callers chose, and no organization unless that is wanted', () => {
    expect(receiver.spans.length).to.be.greaterThan(40);
    const text = receiver.texts.join('\n');
    expect(text).not.to.include(CANARY);
    expect(text).not.to.match(/acme|mad\.org_id/);
  });

  it('puts the trace on the line of each request that is recorded', () => {
    const lines = log.filter(({ message }) => message === 'request finished').map(({ fields }) => fields);
    const known = new Set<unknown>(
      receiver.spans.filter(({ kind }) => kind === SERVER).map(({ traceId }) => traceId),
    );
    const traces = lines.map((line) => ('trace_id' in line ? line.trace_id : undefined));
    expect(traces).to.include(REMOTE.trace).and.to.include(undefined);
    expect(traces.filter((trace) => trace !== undefined && !known.has(trace))).to.deep.equal([]);
  });

  it('sends the headers that the collector asks for', () => {
    expect(receiver.headers.some((headers) => headers['x-key'] === 'of the collector')).to.equal(true);
  });

  describe('with a collector that is silent', () => {
    let silent: TraceReceiver;
    let stoppedWell: boolean;
    const statuses: number[] = [];

    before(async () => {
      silent = await TraceReceiver.start({ holds: true });
      const container = deployment.start({
        OTEL_EXPORTER_OTLP_ENDPOINT: silent.url,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0',
        TRACE_ORGANIZATIONS: 'true',
        // Shorter than the collector may take for one batch.
        SHUTDOWN_TIMEOUT_MS: '4500',
      });
      const running = await container.get(TOKENS.service).start();
      const authorization = `Bearer ${deployment.token('acme', ['member'])}`;
      for (const asked of [{}, { traceparent: `00-${REMOTE.trace}-${REMOTE.span}-01` }]) {
        const headers = { authorization, ...asked };
        const { status } = await fetch(`${running.url}/organizations/acme/jobs`, { headers });
        statuses.push(status);
      }
      stoppedWell = await running.stop();
    });
    after(() => silent.close());

    it('holds up no request and no stop', () => {
      expect({ statuses, stoppedWell }).to.deep.equal({ statuses: [200, 200], stoppedWell: true });
    });

    it('sends what is sampled alone, and names organizations when told to', () => {
      const request = silent.one('GET /organizations/{org_id}/jobs');
      expect(request.traceId).to.equal(REMOTE.trace);
      expect(request.attributes['mad.org_id']).to.equal('acme');
    });
  });
});
