import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { DatabaseNames } from '../../../domain/databases/database-names.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { ValidationError } from '../../../domain/validation-error.ts';

const ID = '0a0b0c0d-0e0f-4111-8222-333344445555';

describe('the names of the results databases on a server', () => {
  const names = new DatabaseNames('mad_results_{org_id}');
  const max = names.maxOrganizationIdLength;
  const acme = parseOrganizationId('acme', max);

  it('come from the pattern', () => {
    expect(names.forOrganization(acme)).to.equal('mad_results_acme');
    expect(new DatabaseNames('r_{org_id}_x').forOrganization(acme)).to.equal('r_acme_x');
  });

  it('are those of the ledger while it holds a database, whatever the pattern says by now', () => {
    const record = { databaseName: 'of_before', stamp: ID };

    expect(names.ofRecord(acme, record)).to.equal('of_before');
    expect(names.ofRecord(acme, { ...record, stamp: null })).to.equal('mad_results_acme');
    expect(names.ofRecord(acme, null)).to.equal('mad_results_acme');
  });

  it('tell the organization', () => {
    for (const id of ['a', '0', 'acme', 'a-b_c', 'x'.repeat(max)]) {
      expect(names.organizationIdOf(names.forOrganization(parseOrganizationId(id, max)))).to.equal(id);
    }
    for (const name of [
      'mad',
      'postgres',
      'mad_results_',
      'mad_results_template',
      'mad_results_spare.1',
      'mad_results_A',
      'mad_results_a_',
      `mad_results_${'x'.repeat(max + 1)}`,
      'xmad_results_a',
    ]) {
      expect(names.organizationIdOf(name), name).to.equal(null);
    }
  });

  it('keep prefix and suffix apart', () => {
    const wrapped = new DatabaseNames('aba{org_id}aba');

    expect(wrapped.organizationIdOf('aba')).to.equal(null);
    expect(wrapped.organizationIdOf('abaaba')).to.equal(null);
    expect(wrapped.organizationIdOf('abaxaba')).to.equal('x');
  });

  it('are others for internal databases and roles, and tell what each is for', () => {
    const internal = {
      template: names.template('0123456789'),
      build: names.build('0123456789', ID),
      spare: names.spare(ID),
      check: names.check(ID),
      rows: names.role(ID),
      orphan: names.quarantine('orphan', ID),
      retired: names.quarantine('retired', ID),
    };

    expect(internal).to.deep.equal({
      template: 'template.0123456789.mad_results',
      build: 'build.0123456789-0a.mad_results',
      spare: 'spare.0a0b0c0d0e0f.mad_results',
      check: 'check.0a0b0c0d0e0f.mad_results',
      rows: 'rows.0a0b0c0d0e0f.mad_results',
      orphan: 'orphan.0a0b0c0d0e0.mad_results',
      retired: 'retired.0a0b0c0d0e0.mad_results',
    });
    expect(names.groupRole).to.equal('rows.all.mad_results');
    for (const [kind, name] of Object.entries(internal)) {
      expect(names.organizationIdOf(name), name).to.equal(null);
      expect(names.readInternal(name), name).to.deep.equal({ kind, id: name.split('.')[1] });
    }
    for (const name of ['mad_results_acme', 'other.1.mad_results', 'spare.1.other', '.mad_results']) {
      expect(names.readInternal(name), name).to.equal(null);
    }
    expect(() => parseOrganizationId('spare.1f2e3d', max)).to.throw(ValidationError);
  });

  it('tell which template a database is, or is to be', () => {
    for (const name of ['template.01ab.mad_results', 'build.01ab-0a.mad_results', 'build.01ab.mad_results'])
      expect(names.templateHashOf(name), name).to.equal('01ab');
    for (const name of ['spare.01ab.mad_results', 'template.01ab.other', 'mad_results_template'])
      expect(names.templateHashOf(name), name).to.equal(null);
  });

  it('are refused where an internal one would hold other letters, nothing, or more than a name may', () => {
    for (const hash of ['', '.', 'x.', 'X1', 'b"', 'x'.repeat(max)]) {
      expect(() => names.template(hash), hash).to.throw(RangeError);
    }
  });

  it('of a template that is being built fit beside the longest names, as those of templates do', () => {
    const longest = new DatabaseNames(`${'r'.repeat(43)}{org_id}`);

    expect(longest.build('0123456789', ID)).to.have.length(longest.template('0123456789').length);
  });

  it('are put aside under one that fits beside the longest names, and the same for the same id', () => {
    // PostgreSQL's 63 bytes less the 20 that every organization id may have.
    const longest = new DatabaseNames(`${'r'.repeat(43)}{org_id}`);

    for (const why of ['orphan', 'retired'] as const) {
      const id = randomUUID();
      const name = longest.quarantine(why, id);
      expect(Buffer.byteLength(name)).to.be.at.most(63);
      expect(longest.readInternal(name)?.kind).to.equal(why);
      expect(longest.quarantine(why, id)).to.equal(name);
      expect(longest.quarantine(why, randomUUID())).to.not.equal(name);
    }
  });

  it('are recognized in every database that could be taken for one', () => {
    for (const name of [
      'mad_results_acme',
      'mad_results_template',
      'mad_results_spare.1',
      'spare.1.mad_results',
    ]) {
      expect(names.collidesWith(name), name).to.equal(true);
    }
    for (const name of ['mad', 'mad_results_', 'mad_results', 'postgres']) {
      expect(names.collidesWith(name), name).to.equal(false);
    }
  });

  it('count bytes, and leave at least 20 for the id', () => {
    expect(max).to.equal(51);
    expect(new DatabaseNames('é_{org_id}_é').maxOrganizationIdLength).to.equal(57);
    expect(new DatabaseNames(`${'x'.repeat(43)}{org_id}`).problem).to.equal(null);
    expect(new DatabaseNames(`${'x'.repeat(44)}{org_id}`).problem).to.match(/at least 20/);
  });

  it('are never those of the server', () => {
    expect(names.problem).to.equal(null);
    for (const pattern of ['{org_id}', 'post{org_id}', 'template{org_id}', '{org_id}s']) {
      expect(new DatabaseNames(pattern).problem, pattern).to.match(/server's own/);
    }
  });

  it('long-and-case-twin-org-ids-do-not-collide', () => {
    const longest = 'x'.repeat(max);
    const databases = [longest, `${longest.slice(1)}y`, `y${longest.slice(1)}`].map((id) =>
      names.forOrganization(parseOrganizationId(id, max)),
    );

    for (const name of databases) expect(Buffer.byteLength(name)).to.equal(63);
    expect(new Set(databases.map((name) => name.slice(0, 63))).size).to.equal(3);
    // One more character, and PostgreSQL would cut two ids to one name.
    expect(() => parseOrganizationId(`${longest}a`, max)).to.throw(ValidationError);
    expect(() => parseOrganizationId(`${longest}b`, max)).to.throw(ValidationError);
    for (const twin of ['Acme', 'ACME', 'acmE', 'ａcme', 'acmé', 'acme\u0301']) {
      expect(() => parseOrganizationId(twin, max), twin).to.throw(ValidationError);
    }
  });
});
