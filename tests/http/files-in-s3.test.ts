import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { replaceMade } from '../support/decorate.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { fetchBytes, sha256Of } from '../support/fetch-bytes.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { startS3, type S3Server } from '../support/s3-server.ts';

interface Upload {
  readonly upload_id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

describe('Files in S3 over HTTP', function () {
  this.timeout(60_000);
  let s3: S3Server;
  let deployment: Deployment;
  let service: HttpService;
  let token: string;
  let member: Caller;

  before(async () => {
    s3 = await startS3();
    deployment = await createDeployment();
    const { S3FileStore } = await import('../../adapters/file-store/s3-file-store.ts');
    const container = deployment.start();
    replaceMade(
      container,
      TOKENS.fileStore,
      () => new S3FileStore({ bucket: s3.bucket, prefix: 'mad', client: s3.client }),
    );
    service = await HttpService.over(deployment, container, ['alpha']);
    await deployment.register('alpha');
    token = deployment.token('alpha', ['member']);
    member = service.as(token);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
    await s3.close();
  });

  it('go through the service, in whole and in part', async () => {
    const body = 'abcdefghij';
    const sent = await fetchBytes(`${service.url}/files`, { method: 'POST', token, body });
    expect(sent.status).to.equal(201);
    const headers = { range: 'bytes=2-4' };
    const read = await fetchBytes(`${service.url}/files/${sha256Of(body)}`, { token, headers });
    expect([read.status, read.bytes.toString()]).to.deep.equal([206, 'cde']);
  });

  it('go past it, where the client wants that', async () => {
    const body = 'bytes that the service never saw';
    const announced = {
      sha256: sha256Of(body),
      size_bytes: body.length,
      media_type: 'text/plain',
      name: 'ä.txt',
    };
    const { body: upload } = await member.post<Upload>('/files/uploads', announced);
    expect(upload.url.startsWith(`${s3.url}/files/mad/alpha/uploads/`)).to.equal(true);
    const type = { 'content-type': upload.headers['Content-Type'] ?? '' };
    // S3 needs no token of this service, and must not get it.
    expect((await fetch(upload.url, { method: 'PUT', headers: type, body })).status).to.equal(200);
    expect((await member.post(`/files/uploads/${upload.upload_id}/complete`)).status).to.equal(201);

    const away = await fetchBytes(`${service.url}/files/${announced.sha256}?redirect=true`, { token });
    expect(away.status).to.equal(307);
    const given = await fetch(away.headers.get('location') ?? '');
    expect(await given.text()).to.equal(body);
    expect(given.headers.get('content-disposition')).to.include("filename*=UTF-8''%C3%A4.txt");
  });

  it('that are others than announced are not kept', async () => {
    const announced = { sha256: sha256Of('announced'), size_bytes: 9 };
    const { body: upload } = await member.post<Upload>('/files/uploads', announced);
    const type = { 'content-type': upload.headers['Content-Type'] ?? '' };
    await fetch(upload.url, { method: 'PUT', headers: type, body: 'ANNOUNCED' });
    const { status } = await member.post(`/files/uploads/${upload.upload_id}/complete`);
    expect(status).to.equal(422);
    expect((await member.get(`/files/${announced.sha256}`)).status).to.equal(404);
  });
});
