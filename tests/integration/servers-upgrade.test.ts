import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import knex from 'knex';
import { Client } from 'pg';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** The last metadata migration of the release that knows one server. */
const BEFORE = '0012_suspension';
const MIGRATION = '0013_results_servers';

const BUDGET = 10;

/** What that release runs, word for word. */
const EARLIER = {
  join: `
    with mine as (insert into service_instances (instance_id) values ($1) on conflict do nothing returning instance_id, share, started_at)
    select instance_id, share, false as silent, started_at from mine
    union all
    select instance_id, share, heartbeat_at < now() - interval '2 seconds', started_at from service_instances
    order by started_at, instance_id`,
  beat: `
    with mine as (
      update service_instances set heartbeat_at = now(), share = least(share, $1) where instance_id = $2
        returning instance_id, share)
    select i.instance_id, coalesce(mine.share, i.share) as share,
        mine.share is null and i.heartbeat_at < now() - interval '2 seconds' as silent
      from service_instances i left join mine using (instance_id)
      order by i.started_at, i.instance_id`,
  claimShare: 'select claim_connection_share($1, $2, $3) as share',
  forget: `delete from "service_instances" where "instance_id" = $1 and "heartbeat_at" < now() - interval '2 seconds'`,
  shrink: `
    update "service_instances" set "share" = least(share, $1)
    where "instance_id" = $2 and "heartbeat_at" < now() - interval '2 seconds'`,
  leave: 'delete from "service_instances" where "instance_id" = $1',
  touchTemplate: `
    insert into "results_templates" ("database_name", "schema_version", "template_hash") values ($1, $2, $3)
    on conflict ("template_hash") do update set "database_name" = excluded.database_name, "last_used_at" = now()`,
  claimReadySpare: `
    with spare as (
      update spare_databases set state = 'claimed', updated_at = now()
      where spare_id = (
          select spare_id from spare_databases where state = 'ready' and template_hash = $1
          order by created_at limit 1 for update skip locked
        )
        and exists (select from organizations where org_id = $2)
        and not exists (select from organization_databases where org_id = $2)
      returning spare_id, database_name as spare_name, template_hash, schema_version as spare_version
    ), intent as (
      insert into organization_databases (org_id, database_name, stamp) select $2, $3, spare_id from spare
      returning org_id, stamp
    )
    select intent.*, spare_id, spare_name, template_hash, spare_version from intent, spare`,
  intend: `
    insert into organization_databases as known (org_id, database_name) values ($1, $2)
    on conflict (org_id) do update set database_name = excluded.database_name where known.stamp is null`,
  insertSpare: `
    insert into "spare_databases" ("database_name", "schema_version", "spare_id", "state", "template_hash")
    values ($1, $2, $3, $4, $5)`,
  bind: 'update "organization_databases" set "stamp" = $1, "updated_at" = now() where "org_id" = $2',
  rebase: 'update "spare_databases" set "template_hash" = $1, "schema_version" = $2 where "spare_id" = $3',
  complete: `
    with done as (
      update organization_databases
      set state = 'ready', schema_version = $1, last_error = null, updated_at = now()
      where org_id = $2 and stamp = $3
      returning org_id, generation, database_name
    ), gone as (
      delete from spare_databases where spare_id = $3 returning database_name, template_hash
    )
    select * from done`,
  adopt: `
    insert into organization_databases as old (org_id, database_name, stamp, schema_version)
    values ($1, $2, $3, $4)
    on conflict (org_id) do update set
      stamp = excluded.stamp, schema_version = excluded.schema_version, generation = old.generation + 1,
      state = 'provisioning', last_error = null, updated_at = now()`,
  beginRetirement: `update "organization_databases" set "state" = 'retiring', "updated_at" = now() where "org_id" = $1`,
  completeRetirement: `
    update organization_databases
    set state = 'provisioning', stamp = null, schema_version = null, last_error = null,
      generation = generation + 1, updated_at = now()
    where org_id = $1 and state = 'retiring' returning org_id, database_name`,
} as const;

