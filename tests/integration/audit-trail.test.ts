import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import knex from 'knex';
import pg from 'pg';
import { KnexAuditLog } from '../../adapters/knex/metadata/knex-audit-log.ts';
import type { SqlQuery } from '../../adapters/knex/statement.ts';
import { EVERY_TRAIL, type AuditEntry, type AuditKey } from '../../domain/audit/audit-log.ts';
import type { Page } from '../../domain/page.ts';
import type { AuditBacklog } from '../../application/ports/audit/audit-backlog.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { relayOutbox } from '../../application/audit/relay-outbox.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { down, up } from '../../migrations/metadata/0007_audit_chains.ts';
import { runCommandOn } from '../support/command-line.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { sampleJob, sampleNote } from '../support/sample-job.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];

describe('the audit trail', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let metadata: MetadataDatabase;
  let container: ReturnType<Deployment['start']>;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    container = deployment.start();
    metadata = container.get(TOKENS.metadataDatabase);
  });
  afterEach(() => deployment.dispose());

  const execute = <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    deployment.administer<Row>(text, values, deployment.metadataDatabase);
  /** What somebody with the rights of an administrator could do. */
  const tamper = (text: string) =>
    execute(
      `alter table audit_logs disable trigger user; ${text}; alter table audit_logs enable trigger user`,
    );
  const append = (entityId: string, organization: typeof ACME | null = ACME) =>
    metadata.auditLog.append({
      organizationId: organization,
      userId: 'user-1',
      action: 'job.moved',
      entityType: 'job',
      entityId,
      details: { text: `$1 ? 'é😀'`, number: 1e21, nested: { b: 1, a: [null] } },
      requestId: 'request-1',
      address: '::1',
    });
  const verify = async (...args: readonly string[]) => {
    const { exitCode, lines } = await runCommandOn(container, ['audit', 'verify', ...args]);
    return { exitCode, text: lines.join('\n') };
  };
  const idOf = async (entityId: string): Promise<string> => {
    const [row] = await execute<{ audit_id: string }>(
      'select audit_id from audit_logs where entity_id = $1',
      [entityId],
    );
    return row?.audit_id ?? 'no such entry';
  };

  describe('as a chain', () => {
    it('is listed by when things happened, not by when it was told of them', async () => {
      for (const [entity, ago] of [
        ['newest', 0],
        ['oldest', 3],
        ['middle', 2],
        ['twin', 2],
      ] as const) {
        await execute(
          `insert into audit_logs (org_id, action, entity_type, entity_id, ts)
         values ('acme', 'job.told', 'job', $1, date_trunc('hour', now()) - $2::int * interval '1 hour')`,
          [entity, ago],
        );
      }
      const seen: string[] = [];
      for (let after: AuditKey | null = null; ;) {
        const page: Page<AuditEntry, AuditKey> = await metadata.auditLog.list(
          ACME,
          { action: 'job.told' },
          { limit: 1, after },
        );
        seen.push(...page.items.map(({ entityId }) => entityId));
        if (page.next === null) break;
        after = page.next;
      }
      expect(seen).to.deep.equal(['newest', 'twin', 'middle', 'oldest']);
    });

    it('is read no further back than is asked for, however rare what is looked for', async () => {
      await execute(
        `insert into audit_logs (action, entity_type, entity_id, ts)
         select 'job.told', 'job', n::text, now() - interval '2 hours' from generate_series(1, 2000) n`,
      );
      await execute('analyze audit_logs');
      await append('rare');
      const queries: SqlQuery<unknown>[] = [];
      const watched = new KnexAuditLog({
        query: (query) => {
          queries.push(query);
          return container.get(TOKENS.metadataSql).query(query);
        },
      });
      const from = new Date(Date.now() - 3_600_000);
      const page = await watched.list(EVERY_TRAIL, { action: 'job.moved', from }, { limit: 50, after: null });
      expect(page.items.map(({ entityId }) => entityId)).to.deep.equal(['rare']);
      const client = new pg.Client({ connectionString: deployment.environment['DB_DATABASE_URL'] });
      await client.connect();
      try {
        for (const { text, values } of queries) {
          const { rows } = await client.query<Record<string, string>>(`explain (analyze) ${text}`, [
            ...values,
          ]);
          const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
          expect(plan).to.not.match(/Rows Removed by Filter: \d{3}/);
        }
      } finally {
        await client.end();
      }
      expect(queries).to.have.length(1);
    });

    it('is intact, however many write it at the same time', async () => {
      await Promise.all(
        Array.from({ length: 60 }, (_, n) => append(`${n}`, [ACME, BETA, null][n % 3] ?? null)),
      );
      const { exitCode, text } = await verify();
      expect(exitCode).to.equal(0);
      expect(text).to.match(/^intact {2}\(no organization\): 20 entries, head [0-9a-f]{64}$/m);
      expect(text).to.match(/^intact {2}acme: 20 entries/m);
      expect(text).to.match(/^intact {2}beta: 20 entries/m);
      const { chains }: { chains: readonly object[] } = JSON.parse(
        (await verify('--org', 'acme', '--json')).text,
      );
      expect(chains).to.have.length(1);
      expect(chains[0]).to.include({ org_id: 'acme', entries: 20, broken: null });
    });

    it('lets those of one organization wait for each other, and nobody else', async () => {
      let beta: Promise<void> | undefined;
      await metadata.transaction(async ({ auditLog }) => {
        await auditLog.append({
          organizationId: ACME,
          userId: null,
          action: 'job.moved',
          entityType: 'job',
          entityId: 'held',
          details: {},
          requestId: null,
        });
        beta = append('not held', BETA);
        await beta;
      });
      expect((await verify()).exitCode).to.equal(0);
    });

    it('can only be added to', async () => {
      await append('one');
      for (const text of [
        `update audit_logs set details = '{}'`,
        'delete from audit_logs',
        'truncate audit_logs',
        `update audit_chains set length = length + 1`,
        'delete from audit_chains',
        'truncate audit_chains',
        `insert into audit_chains (chain, length, head) values ('beta', 1, '')`,
      ]) {
        expect(await rejectionOf(execute(text)), text).to.include({ code: '42501' });
      }
      expect((await verify()).exitCode).to.equal(0);
    });

    for (const [what, statement, found] of [
      ['changed', `update audit_logs set details = '{"text": "another"}' where entity_id = '3'`, '3'],
      ['given to somebody else', `update audit_logs set user_id = 'user-2' where entity_id = '3'`, '3'],
      ['moved in time', `update audit_logs set ts = ts - interval '1 second' where entity_id = '3'`, '3'],
      ['removed', `delete from audit_logs where entity_id = '3'`, '4'],
      [
        'exchanged with its neighbour',
        `update audit_logs a set entity_id = b.entity_id from audit_logs b
         where a.entity_id in ('3', '4') and b.entity_id in ('3', '4') and a.entity_id <> b.entity_id`,
        '4',
      ],
    ] as const) {
      it(`names the first entry that does not fit when one was ${what}`, async () => {
        for (let n = 0; n < 6; n += 1) await append(`${n}`);
        await append('untouched', BETA);
        await tamper(statement);
        const { exitCode, text } = await verify();
        expect(exitCode).to.equal(3);
        expect(text).to.include(`BROKEN  acme: entry ${await idOf(found)} `);
        expect(text).to.include('intact  beta: 1 entries');
        expect(text).to.include('1 of 2 chains are broken.');
        expect((await verify('--org', 'beta')).exitCode).to.equal(0);
      });
    }

    it('notices that its end was cut off, or the whole of it', async () => {
      for (let n = 0; n < 3; n += 1) await append(`${n}`);
      await append('only', BETA);
      await tamper(`delete from audit_logs where entity_id in ('2', 'only')`);
      const { exitCode, text } = await verify();
      expect(exitCode).to.equal(3);
      expect(text).to.include('BROKEN  acme: the chain had 3 entries and has 2');
      expect(text).to.include('BROKEN  beta: the chain had 1 entries and has 0');
    });

    it('takes in what was written before there were chains', async () => {
      const migrated = knex({ client: 'pg', connection: deployment.environment['DB_DATABASE_URL'] ?? '' });
      try {
        await migrated.transaction((transaction) => down(transaction));
        await execute(
          `insert into audit_logs (org_id, action, entity_type, entity_id)
           select org_id, 'old', 'job', n::text from generate_series(1, 5) n, (values ('acme'), ('beta'), (null)) o (org_id)`,
        );
        await migrated.transaction((transaction) => up(transaction));
      } finally {
        await migrated.destroy();
      }
      await append('new');
      const { exitCode, text } = await verify();
      expect(exitCode).to.equal(0);
      expect(text)
        .to.match(/acme: 6 entries/)
        .and.to.match(/beta: 5 entries/);
      await tamper(`update audit_logs set entity_id = 'other' where entity_id = '1' and org_id = 'acme'`);
      expect((await verify()).exitCode).to.equal(3);
    });
  });

  describe('of writes to results', () => {
    const outbox = () =>
      deployment.administer<{ action: string; entity_type: string; entity_id: string; details: object }>(
        'select action, entity_type, entity_id, details, user_id from audit_outbox order by position',
        [],
        deployment.databaseName('acme'),
      );
    const relay = async (backlog: AuditBacklog = container.get(TOKENS.auditBacklog)): Promise<number> => {
      const relayOne = relayOutbox({
        databases: container.get(TOKENS.connectionManager),
        backlog,
        logger: container.get(TOKENS.logger),
        now: Date.now,
      });
      return (await relayOne(ACME)).count;
    };
    const withResults = async <Result>(
      work: (database: Awaited<ReturnType<typeof acquire>>['database']) => Promise<Result>,
    ): Promise<Result> => {
      const lease = await acquire();
      try {
        return await work(lease.database);
      } finally {
        lease.release();
      }
    };
    const acquire = () => container.get(TOKENS.connectionManager).acquire(ACME);
    const trail = async () =>
      (await metadata.auditLog.list(ACME, { action: null }, { limit: 100, after: null })).items
        .filter(({ action }) => action !== 'database.provisioned')
        .toReversed();

    it('has one entry for every row that is written, in the same statement', async () => {
      const job = sampleJob();
      const { jobId } = job;
      const artifact = await withResults(async (database) => {
        await database.jobs.insert(job);
        await database.jobs.setStatus(jobId, 'RUNNING', null, sampleNote('job.moved'));
        const result = {
          jobId,
          leaseId: null,
          taskName: 'docking',
          serviceName: 'vina',
          serviceVersion: null,
          schemaVersion: null,
          confidenceScore: null,
          resultData: {},
          poses: [],
          score: { bestAffinity: null, suspect: [] },
          note: sampleNote('task_result.written'),
        };
        await database.taskResults.put(result);
        await database.taskResults.put(result);
        return database.artifacts.insert({
          jobId,
          leaseId: null,
          name: 'a',
          purpose: 'b',
          uri: 'file:///a',
          contentType: null,
          sha256: null,
          sizeBytes: null,
          checksum: null,
          note: sampleNote('artifact.added'),
        });
      });
      const entries = await outbox();
      expect(entries.map(({ action, entity_type: type }) => [action, type])).to.deep.equal([
        ['job.submitted', 'job'],
        ['job.moved', 'job'],
        ['task_result.written', 'task_result'],
        ['task_result.written', 'task_result'],
        ['artifact.added', 'artifact'],
      ]);
      expect([entries[0]?.entity_id, entries.at(-1)?.entity_id]).to.deep.equal([jobId, artifact.artifactId]);
    });

    it('has none for what was not written, or rolled back', async () => {
      const idempotency = { key: 'once', requestHash: 'hash' };
      await withResults(async (database) => {
        await database.jobs.insert(sampleJob({ idempotency }));
        expect(await database.jobs.insert(sampleJob({ idempotency }))).to.equal(null);
        await rejectionOf(
          database.transaction(async ({ jobs }) => {
            await jobs.insert(sampleJob());
            throw new Error('changed my mind');
          }),
        );
      });
      expect(await outbox()).to.have.length(1);
    });

    it('arrives whole and in order, and leaves the outbox', async () => {
      const note = {
        action: 'job.submitted',
        details: { text: `$1 ? 'é😀'` },
        userId: 'user-7',
        requestId: 'request-7',
        address: '2001:db8::7',
      };
      const jobs = Array.from({ length: 450 }, () => sampleJob({ note }));
      await withResults((database) =>
        database.transaction(async (repositories) => {
          for (const job of jobs) await repositories.jobs.insert(job);
        }),
      );
      expect(await relay()).to.equal(450);
      expect(await outbox()).to.be.empty;
      const rows = await execute<{ entity_id: string }>(
        `select entity_id from audit_logs where action = 'job.submitted' order by position`,
      );
      expect(rows.map(({ entity_id: id }) => id)).to.deep.equal(jobs.map(({ jobId }) => jobId));
      const [entry] = await trail();
      expect({ ...entry, details: entry?.details.toJSON() }).to.deep.include({
        ...note,
        organizationId: ACME,
        entityType: 'job',
        entityId: jobs[350]?.jobId,
      });
      expect((await verify()).exitCode).to.equal(0);
    });

    it('arrives once, though it is delivered again because the relay died before it could tidy up', async () => {
      await withResults((database) => database.jobs.insert(sampleJob()));
      const real = container.get(TOKENS.auditBacklog);
      const dying: AuditBacklog = {
        ...real,
        deliver: async (id, entries) => {
          await real.deliver(id, entries);
          throw new Error('killed here');
        },
      };
      await rejectionOf(relay(dying));
      expect([(await outbox()).length, (await trail()).length]).to.deep.equal([1, 1]);
      await withResults((database) => database.jobs.insert(sampleJob()));
      expect(await relay()).to.equal(2);
      expect([(await outbox()).length, (await trail()).length]).to.deep.equal([0, 2]);
      expect((await verify()).exitCode).to.equal(0);
    });

    it('arrives once, though many relay at the same time', async () => {
      await withResults((database) =>
        Promise.all(Array.from({ length: 40 }, () => database.jobs.insert(sampleJob()))),
      );
      const relayed = await Promise.all(Array.from({ length: 6 }, () => relay()));
      expect(relayed.reduce((sum, count) => sum + count, 0)).to.equal(40);
      expect([(await outbox()).length, (await trail()).length]).to.deep.equal([0, 40]);
    });

    it('waits in the outbox while the metadata cannot take it', async () => {
      await withResults((database) => database.jobs.insert(sampleJob()));
      await execute('alter table audit_logs rename to elsewhere');
      await rejectionOf(relay());
      expect(await outbox()).to.have.length(1);
      await execute('alter table elsewhere rename to audit_logs');
      expect(await relay()).to.equal(1);
    });

    it('waits for a slow metadata database, however short the pauses are that its organization allows', async () => {
      const hasty = deployment.start({ DB_IDLE_IN_TRANSACTION_TIMEOUT_MS: '1000' });
      await withResults((database) => database.jobs.insert(sampleJob()));
      const backlog = container.get(TOKENS.auditBacklog);
      const relayHastily = relayOutbox({
        databases: hasty.get(TOKENS.connectionManager),
        backlog: {
          deliver: async (...delivery) => {
            await backlog.deliver(...delivery);
            await sleep(1200);
          },
        },
        logger: hasty.get(TOKENS.logger),
        now: Date.now,
      });
      expect(await relayHastily(ACME)).to.deep.equal({ count: 1, hasMore: false });
      expect(await outbox()).to.be.empty;
    });

    it('stays behind in a database that was put aside, and has no other one made', async () => {
      await withResults((database) => database.jobs.insert(sampleJob()));
      await container.get(TOKENS.retireDatabase)(ACME);
      const before = await deployment.databases();
      // One process has served the organization, the other one took over what a dead one has announced.
      for (const process of [container, deployment.start()]) {
        const announced = relayOutbox({
          databases: process.get(TOKENS.connectionManager),
          backlog: process.get(TOKENS.auditBacklog),
          logger: process.get(TOKENS.logger),
          now: Date.now,
        });
        if (process === container) process.get(TOKENS.connectionManager).forgetPlacement(ACME);
        expect((await announced(ACME)).count).to.equal(0);
      }
      expect(await deployment.databases()).to.deep.equal(before);
      const { lines } = await runCommandOn(container, ['files', 'collect', 'acme']);
      expect(lines.join()).to.match(/^acme: failed: /);
      expect(await deployment.databases()).to.deep.equal(before);
    });

    it('arrives whatever somebody has written beside it by SQL, who may nest deeper than a stack goes', async () => {
      await withResults((database) => database.jobs.insert(sampleJob()));
      const write = (levels: number) =>
        deployment.administer(
          `insert into audit_outbox (action, entity_type, entity_id, details)
           values ('forged', 'job', $1, ('{"a":' || repeat('[', $2 - 1) || repeat(']', $2 - 1) || '}')::jsonb)`,
          [`${levels}`, levels],
          deployment.databaseName('acme'),
        );
      // The last of them is as deep as the server takes; one more or less does not matter here.
      for (const levels of [64, 65, 5000, 16_000]) await write(levels);
      expect(await relay()).to.equal(5);
      expect(await outbox()).to.be.empty;
      const forged = (await trail()).filter(({ action }) => action === 'forged');
      expect(forged.map(({ entityId, details }) => [entityId, details.text.length])).to.deep.equal([
        ['64', 133],
        ['65', 20],
        ['5000', 20],
        ['16000', 20],
      ]);
    });

    it('announced by the dead is inherited once, and that of the living is left alone', async () => {
      const backlog = container.get(TOKENS.auditBacklog);
      const [heir, dead, living] = [1, 2, 3].map(() => crypto.randomUUID());
      for (const writer of [dead, living, heir]) await backlog.announce(ACME, writer ?? '');
      await backlog.announce(BETA, dead ?? '');
      await execute(`update audit_backlogs set touched_at = now() - interval '1 hour' where writer = $1`, [
        dead,
      ]);
      const reclaimed = await Promise.all([1, 2].map(() => backlog.reclaimFromDead(heir ?? '', 60_000)));
      expect(reclaimed.flat().toSorted()).to.deep.equal([ACME, BETA]);
      const rows = await execute<{ org_id: string; writer: string }>(
        'select org_id, writer from audit_backlogs order by org_id, writer = $1',
        [heir],
      );
      expect(rows).to.deep.equal([
        { org_id: 'acme', writer: living },
        { org_id: 'acme', writer: heir },
        { org_id: 'beta', writer: heir },
      ]);
    });
  });
});
