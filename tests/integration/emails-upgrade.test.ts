import { expect } from 'chai';
import knex from 'knex';
import { Client } from 'pg';
import { KnexUserRepository } from '../../adapters/knex/metadata/knex-user-repository.ts';
import type { SqlExecutor } from '../../adapters/knex/statement.ts';
import { canonicalEmail } from '../../domain/identity/email.ts';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { rejectionOf } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const BEFORE = '0013_results_servers';
const MIGRATION = '0014_memberships_and_emails';

/** How the release before makes a user, and finds one. */
const INSERT = `insert into users (email, platform_admin) values ($1, false)
  on conflict (lower(email)) do nothing returning user_id`;
const FIND = 'select user_id from users where lower(email) = lower($1)';
const SET_PASSWORD = `insert into identities (user_id, provider, subject, password_hash)
  select user_id, 'password', lower(email), $2 from users where user_id = $1
  on conflict (provider, subject) do update set password_hash = excluded.password_hash`;

const PLAIN = ['Ada@Example.org', 'bob@example.org', 'İpek@example.org', 'jürgen@Bücher.example'];

describe('The upgrade to one canonical form of an email', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: Client;
  let users: KnexUserRepository;
  const ids: Record<string, string> = {};

  before(async () => {
    database = await createTestDatabase('emails');
    client = new Client({ connectionString: database.url });
    await client.connect();
    const executor: SqlExecutor = {
      query: async <Row>({ text, values }: { text: string; values: readonly unknown[] }) =>
        // The caller knows what it selects.
        (await client.query(text, [...values])).rows as Row[],
    };
    users = new KnexUserRepository(executor);
    await migrateTo(BEFORE);
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const migrateTo = async (name: string): Promise<void> => {
    const files = await metadataMigrations.getMigrations();
    const position = files.findIndex((file) => metadataMigrations.getMigrationName(file) === name) + 1;
    await new Migrator(metadataMigrations.upTo(position)).latest(DatabaseUrl.parse(database.url));
  };
  const insertAsBefore = async (email: string): Promise<string> => {
    const { rows } = await client.query<{ user_id: string }>(INSERT, [email]);
    return (ids[email] = rows[0]?.user_id ?? '');
  };
  const rowOf = async (id: string | undefined) =>
    (await client.query<{ canonical_email: string | null }>('select * from users where user_id = $1', [id]))
      .rows[0];
  const foundBy = async (email: string): Promise<string | undefined> =>
    (await users.findByEmail(email))?.userId;

  it('gives each user the form that the service computes, and makes no change of it', async () => {
    for (const email of PLAIN) await insertAsBefore(email);
    // Two emails that PostgreSQL takes for two, wherever it runs. The one that was made first has the later id.
    await client.query(
      `insert into users (user_id, email, created_at) values
         ('ffffffff-0000-4000-8000-000000000000', 'ｅve@example.org', now() - interval '2 days'),
         ('00000000-0000-4000-8000-000000000000', 'eve@example.org', now() - interval '1 day')`,
    );
    await client.query('delete from changes');
    await migrateTo(MIGRATION);
    // The service starts on a metadata database of the present schema alone.
    await new Migrator(metadataMigrations).latest(DatabaseUrl.parse(database.url));
    for (const email of PLAIN)
      expect((await rowOf(ids[email]))?.canonical_email, email).to.equal(canonicalEmail(email));
    expect((await client.query('select from changes')).rowCount).to.equal(0);
  });

  it('gives a form that two users have to the first, names the other one, and finds both', async () => {
    const [first, second] = ['ffffffff-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000'];
    expect((await rowOf(first))?.canonical_email).to.equal('eve@example.org');
    expect((await rowOf(second))?.canonical_email).to.equal(null);
    const { rows } = await client.query(
      `select entity_id, details from audit_logs where org_id is null and action = 'user.email_ambiguous'`,
    );
    expect(rows).to.deep.equal([{ entity_id: second, details: { canonical_email_belongs_to: first } }]);
    expect(await foundBy('ｅve@example.org')).to.equal(first);
    expect(await foundBy('eve@example.org')).to.equal(second);
    expect(await foundBy('EVE@example.org')).to.equal(first);
    for (const [id, hash] of [
      [first, 'hash of the first'],
      [second, 'hash of the second'],
    ] as const)
      await users.setPassword(id ?? '', { hash, mustChange: false });
    expect((await users.findPasswordIdentity('eve@example.org'))?.passwordHash).to.equal(
      'hash of the second',
    );
    expect((await users.findPasswordIdentity('EVE@example.org'))?.passwordHash).to.equal('hash of the first');
    expect(await users.insert({ email: 'Eve@example.org', platformAdmin: false })).to.equal(null);
  });

  it('lets the release before make users, who are found here', async () => {
    for (const email of ['Carol@example.org', 'Zoë@example.org', 'Oscar@Bücher.example']) {
      const id = await insertAsBefore(email);
      expect(await foundBy(email.toUpperCase()), email).to.equal(id);
      await client.query(SET_PASSWORD, [id, 'hash']);
      expect((await users.findPasswordIdentity(email))?.userId, email).to.equal(id);
      await users.setPassword(id, { hash: 'another', mustChange: true });
      const { rows } = await client.query('select password_hash from identities where user_id = $1', [id]);
      expect(rows, email).to.deep.equal([{ password_hash: 'another' }]);
    }
    expect((await rowOf(ids['Carol@example.org']))?.canonical_email).to.equal('carol@example.org');
    expect((await client.query(INSERT, ['CAROL@example.org'])).rows).to.deep.equal([]);
  });

  it('lets the release before find users who were made here', async () => {
    const user = await users.insert({ email: 'Dora@example.org', platformAdmin: false });
    await users.setPassword(user?.userId ?? '', { hash: 'hash', mustChange: false });
    expect((await client.query(FIND, ['DORA@example.org'])).rows).to.deep.equal([{ user_id: user?.userId }]);
    const { rows } = await client.query('select subject from identities where user_id = $1', [user?.userId]);
    expect(rows).to.deep.equal([{ subject: 'dora@example.org' }]);
    expect((await client.query(INSERT, ['DORA@example.org'])).rows).to.deep.equal([]);
  });

  it('keeps two users of one form out', async () => {
    const again = client.query(
      `insert into users (email, canonical_email) values ('other', 'ada@example.org')`,
    );
    expect(await rejectionOf(again)).to.include({ code: '23505', constraint: 'users_canonical_email_key' });
  });

  it('ends an invitation when the release before makes the membership', async () => {
    const userId = ids['bob@example.org'];
    await client.query(`insert into organizations (org_id, name) values ('acme', 'Acme')`);
    await client.query(
      `insert into invitations (user_id, org_id, email, roles) values ($1, 'acme', 'bob', '{member}')`,
      [userId],
    );
    await client.query(`insert into memberships (user_id, org_id, roles) values ($1, 'acme', '{worker}')`, [
      userId,
    ]);
    expect((await client.query('select from invitations')).rowCount).to.equal(0);
  });

  it('leads back to what the release before it has', async () => {
    const file = (await metadataMigrations.getMigrations()).find((name) => name.startsWith(MIGRATION)) ?? '';
    const { down } = await metadataMigrations.getMigration(file);
    const connection = knex({ client: 'pg', connection: database.url });
    try {
      await down?.(connection);
    } finally {
      await connection.destroy();
    }
    expect(await insertAsBefore('frank@example.org')).not.to.equal('');
  });
});