describe('The upgrade to several servers of results databases', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: Client;

  beforeEach(async () => {
    database = await createTestDatabase('servers');
    client = new Client({ connectionString: database.url });
    await client.connect();
    await migrateTo(BEFORE);
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  const run = async <Row>(text: string, ...values: unknown[]): Promise<readonly Row[]> =>
    // The caller knows what it selects.
    (await client.query<Row & object>(text, values)).rows;
  const earlier = <Row>(statement: keyof typeof EARLIER, ...values: unknown[]): Promise<readonly Row[]> =>
    run<Row>(EARLIER[statement], ...values);

  const migrateTo = async (name: string): Promise<void> => {
    const files = await metadataMigrations.getMigrations();
    const position = files.findIndex((file) => metadataMigrations.getMigrationName(file) === name) + 1;
    await new Migrator(metadataMigrations.upTo(position)).latest(DatabaseUrl.parse(database.url));
  };
  const step = async (direction: 'up' | 'down'): Promise<void> => {
    const file = (await metadataMigrations.getMigrations()).find((name) => name.startsWith(MIGRATION)) ?? '';
    const migration = await metadataMigrations.getMigration(file);
    const instance = knex({ client: 'pg', connection: database.url });
    try {
      await instance.transaction(async (transaction) => {
        await migration[direction]?.(transaction);
      });
    } finally {
      await instance.destroy();
    }
  };
  const register = (...ids: readonly string[]): Promise<unknown> =>
    run('insert into organizations (org_id, name) select id, id from unnest($1::text[]) id', ids);

  /** What a deployment has written by the time of the upgrade. */
  const fill = async (): Promise<void> => {
    await register('ready', 'begun', 'aside', 'none');
    await run(`
      insert into organization_databases (org_id, database_name, state, stamp, schema_version) values
        ('ready', 'db_ready', 'ready', gen_random_uuid(), 2),
        ('begun', 'db_begun', 'provisioning', gen_random_uuid(), null),
        ('aside', 'db_aside', 'provisioning', null, null)`);
    await earlier('touchTemplate', 'template.hash', 2, 'hash');
    await earlier('insertSpare', 'spare.ready', 2, randomUUID(), 'ready', 'hash');
    await earlier('insertSpare', 'spare.building', 2, randomUUID(), 'building', 'hash');
    await earlier('join', randomUUID());
  };
  const everything = async (): Promise<readonly unknown[]> => [
    await run(
      `select org_id, database_name, state, stamp, generation, schema_version from organization_databases order by 1`,
    ),
    await run(
      'select spare_id, database_name, template_hash, schema_version, state from spare_databases order by 1',
    ),
    await run('select template_hash, database_name, schema_version from results_templates order by 1'),
    await run('select instance_id, share, started_at, heartbeat_at from service_instances order by 1'),
  ];
  const databases = async (): Promise<Readonly<Record<string, number>>> => {
    const rows = await run<{ server_id: string; databases: number }>('select * from results_servers');
    return Object.fromEntries(rows.map((row) => [row.server_id, row.databases]));
  };

  it('leaves all that was written as it was, on the default server, and so does the way back', async () => {
    await fill();
    const before = await everything();
    for (let round = 0; round < 2; round += 1) {
      await step('up');
      expect(await everything()).to.deep.equal(before);
      expect(await databases()).to.deep.equal({ default: 2 });
      for (const table of [
        'organization_databases',
        'spare_databases',
        'results_templates',
        'connection_shares',
      ])
        expect(await run(`select distinct server_id from ${table}`), table).to.deep.equal([
          { server_id: 'default' },
        ]);
      await step('down');
      expect(await everything()).to.deep.equal(before);
    }
    await earlier('join', randomUUID());
    await register('new');
    expect(await earlier('claimReadySpare', 'hash', 'new', 'db_new')).to.have.length(1);
  });

  it('leads back from two servers, and counts anew when it is made again', async () => {
    await fill();
    await step('up');
    await run(`insert into results_servers (server_id) values ('eu')`);
    await run(`update organization_databases set server_id = 'eu' where org_id = 'ready'`);
    await run(
      `insert into connection_shares (server_id, instance_id) select 'eu', instance_id from connection_shares`,
    );
    await run(
      `update organizations set pinned_server_id = 'eu', pinned_labels = '{"region": "eu"}' where org_id = 'ready'`,
    );
    expect(await databases()).to.deep.equal({ default: 1, eu: 1 });
    const before = await everything();
    await step('down');
    expect(await everything()).to.deep.equal(before);
    await step('up');
    expect(await databases()).to.deep.equal({ default: 2 });
  });

  it('counts a database that the release before it claims while the migration waits for it', async () => {
    await register('acme');
    await run('begin');
    await run(
      `insert into organization_databases (org_id, database_name, stamp) values ('acme', 'db', gen_random_uuid())`,
    );
    const migrating = step('up');
    migrating.catch(() => undefined); // looked at below
    await until('the migration waits', async () => {
      const waiting = await run(
        `select from pg_locks where not granted and relation = 'organization_databases'::regclass
           and database = (select oid from pg_database where datname = current_database())`,
      );
      return waiting.length > 0;
    });
    await run('commit');
    await migrating;
    expect(await databases()).to.deep.equal({ default: 1 });
    await run(`update organization_databases set stamp = null where org_id = 'acme'`);
    expect(await databases()).to.deep.equal({ default: 0 });
  });

  describe('while the release before it runs beside this one', () => {
    beforeEach(async () => {
      await migrateTo(MIGRATION);
      await run(`insert into results_servers (server_id) values ('eu')`);
    });

    it('divides the connections of the default server among the processes of both', async () => {
      const [old, today] = [randomUUID(), randomUUID()];
      await run(
        `insert into connection_shares (server_id, instance_id) values ('default', $1), ('eu', $1)`,
        today,
      );
      const raise = async (serverId: string, wanted: number): Promise<number | undefined> => {
        const [row] = await run<{ share: number }>(
          'select raise_connection_share($1, $2, $3, $4) as share',
          serverId,
          today,
          wanted,
          BUDGET,
        );
        return row?.share;
      };
      const claim = async (wanted: number): Promise<number | undefined> =>
        (await earlier<{ share: number }>('claimShare', old, wanted, BUDGET))[0]?.share;
      const seen = async (statement: 'join' | 'beat', ...values: unknown[]) =>
        (await earlier<{ instance_id: string; share: number; silent: boolean }>(statement, ...values)).map(
          ({ instance_id: instance, share, silent }) => [instance === old ? 'old' : 'today', share, silent],
        );

      expect(await raise('default', 7)).to.equal(7);
      expect(await raise('eu', 9), 'another budget').to.equal(9);
      expect(await seen('join', old)).to.have.deep.members([
        ['old', 0, false],
        ['today', 7, false],
      ]);
      expect(await seen('join', old), 'again').to.have.length(2);
      expect(await claim(5), 'what is left').to.equal(3);
      expect(await raise('default', 9)).to.equal(7);
      expect(await seen('beat', 1, old), 'it gives some back').to.have.deep.members([
        ['old', 1, false],
        ['today', 7, false],
      ]);
      expect(await raise('default', 9)).to.equal(9);
      expect(await claim(2)).to.equal(1);

      // A process that died is given up by those of the release before, on the server that they know.
      await run(
        `update connection_shares set heartbeat_at = now() - interval '1 minute' where instance_id = $1`,
        today,
      );
      expect(await seen('beat', 1, old)).to.deep.include(['today', 9, true]);
      await earlier('shrink', 2, today);
      const shares = () =>
        run('select server_id, share from connection_shares where instance_id = $1 order by 1', today);
      expect(await shares()).to.deep.equal([
        { server_id: 'default', share: 2 },
        { server_id: 'eu', share: 9 },
      ]);
      await earlier('forget', today);
      expect(await shares()).to.deep.equal([{ server_id: 'eu', share: 9 }]);
      await earlier('leave', old);
      expect(await run('select from service_instances')).to.be.empty;
    });

    it('is told apart from a live process by nobody', async () => {
      const old = randomUUID();
      await earlier('join', old);
      await earlier('forget', old);
      expect(await run('select from connection_shares'), 'it is not silent').to.have.length(1);
    });

    it('counts the databases that either makes, gives and puts aside', async () => {
      await register('spared', 'cloned', 'given');
      const [spareId, stamp, given] = [randomUUID(), randomUUID(), randomUUID()];
      await earlier('touchTemplate', 'template.old', 1, 'old');
      await earlier('insertSpare', 'spare.1', 1, spareId, 'ready', 'old');
      expect(await earlier('claimReadySpare', 'old', 'spared', 'db_spared')).to.have.length(1);
      expect(await databases()).to.deep.equal({ default: 1, eu: 0 });
      await earlier('intend', 'cloned', 'db_cloned');
      expect(await databases(), 'none yet').to.deep.equal({ default: 1, eu: 0 });
      await earlier('insertSpare', 'spare.2', 1, stamp, 'building', 'old');
      await earlier('bind', stamp, 'cloned');
      await earlier('rebase', 'old', 2, stamp);
      expect(await earlier('complete', 2, 'cloned', stamp)).to.have.length(1);
      expect(await databases()).to.deep.equal({ default: 2, eu: 0 });
      await earlier('adopt', 'given', 'db_given', given, 1);
      await earlier('complete', 1, 'given', given);
      expect(await databases()).to.deep.equal({ default: 3, eu: 0 });
      await earlier('beginRetirement', 'cloned');
      expect(await earlier('completeRetirement', 'cloned')).to.have.length(1);
      expect(await databases()).to.deep.equal({ default: 2, eu: 0 });
      const placements = await run('select server_id, org_id from organization_databases order by org_id');
      expect(new Set(placements.map((row) => JSON.stringify(row).includes('default')))).to.deep.equal(
        new Set([true]),
      );
    });

    it('keeps it from making on its server what is to be on another one', async () => {
      await register('acme');
      const stamp = randomUUID();
      await run(`insert into results_templates (template_hash, server_id, database_name, schema_version)
        values ('of eu', 'eu', 'template.eu', 2)`);
      await run(
        `insert into organization_databases (org_id, server_id, database_name, stamp) values ('acme', 'eu', 'db_acme', $1)`,
        stamp,
      );
      await run(
        `insert into spare_databases (spare_id, server_id, database_name, template_hash, schema_version, state)
         values ($1, 'eu', 'spare.acme', 'of eu', 2, 'building')`,
        stamp,
      );
      await earlier('touchTemplate', 'template.old', 1, 'old');
      // Before it clones its own template for a claim of another release, and before it builds what is lost.
      expect(await rejectionOf(earlier('rebase', 'old', 1, stamp))).to.include({ code: '23514' });
      await run('delete from spare_databases');
      expect(await rejectionOf(earlier('insertSpare', 'spare.acme', 1, stamp, 'building', 'old'))).to.include(
        {
          code: '23514',
        },
      );
      // This release may.
      await run(
        `insert into spare_databases (spare_id, server_id, database_name, template_hash, schema_version, state)
         values ($1, 'eu', 'spare.acme', 'of eu', 2, 'building')`,
        stamp,
      );
      // A name is taken on one server only.
      await earlier('insertSpare', 'spare.acme', 1, randomUUID(), 'ready', 'old');
    });
  });
});
