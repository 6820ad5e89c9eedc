import { expect } from 'chai';
import type { Change } from '../../application/ports/runtime/change-feed.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { MetadataChangeFeed } from '../../infrastructure/changes/metadata-change-feed.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';
import { lockTable } from '../support/server-faults.ts';
import { openConnection } from '../support/test-pool.ts';

const USER = '00000000-0000-7000-8000-000000000001';
const NEVER_MS = 3_600_000;

/** A subscriber that remembers what it was told. */
class Memory {
  resets = 0;
  readonly changes: Change[] = [];
  refusing = false;

  reset(): void {
    this.resets += 1;
    if (this.refusing) throw new Error('not now');
  }

  changed(changes: readonly Change[]): void {
    if (this.refusing) throw new Error('not now');
    this.changes.push(...changes);
  }
}

describe('the feed of metadata changes', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let feed: MetadataChangeFeed;
  let memory: Memory;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    memory = new Memory();
  });
  afterEach(async () => {
    await feed.close();
    await deployment.dispose();
  });

  const metadataUrl = (): string => deployment.environment['DB_DATABASE_URL'] ?? '';
  const follow = async (pollIntervalMs?: number): Promise<void> => {
    const container = deployment.start();
    feed = new MetadataChangeFeed({
      connect: () => container.get(TOKENS.metadataConnector).toChanges(),
      answerDeadlineMs: 500,
      logger: container.get(TOKENS.logger),
      ...(pollIntervalMs !== undefined && { pollIntervalMs }),
    });
    feed.subscribe(memory);
    await feed.start();
  };
  const execute = <Row>(text: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(text, [], deployment.metadataDatabase);
  const suspend = (id: string) =>
    execute(`update organizations set status = 'suspended' where org_id = '${id}'`);
  const breakListening = () =>
    execute(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'mad changes'
      and datname = '${deployment.metadataDatabase}'`);
  const acme = { kind: 'organization', organizationId: organizationId('acme') } as const;
  const beta = { kind: 'organization', organizationId: organizationId('beta') } as const;

  it('tells of every kind of change, once it is committed, by notification alone', async () => {
    await follow(NEVER_MS);
    expect([memory.resets, feed.isCurrent]).to.deep.equal([1, true]);
    await execute(`
      insert into users (user_id, email) values ('${USER}', 'ada@example.org');
      insert into memberships (user_id, org_id, roles) values ('${USER}', 'acme', '{member}');
      insert into settings (org_id, settings) values ('acme', '{}');
      update organizations set status = 'suspended' where org_id = 'acme';
      update organizations set name = 'not told of' where org_id = 'beta';
      delete from users where user_id = '${USER}'`);
    await until('the changes arrive', () => memory.changes.length > 0);
    expect(memory.changes).to.have.deep.members([
      acme,
      { kind: 'settings', organizationId: 'acme' },
      { kind: 'member', organizationId: 'acme', userId: USER },
      { kind: 'user', userId: USER },
    ]);
    expect(memory.resets).to.equal(1);
  });

  it('tells of a database that was ready and is another one now, or elsewhere, and of nothing else of it', async () => {
    await execute(`insert into organization_databases (org_id, database_name, stamp) values
      ('acme', 'db_acme', gen_random_uuid()), ('beta', 'db_beta', gen_random_uuid())`);
    await follow(NEVER_MS);
    const placement = { kind: 'placement', organizationId: organizationId('acme') } as const;
    /** What is told of a change, with which a user comes and goes. */
    const told = async (change: string): Promise<readonly Change[]> => {
      await execute(`${change};
        insert into users (user_id, email) values ('${USER}', 'ada@example.org');
        delete from users where user_id = '${USER}'`);
      await until('the change arrives', () => memory.changes.length > 0);
      return memory.changes.splice(0).filter(({ kind }) => kind !== 'user');
    };
    const set = (what: string): string => `update organization_databases set ${what} where org_id = 'acme'`;
    for (const quiet of [
      `state = 'failed'`,
      'stamp = gen_random_uuid()',
      `state = 'ready', schema_version = 1`,
    ])
      expect(await told(set(quiet)), `while it is made: ${quiet}`).to.deep.equal([]);
    for (const quiet of [`last_error = 'missing'`, 'schema_version = 2'])
      expect(await told(set(quiet)), quiet).to.deep.equal([]);
    for (const change of ['stamp = gen_random_uuid()', 'generation = 2', `state = 'retiring'`])
      expect(await told(set(change)), change).to.deep.equal([placement]);
    // The release before this one reads the organization again.
    expect(await execute('select distinct kind, org_id from changes where placement')).to.deep.equal([
      { kind: 'organization', org_id: 'acme' },
    ]);
  });

  it('tells within a second when notifications do not arrive', async () => {
    const [row] = await execute<{ source: string }>(
      `select pg_get_functiondef('note_change'::regproc) as source`,
    );
    await execute(row?.source.replace(/perform pg_notify.*/, '') ?? '');
    await follow();
    const before = performance.now();
    await suspend('acme');
    await until('the change arrives', () => memory.changes.length > 0);
    expect(performance.now() - before).to.be.below(1000);
    expect(memory.changes).to.deep.equal([acme]);
  });

  it('tells of a transaction that began first and ended last, and of none that was rolled back', async () => {
    await follow();
    const first = await openConnection(metadataUrl());
    const lost = await openConnection(metadataUrl());
    try {
      await first.execute(`begin; update organizations set status = 'suspended' where org_id = 'acme'`);
      await lost.execute(`begin; insert into settings (org_id, settings) values ('acme', '{}')`);
      await suspend('beta');
      await until('the later one arrives', () => memory.changes.length > 0);
      await lost.execute('rollback');
      await first.execute('commit');
      await until('the earlier one arrives', () => memory.changes.length > 1);
      expect(memory.changes).to.deep.equal([beta, acme]);
    } finally {
      await Promise.all([first.close(), lost.close()]);
    }
  });

  it('is not current while its connection is lost, and resets its subscribers when it has another', async () => {
    await follow(NEVER_MS);
    const lost = until('the loss is noticed', () => !feed.isCurrent);
    await breakListening();
    await lost;
    await until('there is another connection', () => feed.isCurrent);
    expect(memory.resets).to.equal(2);
    await suspend('acme');
    await until('a change arrives on it', () => memory.changes.length > 0);
    expect(memory.changes).to.deep.equal([acme]);
  });

  it('takes a server that does not answer for a lost one', async () => {
    await follow();
    const lock = await lockTable(deployment, deployment.metadataDatabase, 'changes');
    try {
      const before = performance.now();
      await until('it notices', () => !feed.isCurrent);
      expect(performance.now() - before).to.be.below(1500);
    } finally {
      await lock.release();
    }
    await until('it is back', () => feed.isCurrent);
    expect(memory.resets).to.be.greaterThan(1);
  });

  it('begins again with a subscriber that failed', async () => {
    await follow();
    memory.refusing = true;
    await suspend('acme');
    await until('the failure is noticed', () => !feed.isCurrent);
    memory.refusing = false;
    await until('it was reset', () => feed.isCurrent);
    expect([memory.resets > 1, memory.changes]).to.deep.equal([true, []]);
  });

  it('resets who comes later, and tells nothing to who left', async () => {
    await follow(NEVER_MS);
    const late = new Memory();
    const leave = feed.subscribe(late);
    expect(feed.isCurrent).to.equal(false);
    await until('the newcomer was reset', () => feed.isCurrent);
    expect([memory.resets, late.resets]).to.deep.equal([1, 1]);
    leave();
    await suspend('acme');
    await until('the change arrives', () => memory.changes.length > 0);
    expect(late.changes).to.deep.equal([]);
  });

  it('never tells two things at a time', async () => {
    await follow();
    const gate = new Gate();
    let told = 0;
    feed.subscribe({
      reset: () => undefined,
      changed: () => {
        told += 1;
        return gate.pass();
      },
    });
    await until('it was reset', () => feed.isCurrent);
    await suspend('acme');
    await gate.reached;
    await suspend('beta');
    await until('a second has passed without a look', () => !feed.isCurrent);
    expect(told).to.equal(1);
    gate.open();
    await until('the second is told', () => told === 2);
  });

  it('starts without a metadata database, and follows it once it is there', async () => {
    await execute(`alter table changes rename to elsewhere`);
    await follow();
    expect([feed.isCurrent, memory.resets]).to.deep.equal([false, 0]);
    await execute(`alter table elsewhere rename to changes`);
    await until('it follows', () => feed.isCurrent);
    expect(memory.resets).to.equal(1);
  });

  it('leaves no connection behind', async () => {
    await follow();
    await feed.close();
    await feed.close();
    const left = await execute(
      `select from pg_stat_activity where application_name = 'mad changes' and datname = '${deployment.metadataDatabase}'`,
    );
    expect([left.length, feed.isCurrent]).to.deep.equal([0, false]);
  });
});
