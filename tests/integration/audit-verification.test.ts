import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { runCommandOn } from '../support/command-line.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

const ACME = organizationId('acme');

describe('audit verify', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let metadata: MetadataDatabase;
  let container: ReturnType<Deployment['start']>;
  const headsFile = join(tmpdir(), `heads-${process.pid}.json`);

  before(async () => {
    deployment = await createDeployment();
    container = deployment.start();
    metadata = container.get(TOKENS.metadataDatabase);
  });
  after(async () => {
    await rm(headsFile, { force: true });
    await deployment.dispose();
  });
  beforeEach(async () => {
    await tamper('truncate organizations, audit_logs, audit_chains cascade');
    await deployment.register('acme', 'beta');
  });

  /** What somebody with all rights on the tables could do. */
  const tamper = (...statements: readonly string[]) =>
    deployment.metadata(
      ['audit_logs', 'audit_chains']
        .flatMap((table) => [`alter table ${table} disable trigger user`])
        .concat(statements, [
          'alter table audit_logs enable always trigger audit_logs_chain',
          'alter table audit_logs enable always trigger audit_logs_append_only',
          'alter table audit_chains enable always trigger audit_chains_append_only',
          'alter table audit_chains enable always trigger audit_chains_note_began',
        ])
        .join('; '),
    );
  const append = async (...entityIds: readonly string[]): Promise<void> => {
    for (const entityId of entityIds)
      await metadata.auditLog.append({
        organizationId: ACME,
        userId: 'user-1',
        action: 'job.moved',
        entityType: 'job',
        entityId,
        details: { text: 'é😀', number: 1e21 },
        requestId: 'request-1',
        address: '::1',
      });
  };
  /** Computes a chain anew, with the function of the database. */
  const rewrite = `do $$
    declare entry audit_logs; link bytea := '';
    begin
      for entry in select * from audit_logs where org_id = 'acme' order by position loop
        link := audit_entry_hash(link, entry);
        update audit_logs set entry_hash = link where position = entry.position;
      end loop;
      update audit_chains set head = link, length = (select count(*) from audit_logs where org_id = 'acme')
        where chain = 'acme';
    end $$`;
  const verify = async (...args: readonly string[]) => {
    const { exitCode, lines } = await runCommandOn(container, ['audit', 'verify', ...args]);
    return { exitCode, text: lines.join('\n') };
  };
  const keepHeads = async (): Promise<void> => writeFile(headsFile, (await verify('--json')).text);

  it('takes an organization that never had an entry for what it is', async () => {
    await append('1');
    const { exitCode, text } = await verify();
    expect(exitCode, text).to.equal(0);
    expect(text).to.include('intact  beta: 0 entries, head none');
  });

  it('notices that the whole chain of an organization is gone', async () => {
    await append('1', '2');
    await tamper(
      `delete from audit_logs where org_id = 'acme'`,
      `delete from audit_chains where chain = 'acme'`,
    );
    for (const args of [[], ['--org', 'acme']]) {
      const { exitCode, text } = await verify(...args);
      expect(exitCode, text).to.equal(3);
      expect(text).to.include('BROKEN  acme: the whole chain is gone');
    }
    expect((await verify('--org', 'beta')).exitCode).to.equal(0);
  });

  it('computes the hashes itself, whatever the function in the database says', async () => {
    await append('1');
    const [known] = await deployment.metadata<{ definition: string }>(
      `select pg_get_functiondef('audit_entry_hash'::regproc) as definition`,
    );
    try {
      await deployment.metadata(
        `create or replace function audit_entry_hash(previous bytea, entry audit_logs) returns bytea
         language sql immutable as $$ select sha256('nothing at all') $$`,
      );
      await append('2', '3');
      await tamper(rewrite, `update audit_logs set user_id = 'somebody else' where entity_id = '2'`);
      const { exitCode, text } = await verify();
      expect(exitCode, text).to.equal(3);
      expect(text).to.match(/^BROKEN {2}acme: entry /m);
    } finally {
      await deployment.metadata(known?.definition ?? '');
    }
  });

  it('agrees with the database about everything that an entry can hold', async () => {
    const characters = Array.from({ length: 0x17ff }, (_, index) => String.fromCodePoint(index + 1)).join('');
    const values = [
      characters,
      '𐀀😀\u{10ffff}',
      { b: 1, a: [null, true, {}, []], '': { 'ä"\\': 'x' } },
      [1e21, 1e-7, 0.1, -0, 123456789012345680000, 5e-324],
      {},
    ];
    for (const value of values) {
      await deployment.metadata(
        `insert into audit_logs (org_id, user_id, action, entity_type, entity_id, details, request_id, address)
         values ('acme', $1, 'told', 'job', $1, $2, null, $1)`,
        typeof value === 'string' ? value : 'text',
        JSON.stringify(value),
      );
    }
    for (const ts of [
      'infinity',
      '-infinity',
      '0044-03-15 BC',
      '12000-01-01',
      '0001-01-01',
      '1969-12-31 23:59:59.999+00',
    ])
      await deployment.metadata(
        `insert into audit_logs (action, entity_type, entity_id, ts) values ('told', 'job', '1', $1)`,
        ts,
      );
    await deployment.metadata(
      `insert into audit_logs (org_id, action, entity_type, entity_id)
       select 'beta', 'told', 'job', n::text from generate_series(1, 1203) n`,
    );
    const { exitCode, text } = await verify();
    expect(exitCode, text).to.equal(0);
    expect(text).to.include('beta: 1203 entries');
    const stored = await deployment.metadata<{ chain: string; head: string }>(
      `select chain, encode(head, 'hex') as head from audit_chains`,
    );
    for (const { head } of stored) expect(text).to.include(head);
  });

  it('prints heads that today’s chains are held against', async () => {
    await append('1', '2');
    await keepHeads();
    expect((await verify('--against', headsFile)).exitCode, 'at once').to.equal(0);
    await append('3');
    await deployment.register('later');
    const later = await verify('--against', headsFile);
    expect(later.exitCode, later.text).to.equal(0);
  });

  for (const [what, statements, reason] of [
    [
      'written anew',
      [`update audit_logs set user_id = 'somebody else' where entity_id = '1'`, rewrite],
      'it has another hash than the head that was kept',
    ],
    [
      'cut off',
      [`delete from audit_logs where entity_id in ('2', '3')`, rewrite],
      'the chain had 2 entries when its head was kept, and has 1',
    ],
    [
      'removed together with its organization',
      [
        `delete from audit_logs where org_id = 'acme'`,
        `delete from audit_chains where chain = 'acme'`,
        `delete from organizations where org_id = 'acme'`,
      ],
      'the chain had 2 entries when its head was kept, and has 0',
    ],
  ] as const) {
    it(`notices by kept heads alone that a whole chain was ${what}`, async () => {
      await append('1', '2');
      await keepHeads();
      await append('3');
      await tamper(...statements);
      expect((await verify()).exitCode, 'without them').to.equal(0);
      const { exitCode, text } = await verify('--against', headsFile);
      expect(exitCode, text).to.equal(3);
      expect(text)
        .to.match(/^BROKEN {2}acme: /m)
        .and.to.include(reason);
    });
  }

  it('fails for an organization that nothing tells of', async () => {
    const { exitCode, text } = await verify('--org', 'typo');
    expect(exitCode, text).to.equal(1);
    expect(text).not.to.include('BROKEN');
  });

  it('fails, and names the file, when it holds no heads', async () => {
    const head = { org_id: 'acme', entries: 1, head: 'a'.repeat(64) };
    for (const content of [
      'no json',
      '[]',
      '{"chains": 7}',
      JSON.stringify({ chains: [{ ...head, head: 'abc' }] }),
      JSON.stringify({ chains: [{ ...head, entries: -1 }] }),
      JSON.stringify({ chains: [{ ...head, org_id: 'No Id' }] }),
    ]) {
      await writeFile(headsFile, content);
      const { exitCode, text } = await verify('--against', headsFile);
      expect([exitCode, text.includes(headsFile)], text).to.deep.equal([1, true]);
    }
    await rm(headsFile);
    const { exitCode, text } = await verify('--against', headsFile);
    expect([exitCode, text.includes(headsFile)], text).to.deep.equal([1, true]);
  });
});
