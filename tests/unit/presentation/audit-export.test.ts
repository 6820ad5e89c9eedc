import { expect } from 'chai';
import { JsonText } from '../../../domain/json-text.ts';
import { toCsvLine } from '../../../presentation/http/audit-logs/audit-log-presenter.ts';
import { FakeService, organization } from '../../support/fakes/fake-service.ts';

const entry = {
  auditId: 'audit-1',
  organizationId: organization('acme'),
  userId: null,
  action: 'job.moved',
  entityType: 'job',
  entityId: '1',
  details: JsonText.of({}),
  requestId: null,
  address: null,
  at: new Date('2026-01-02T03:04:05.678Z'),
  position: '1',
};

describe('An export of the trail', () => {
  it('quotes what a table would split, and disarms what it would compute', () => {
    const cell = (entityId: string): string =>
      toCsvLine({ ...entry, entityId })
        .slice('2026-01-02T03:04:05.678Z,audit-1,acme,,job.moved,job,'.length)
        .replace(/,,,\{\}\r\n$/, '');
    expect(cell('plain')).to.equal('plain');
    expect(cell('a,"b"')).to.equal('"a,""b"""');
    for (const first of ['=', '+', '-', '@', '＝', '＋', '－', '＠'])
      expect(cell(`${first}1+1`)).to.equal(`'${first}1+1`);
    expect(cell('two\nlines')).to.equal('"two\nlines"');
  });

  it('is cut off, never ended, when the trail cannot be read any further', async () => {
    const service = new FakeService();
    for (let at = 0; at < 300; at += 1)
      await service.metadata.auditLog.append({ ...entry, organizationId: null, details: {} });
    const { list } = service.metadata.auditLog;
    let readings = 0;
    service.metadata.auditLog.list = async (...args) => {
      readings += 1;
      if (readings > 1) throw new Error('the metadata database is away');
      return list(...args);
    };
    const failure = await service
      .admin()
      .get('/admin/audit-logs.csv')
      .then(
        () => null,
        (error: unknown) => String(error),
      );
    expect(failure).to.match(/aborted|hang up|ECONNRESET/);
    readings = 1;
    expect((await service.admin().get('/admin/audit-logs.csv')).status).to.equal(500);
  });

  it('reads nothing for HEAD', async () => {
    const service = new FakeService();
    service.metadata.auditLog.list = () => Promise.reject(new Error('it was read'));
    const { status, headers } = await service.admin().head('/admin/audit-logs.ndjson');
    expect(status).to.equal(200);
    expect(headers['content-type']).to.include('application/x-ndjson');
  });
});
