import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { bundleConsole, type ConsoleBundle } from '../../presentation/http/console/bundle-console.ts';
import { FakeService } from '../support/fakes/fake-service.ts';

const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8';
/** In kB of gzip: what a browser loads before it shows anything. */
const MOST_SCRIPT_KB = 170;
const MOST_STYLE_KB = 20;
/** What opening a pose loads beside that. */
const MOST_VIEWER_KB = 170;

const service = new FakeService();
const get = (path: string, headers: Readonly<Record<string, string>> = { accept: BROWSER }) =>
  service.anonymous().get(path).set(headers).buffer(true);
const scriptOf = (page: string): string => /src="([^"]*assets\/main-\w+\.js)"/.exec(page)?.[1] ?? '';

describe('The pages of the console', function () {
  this.timeout(30_000);

  it('are one document for all addresses, under a policy that lets nothing in from elsewhere', async () => {
    const depths = { '/console/': './', '/console/fleet': './', '/console/o/acme/jobs': '../../' };
    for (const [path, prefix] of Object.entries(depths)) {
      const page = await get(path);
      expect([page.status, page.headers['content-type']]).to.deep.equal([200, 'text/html; charset=utf-8']);
      expect(page.headers['cache-control']).to.equal('no-cache');
      const policy = String(page.headers['content-security-policy']);
      expect(policy).to.include("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).to.include("require-trusted-types-for 'script'");
      expect(policy).not.to.include('unsafe');
      // Whatever a proxy puts before the path, an address that is relative leads to the script.
      expect(scriptOf(page.text)).to.match(new RegExp(`^${prefix.replaceAll('.', '\\.')}assets/`));
      expect(page.text).not.to.match(/<script(?![^>]*(?:src=|application\/json))|style=|\son\w+=/);
    }
  });

  it('are led to by the address of the service alone', async () => {
    const root = await get('/');
    expect([root.status, root.headers['location']]).to.deep.equal([302, 'console/']);
    const slash = await get('/console');
    expect([slash.status, slash.headers['location']]).to.deep.equal([308, 'console/']);
  });

  it('are nothing for programs, which are told so', async () => {
    const reply = await get('/console/fleet', { accept: 'application/json' });
    expect([reply.status, JSON.parse(reply.text).code]).to.deep.equal([406, 'not_acceptable']);
  });

  it('load files that never change, compressed as the browser likes it', async () => {
    const path = new URL(scriptOf((await get('/console/fleet')).text), 'http://host/console/fleet').pathname;
    const plain = await get(path, { 'accept-encoding': 'identity' });
    expect(plain.headers['cache-control']).to.equal('public, max-age=31536000, immutable');
    expect(plain.headers['content-type']).to.equal('text/javascript; charset=utf-8');
    for (const encoding of ['gzip', 'br']) {
      const reply = await get(path, { 'accept-encoding': encoding });
      expect(reply.headers).to.include({ 'content-encoding': encoding, vary: 'Accept-Encoding' });
      // The client of the test unpacks it.
      expect(reply.text === plain.text).to.equal(true);
    }
  });

  it('have no page in place of a file that is not there', async () => {
    for (const name of ['main-AAAAAAAA.js', '..%2fmain.tsx', '%00', '__proto__'])
      expect((await get(`/console/assets/${name}`)).status).to.be.oneOf([404, 422]);
  });
});

describe('The bundle of the console', function () {
  this.timeout(30_000);
  let bundle: ConsoleBundle;
  before(async () => {
    bundle = await bundleConsole();
  });

  const fileOf = (name: string): Buffer =>
    Buffer.from(bundle.files.find((file) => file.name === name)?.body ?? '');
  /** What a script imports before it runs, and what that imports. */
  const withImports = (name: string, found = new Set<string>()): ReadonlySet<string> => {
    if (found.has(name)) return found;
    found.add(name);
    const imports = fileOf(name)
      .toString()
      .matchAll(/(?:^|[;}])\s*(?:import|export)(?:[^"';()]*from)?\s*"\.\/([\w-]+\.js)"/g);
    for (const [, imported = ''] of imports) withImports(imported, found);
    return found;
  };
  const packed = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + gzipSync(fileOf(name)).length, 0) / 1000;

  it('keeps within what a page may load before it shows something', () => {
    const first = withImports(bundle.script);
    expect(first.size).to.be.greaterThan(1);
    expect(packed(first)).to.be.within(60, MOST_SCRIPT_KB);
    expect(packed([bundle.style])).to.be.below(MOST_STYLE_KB);
  });

  it('has the viewer of poses in a file of its own, which no page imports before a pose is opened', () => {
    const viewers = bundle.files.filter(
      ({ name, body }) => name.endsWith('.js') && Buffer.from(body).includes('gl_Position'),
    );
    expect(viewers.map(({ name }) => name.replace(/-\w+\.js$/, ''))).to.deep.equal(['pose-canvas']);
    const [{ name } = { name: '' }] = viewers;
    const first = withImports(bundle.script);
    expect(packed([...withImports(name)].filter((part) => !first.has(part)))).to.be.within(
      60,
      MOST_VIEWER_KB,
    );
    for (const page of bundle.files.filter((file) => /^[\w-]*page-\w+\.js$/.test(file.name)))
      expect([...withImports(page.name)], page.name).not.to.include(name);
  });

  it('comes with the licences of all packages that are in it, word for word', () => {
    const licences = fileOf(bundle.licences).toString();
    for (const name of ['react', 'react-dom', 'scheduler', '3dmol', '@tanstack/react-query', 'openapi-fetch'])
      expect(licences).to.match(new RegExp(`^${name}\n\n`, 'm'));
    // 3Dmol's, and that of what 3Dmol has bundled itself.
    expect(licences).to.include('University of Pittsburgh');
    expect(licences).to.include('3Dmol.es6-min.js.LICENSE.txt');
    expect(licences).to.include('Permission is hereby granted, free of charge');
  });
});
