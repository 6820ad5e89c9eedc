import { once } from 'node:events';
import { readdir, rm, truncate } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import {
  contentDigestOf,
  fetchBytes,
  sha256Of,
  type BytesReply,
  type BytesRequest,
} from '../support/fetch-bytes.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { RFC3339_UTC, UUID, type Page, type Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { LIGAND, RECEPTOR } from '../support/fakes/molecules.ts';

interface StoredFile {
  readonly sha256: string;
  readonly size_bytes: number;
  readonly media_type: string;
  readonly name: string | null;
  readonly kind: string | null;
  readonly findings: readonly { severity: string; line: number | null; message: string }[];
  readonly created_at: string;
}

const STALL_MS = 150;
/** More than the sockets of a client that does not read take in. */
const MAX_BYTES = 16_000_000;

describe('Files over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let token: string;
  let member: Caller;

  before(async () => {
    deployment = await createDeployment({ FILES_MAX_BYTES: String(MAX_BYTES) });
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    token = deployment.token('alpha', ['member']);
    member = service.as(token);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const call = (path: string, request: Partial<BytesRequest> = {}): Promise<BytesReply> =>
    fetchBytes(`${service.url}${path}`, { token, ...request });
  const send = (body: string | Buffer, headers: BytesRequest['headers'] = {}): Promise<BytesReply> =>
    call('/files', { method: 'POST', body, headers: { 'content-type': 'text/plain', ...headers } });
  const named = (name: string) => ({
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`,
  });
  const isHash = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);
  const leases = (): number => service.container.get(TOKENS.connectionManager).counts().leases;
  /** Names of all that the store has of the organization. */
  const kept = async (organization = 'alpha'): Promise<readonly string[]> => {
    const entries = await readdir(join(deployment.filesFolder, organization), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };
  const pathsOf = ({ body }: BytesReply): readonly string[] =>
    (body as unknown as Problem).errors?.map(({ path }) => path) ?? [];
  const open = async (url = service.url): Promise<Socket> => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const head = (lines: readonly string[]): string =>
    ['POST /files HTTP/1.1', 'Host: x', `Authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n');

  it('are kept byte for byte under their SHA-256, once', async () => {
    const bytes = Buffer.from('ATOM\r\n\0\xff\r\n', 'latin1');
    const first = await send(bytes, named('odd.bin'));
    const second = await send(bytes, named('another name'));

    expect([first.status, second.status]).to.deep.equal([201, 200]);
    expect(first.headers.get('location')).to.equal(`/files/${sha256Of(bytes)}`);
    expect(first.body).to.include({
      sha256: sha256Of(bytes),
      size_bytes: bytes.length,
      media_type: 'text/plain',
      name: 'odd.bin',
      kind: null,
      created_by: 'user-1',
    });
    expect(first.body?.['created_at']).to.match(RFC3339_UTC);
    expect(second.body).to.deep.equal(first.body);
    const read = await call(`/files/${sha256Of(bytes)}`);
    expect(read.bytes.equals(bytes)).to.equal(true);
    expect(Object.fromEntries(read.headers)).to.include({
      'content-type': 'text/plain',
      'content-length': String(bytes.length),
      etag: `"${sha256Of(bytes)}"`,
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'content-disposition': `attachment; filename="odd.bin"; filename*=UTF-8''odd.bin`,
    });
    expect((await kept()).filter((name) => name === sha256Of(bytes))).to.have.length(1);
  });

  it('may be empty, and of any type', async () => {
    const empty = await call('/organizations/alpha/files', { method: 'POST', body: '' });
    expect(empty.status).to.equal(201);
    expect(empty.headers.get('location')).to.equal(`/organizations/alpha/files/${sha256Of('')}`);
    expect(empty.body).to.include({ size_bytes: 0, name: null });
    const read = await call(`/files/sha256:${sha256Of('')}`);
    expect([read.status, read.bytes.length]).to.deep.equal([200, 0]);
    expect((await call(`/files/${sha256Of('')}`, { headers: { range: 'bytes=0-' } })).status).to.equal(416);
  });

  for (const name of [
    '受体 (final) v2.pdbqt',
    '-o.pdbqt',
    '../../x.pdbqt',
    'a"b;rm.pdbqt',
    "it's 100% [*] \\ .pdbqt",
    'e\u0301.pdbqt',
    'ä'.repeat(255),
  ])
    it(`keep their name as it is, and make no path of it: ${name.slice(0, 30)}`, async () => {
      const byHeader = await send(`${LIGAND}REMARK ${name}`, named(name));
      const form = new FormData();
      form.append('file', new Blob([`${RECEPTOR}REMARK ${name}`]), name);
      const byForm = await call('/files', { method: 'POST', body: form });

      expect([byHeader.status, byForm.status]).to.deep.equal([201, 201]);
      expect(byHeader.body?.['name']).to.equal(name);
      // Browsers and undici write quotes and line breaks of a form's names as percent codes.
      expect(String(byForm.body?.['name']).replaceAll('%22', '"')).to.equal(name);
      const read = await call(`/files/${String(byHeader.body?.['sha256'])}`);
      const [, given = ''] =
        /filename\*=UTF-8''(\S+)$/.exec(read.headers.get('content-disposition') ?? '') ?? [];
      expect(decodeURIComponent(given)).to.equal(name);
      for (const stored of await kept()) expect(stored).to.match(/^[0-9a-f]{64}$/);
    });

  it('have a name in UTF-8 also where the client says so without an encoding', async () => {
    const header = Buffer.from('attachment; filename="é.txt"').toString('latin1');
    const { body } = await send('utf-8 name', { 'content-disposition': header });
    expect(body?.['name']).to.equal('é.txt');
  });

  it('come several in one form, and are answered together', async () => {
    const form = new FormData();
    for (const text of ['one', 'two', 'one']) form.append('file', new Blob([text]), `${text}.txt`);
    const { status, body } = await call('/files', { method: 'POST', body: form });
    expect(status).to.equal(201);
    const sent = (body ?? {}) as unknown as Page<StoredFile>;
    const hashes = sent.items.map(({ sha256 }) => sha256);
    expect(hashes).to.deep.equal(['one', 'two', 'one'].map(sha256Of));
  });

  it('are told what is odd about them when they are sent', async () => {
    const good = await send(LIGAND, named('ligand.pdbqt'));
    expect(good.body).to.deep.include({ kind: 'ligand', findings: [] });
    const bad = await send(LIGAND.replace('ENDROOT\n', '').replaceAll('\n', '\r\n'), named('windows.pdbqt'));
    expect(bad.body?.['kind']).to.equal('ligand');
    expect(bad.body?.['findings']).to.deep.include({
      severity: 'error',
      line: null,
      message: 'has no ENDROOT',
    });
    const receptor = await send(RECEPTOR, { 'content-type': 'chemical/x-pdbqt' });
    expect(receptor.body).to.deep.include({ kind: 'receptor', findings: [] });
  });

  it('are listed newest first, in pages', async () => {
    for (const text of ['listed 1', 'listed 2', 'listed 3']) await send(text);
    const { body: page } = await member.get<Page<StoredFile>>('/files?limit=2');
    expect(page.items.map(({ sha256 }) => sha256)).to.deep.equal(['listed 3', 'listed 2'].map(sha256Of));
    const rest = await member.get<Page<StoredFile>>(`/files?limit=1&cursor=${page.next_cursor}`);
    expect(rest.body.items.map(({ sha256 }) => sha256)).to.deep.equal([sha256Of('listed 1')]);
  });

  describe('in parts', () => {
    const text = 'abcdefghij';
    const path = `/files/${sha256Of(text)}`;
    before(() => send(text));

    for (const [range, part, contentRange] of [
      ['bytes=2-4', 'cde', 'bytes 2-4/10'],
      ['bytes=7-', 'hij', 'bytes 7-9/10'],
      ['bytes=-3', 'hij', 'bytes 7-9/10'],
      ['bytes=5-100', 'fghij', 'bytes 5-9/10'],
      ['bytes=-100', text, 'bytes 0-9/10'],
    ] as const)
      it(`are given as asked for: ${range}`, async () => {
        const reply = await call(path, { headers: { range } });
        expect([reply.status, reply.bytes.toString()]).to.deep.equal([206, part]);
        expect(reply.headers.get('content-range')).to.equal(contentRange);
        expect(reply.headers.get('content-length')).to.equal(String(part.length));
      });

    it('are refused beyond the end', async () => {
      const reply = await call(path, { headers: { range: 'bytes=10-' } });
      expect([reply.status, reply.body?.['code']]).to.deep.equal([416, 'range_not_satisfiable']);
      expect(reply.headers.get('content-range')).to.equal('bytes */10');
    });

    it('are the whole where the range is several, malformed, or of another version', async () => {
      for (const headers of [
        { range: 'bytes=0-1,4-5' },
        { range: 'lines=1-2' },
        { range: 'bytes=x' },
        { range: 'bytes=4-2' },
        { range: 'bytes=2-4', 'if-range': '"another"' },
        { range: 'bytes=2-4', 'if-range': 'Wed, 21 Oct 2026 07:28:00 GMT' },
      ]) {
        const reply = await call(path, { headers });
        expect([reply.status, reply.bytes.toString()]).to.deep.equal([200, text]);
      }
      const same = await call(path, { headers: { range: 'bytes=2-4', 'if-range': `"${sha256Of(text)}"` } });
      expect(same.status).to.equal(206);
    });

    it('are not sent to a client that has them, or asks with HEAD', async () => {
      const etag = `"${sha256Of(text)}"`;
      const unchanged = await member.get(path, { 'if-none-match': etag });
      expect([unchanged.status, unchanged.text]).to.deep.equal([304, '']);
      for (const range of ['bytes=2-4', 'bytes=10-']) {
        const part = await member.get(path, { 'if-none-match': etag, range });
        expect([part.status, part.headers['content-range']]).to.deep.equal([304, undefined]);
      }
      const looked = await call(path, { method: 'HEAD' });
      expect([looked.status, looked.bytes.length]).to.deep.equal([200, 0]);
      expect(looked.headers.get('content-length')).to.equal('10');
      expect(looked.headers.get('etag')).to.equal(etag);
    });
  });

  it('of other organizations do not exist', async () => {
    await send('a secret of alpha');
    const other = deployment.token('beta', ['member', 'org_admin', 'worker']);
    const path = `/files/${sha256Of('a secret of alpha')}`;
    const answers = [
      await call(path, { token: other }),
      await call(`/files/${sha256Of('nothing')}`, { token: other }),
    ];
    for (const { status, body } of answers)
      expect([status, body?.['code']]).to.deep.equal([404, 'file_not_found']);
    // Bytes that another organization has are new to this one.
    const sent = await call('/files', { method: 'POST', body: 'a secret of alpha', token: other });
    expect(sent.status).to.equal(201);
  });

  describe('that fail leave nothing:', () => {
    const refused = async (reply: () => Promise<BytesReply>): Promise<readonly unknown[]> => {
      await until('what broke off before is gone', async () => (await kept()).every(isHash));
      const before = await kept();
      const { status, body } = await reply();
      expect(await kept()).to.deep.equal(before);
      return [status, body?.['code']];
    };

    it('other bytes than announced', async () => {
      const digest = { 'content-digest': contentDigestOf('another') };
      expect(await refused(() => send('bytes', digest))).to.deep.equal([422, 'digest_mismatch']);
      const right = await send('bytes', { 'content-digest': `md5=:x:, ${contentDigestOf('bytes')}` });
      expect(right.status).to.equal(201);
    });

    it('too many bytes, whether their number is announced or not', async () => {
      const large = Buffer.alloc(MAX_BYTES + 1);
      expect(await refused(() => send(large))).to.deep.equal([413, 'file_too_large']);
      const chunks = new Blob([large]).stream();
      const request = { method: 'POST', body: chunks };
      expect(await refused(() => call('/files', request))).to.deep.equal([413, 'file_too_large']);
      const form = new FormData();
      form.append('file', new Blob([large]), 'large');
      expect(await refused(() => call('/files', { method: 'POST', body: form }))).to.deep.equal([
        413,
        'file_too_large',
      ]);
      expect((await send(Buffer.alloc(MAX_BYTES))).status).to.equal(201);
    });

    it('a form that is none, or has other fields, or no file', async () => {
      const type = { 'content-type': 'multipart/form-data; boundary=x' };
      expect(await refused(() => send('not a form', type))).to.deep.equal([400, 'malformed_request']);
      const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nbytes';
      expect(await refused(() => send(part, type))).to.deep.equal([400, 'malformed_request']);
      const noBoundary = { 'content-type': 'multipart/form-data; x=y' };
      expect(await refused(() => send(part, noBoundary))).to.deep.equal([400, 'malformed_request']);
      const form = new FormData();
      form.append('note', 'x');
      const other = await call('/files', { method: 'POST', body: form });
      expect([other.status, pathsOf(other)]).to.deep.equal([422, ['note']]);
      const none = await send('--x--\r\n', type);
      expect([none.status, pathsOf(none)]).to.deep.equal([422, ['file']]);
      const nameless = '--x\r\nContent-Disposition: form-data; filename="f"\r\n\r\nbytes\r\n--x--\r\n';
      expect((await send(nameless, type)).status).to.equal(422);
    });

    it('headers that cannot be read', async () => {
      for (const [name, value] of [
        ['Content-Disposition', "attachment; filename*=UTF-8''%0a"],
        ['Content-Disposition', 'attachment; filename=""'],
        ['Content-Disposition', `attachment; filename="${'x'.repeat(256)}"`],
        ['Content-Disposition', ';;;'],
        ['Content-Digest', 'sha-256=:AAAA:'],
        ['Content-Digest', 'sha-256=abc'],
        ['Content-Digest', `${contentDigestOf('x')}, ${contentDigestOf('y')}`],
        ['Content-Type', 'no type'],
      ] as const) {
        const reply = await send('x', { [name.toLowerCase()]: value });
        expect([reply.status, pathsOf(reply)], `${name}: ${value}`).to.deep.equal([422, [name]]);
      }
      const packed = await refused(() => send('x', { 'content-encoding': 'gzip' }));
      expect(packed).to.deep.equal([415, 'unsupported_media_type']);
    });

    it('an upload that breaks off', async () => {
      const before = await kept();
      for (const lines of [
        ['Content-Length: 1000'],
        ['Content-Length: 1000', 'Content-Type: multipart/form-data; boundary=x'],
      ]) {
        const socket = await open();
        const form = '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n';
        socket.write(`${head(lines)}${lines.length === 2 ? form : ''}some bytes`);
        await until('bytes are there', async () => (await kept()).length > before.length);
        socket.destroy();
        await until('they are gone', async () => (await kept()).length === before.length);
      }
    });

    it('an upload that trickles to a stop, which is told so', async () => {
      const impatient = await HttpService.over(deployment, deployment.start(), [], {
        stalledUpload: STALL_MS,
        connectionsCheckingInterval: 20,
      });
      const before = await kept();
      const socket = await open(impatient.url);
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.write(`${head(['Content-Length: 1000'])}some bytes`);
      await once(socket, 'close');
      expect(answer).to.match(/^HTTP\/1\.1 408 /);
      expect(answer).to.include('request_timeout');
      await until('its bytes are gone', async () => (await kept()).length === before.length);
      await impatient.close();
    });
  });

  it('are asked for with 100-continue only when they may come', async () => {
    const socket = await open();
    socket.write(head(['Content-Length: 5', 'Expect: 100-continue']));
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).to.match(/^HTTP\/1\.1 100 Continue/);
    socket.write('hello');
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).to.match(/^HTTP\/1\.1 201 /);
    socket.destroy();
    const large = await open();
    large.write(head([`Content-Length: ${MAX_BYTES * 2}`, 'Expect: 100-continue']));
    const [refusal] = (await once(large, 'data')) as [Buffer];
    expect(refusal.toString()).to.match(/^HTTP\/1\.1 413 /);
    large.destroy();
  });

  describe('whose bytes the store has lost', () => {
    const lost = async (text: string, lose: (path: string) => Promise<void>): Promise<string> => {
      await send(text);
      const sha256 = sha256Of(text);
      await lose(join(deployment.filesFolder, 'alpha', sha256.slice(0, 2), sha256));
      return `/files/${sha256}`;
    };

    it('are not announced, and come back when they are sent again', async () => {
      const path = await lost('gone from the disk', (file) => rm(file));
      const { status, body, headers } = await call(path);
      expect([status, body?.['code']]).to.deep.equal([503, 'files_unavailable']);
      expect([headers.get('etag'), headers.get('content-disposition')]).to.deep.equal([null, null]);
      expect((await send('gone from the disk')).status).to.equal(200);
      expect((await call(path)).bytes.toString()).to.equal('gone from the disk');
    });

    it('in part end the connection, so that no client waits for the rest', async () => {
      const path = await lost('cut short on the disk', (file) => truncate(file, 3));
      expect(await rejectionOf(call(path))).to.be.instanceOf(Error);
    });
  });

  it('hold no lease while their bytes come or go', async () => {
    const coming = await open();
    const before = await kept();
    coming.write(`${head(['Content-Length: 1000'])}some bytes`);
    await until('bytes are there', async () => (await kept()).length > before.length);
    expect(leases()).to.equal(0);
    coming.destroy();

    const large = Buffer.alloc(MAX_BYTES - 1, 'x');
    await send(large);
    const going = await open();
    going.pause();
    const request = ['GET /files/', sha256Of(large), ' HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ', token];
    going.write(`${request.join('')}\r\n\r\n`);
    const { responses } = service.container.get(TOKENS.httpDependencies);
    await until('the answer is under way', () => responses.totalBytes >= 256 * 1024);
    expect(leases()).to.equal(0);
    going.destroy();
    await until('the answer is over', () => responses.totalBytes === 0);
  });

  describe('in an upload of their own', () => {
    interface Upload {
      readonly upload_id: string;
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly expires_at: string;
    }
    const begin = async (bytes: string, more: object = {}): Promise<Upload> => {
      const { status, body } = await member.post<Upload>('/files/uploads', {
        sha256: sha256Of(bytes),
        size_bytes: Buffer.byteLength(bytes),
        ...more,
      });
      expect(status).to.equal(201);
      return body;
    };
    const put = ({ url }: Upload, body: string): Promise<BytesReply> => call(url, { method: 'PUT', body });
    const complete = (upload: Upload) =>
      member.post<StoredFile & Problem>(`/files/uploads/${upload.upload_id}/complete`);

    it('are sent to where the answer says, and completed once', async () => {
      const upload = await begin(LIGAND.replace('small', 'separate'), {
        name: 'l.pdbqt',
        media_type: 'chemical/x-pdbqt',
      });
      expect(upload.upload_id).to.match(UUID);
      expect(upload).to.include({ method: 'PUT', url: `/files/uploads/${upload.upload_id}` });
      expect(upload.headers['Content-Type']).to.equal('chemical/x-pdbqt');
      const early = await complete(upload);
      expect([early.status, early.body.code]).to.deep.equal([422, 'digest_mismatch']);
      expect((await put(upload, 'an attempt that')).status).to.equal(204);
      expect((await put(upload, LIGAND.replace('small', 'separate'))).status).to.equal(204);
      const done = await complete(upload);
      expect(done.status).to.equal(201);
      expect(done.body).to.deep.include({ name: 'l.pdbqt', kind: 'ligand', findings: [] });
      expect((await complete(upload)).status).to.equal(200);
      const again = await member.post<StoredFile>('/files/uploads', {
        sha256: done.body.sha256,
        size_bytes: done.body.size_bytes,
      });
      expect([again.status, again.body.sha256]).to.deep.equal([200, done.body.sha256]);
    });

    it('are refused when other bytes came, or more', async () => {
      const upload = await begin('announced');
      expect((await put(upload, 'somewhat else')).body?.['code']).to.equal('digest_mismatch');
      expect((await put(upload, 'ANNOUNCED')).status).to.equal(204);
      const { status, body } = await complete(upload);
      expect([status, body.code]).to.deep.equal([422, 'digest_mismatch']);
      expect((await call(`/files/${sha256Of('announced')}`)).status).to.equal(404);
    });

    it('are one file when they are completed several times at once', async () => {
      const upload = await begin('completed by many');
      expect((await put(upload, 'completed by many')).status).to.equal(204);
      const statuses = (await Promise.all(Array.from({ length: 8 }, () => complete(upload)))).map(
        ({ status }) => status,
      );
      // 503: another completion was about to end.
      expect(statuses.filter((status) => ![200, 201, 503].includes(status))).to.deep.equal([]);
      expect(statuses.filter((status) => status === 201)).not.to.deep.equal([]);
      expect((await complete(upload)).status).to.equal(200);
    });

    it('are completed by whoever asks again, when the process died that had put them into place', async () => {
      const molecule = LIGAND.replace('small', 'half kept');
      const upload = await begin(molecule, { name: 'half.pdbqt', media_type: 'chemical/x-pdbqt' });
      expect((await put(upload, molecule)).status).to.equal(204);
      expect((await complete(upload)).status).to.equal(201);
      await deployment.administer(
        "update files set state = 'arriving' where sha256 = $1",
        [sha256Of(molecule)],
        deployment.databaseName('alpha'),
      );
      // Others come meanwhile under the same upload: nobody has measured those.
      const container = deployment.start();
      decorate(container, TOKENS.fileStore, (store) => ({
        open: async (...asked) => {
          expect((await put(upload, molecule.replace('half', 'evil'))).status).to.equal(204);
          return store.open(...asked);
        },
      }));
      const other = await HttpService.over(deployment, container, []);
      const asMember = other.as(deployment.token('alpha', ['member']));
      const { status, body } = await asMember.post<StoredFile>(`/files/uploads/${upload.upload_id}/complete`);
      await other.close();
      expect([status, body.kind]).to.deep.equal([201, 'ligand']);
      expect((await call(`/files/${sha256Of(molecule)}`)).bytes.toString()).to.equal(molecule);
      expect((await complete(upload)).status).to.equal(200);
    });

    it('are refused when their time is over, and so is what nobody began', async () => {
      const upload = await begin('too late');
      await deployment.administer(
        "update file_uploads set expires_at = now() - interval '1 second' where upload_id = $1",
        [upload.upload_id],
        deployment.databaseName('alpha'),
      );
      const unknown = { ...upload, upload_id: '00000000-0000-4000-8000-000000000000' };
      for (const each of [upload, unknown]) {
        const { status, body } = await complete(each);
        expect([status, body.code]).to.deep.equal([410, 'upload_expired']);
      }
      expect((await put(upload, 'too late')).status).to.equal(410);
      const beta = deployment.token('beta', ['member']);
      const foreign = await call(`/files/uploads/${(await begin('x')).upload_id}/complete`, {
        method: 'POST',
        token: beta,
      });
      expect(foreign.status).to.equal(410);
    });

    it('are refused at once when they are too large', async () => {
      const { status, body } = await member.post<Problem>('/files/uploads', {
        sha256: sha256Of('x'),
        size_bytes: MAX_BYTES + 1,
      });
      expect([status, body.code]).to.deep.equal([413, 'file_too_large']);
    });
  });

  it('are refused when the organization has as much as it may', async () => {
    const administrator = service.as(deployment.token('beta', ['org_admin']));
    const asBeta = (body: string) =>
      call('/files', { method: 'POST', body, token: deployment.token('beta', ['member']) });
    await asBeta('12345');
    const policies = service.container.get(TOKENS.organizationPolicies);
    const limitFiles = async (settings: { readonly max_files_bytes?: number }): Promise<void> => {
      const { status: written } = await administrator.put('/organizations/beta/settings', { settings });
      expect(written).to.equal(200);
      await until(
        'the process knows',
        () => policies.policyOf(organizationId('beta')).maxFilesBytes === settings.max_files_bytes,
      );
    };
    await limitFiles({ max_files_bytes: 40 });
    const { status, body, headers } = await asBeta('x'.repeat(41));
    expect([status, body?.['code']]).to.deep.equal([429, 'quota_exceeded']);
    expect(headers.get('retry-after')).to.match(/^\d+$/);
    // What is there already takes no more room.
    expect((await asBeta('12345')).status).to.equal(200);
    const begun = await administrator.post<Problem>('/files/uploads', {
      sha256: sha256Of('y'),
      size_bytes: 41,
    });
    expect(begun.body.code).to.equal('quota_exceeded');
    // What was begun may come: its room is taken, and it finds it.
    const { items } = (await administrator.get<Page<StoredFile>>('/files')).body;
    const room = 40 - items.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const last = 'z'.repeat(room);
    const upload = { sha256: sha256Of(last), size_bytes: room };
    const first = await administrator.post<Problem & { url: string }>('/files/uploads', upload);
    expect(first.status).to.equal(201);
    expect((await administrator.post<Problem>('/files/uploads', upload)).body.code).to.equal(
      'quota_exceeded',
    );
    expect((await asBeta('a')).status).to.equal(429);
    await call(first.body.url, {
      method: 'PUT',
      body: last,
      token: deployment.token('beta', ['member']),
    });
    expect((await administrator.post(`${first.body.url}/complete`)).status).to.equal(201);
    // Likewise when the process died that had announced them, and its completion is asked for again.
    await deployment.administer(
      "update files set state = 'arriving' where sha256 = $1",
      [upload.sha256],
      deployment.databaseName('beta'),
    );
    expect((await administrator.post(`${first.body.url}/complete`)).status).to.equal(201);
    await limitFiles({});
    expect((await asBeta('x'.repeat(41))).status).to.equal(201);
  });
});
