import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { needsProgram } from '../support/programs.ts';

const DEPLOYMENT = fileURLToPath(new URL('../../infrastructure/deployment/', import.meta.url));
const UNITS = ['mad.service', 'mad-worker.service'];
/** What systemd calls exposed begins at 4. */
const MOST_EXPOSED = 2;

describe('What programs read', function () {
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mad-test-programs-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const textOf = (path: string): string => readFileSync(join(DEPLOYMENT, path), 'utf8');
  /** What a program says, and how it ends, with an edited copy of a file. */
  const said = (
    program: string,
    args: readonly string[],
    path: string,
    edit: (text: string) => string = (text) => text,
  ): { readonly status: number | null; readonly said: string } => {
    const copy = join(folder, path.split('/').at(-1) ?? '');
    writeFileSync(copy, edit(textOf(path)));
    const { status, stdout, stderr } = spawnSync(program, [...args, copy], {
      encoding: 'utf8',
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    });
    return { status, said: `${stdout}${stderr}` };
  };

  describe('of systemd', () => {
    before(function () {
      needsProgram(this, 'systemd-analyze');
    });

    for (const unit of UNITS)
      it(`${unit} is a unit that exposes little`, () => {
        // Node is elsewhere on other machines.
        const hasNode = (text: string): string => text.replace('/usr/bin/node', process.execPath);
        expect(said('systemd-analyze', ['verify', '--man=no'], `systemd/${unit}`, hasNode)).to.deep.equal({
          status: 0,
          said: '',
        });
        const broken = (text: string): string => text.replace('TimeoutStopSec', 'TimeoutStopSecs');
        expect(said('systemd-analyze', ['verify', '--man=no'], `systemd/${unit}`, broken).said).to.include(
          'Unknown key',
        );
        const { said: security } = said(
          'systemd-analyze',
          ['security', '--offline=true', '--no-pager'],
          `systemd/${unit}`,
        );
        expect(Number(/level for \S+: (\d+\.\d)/.exec(security)?.[1]), security).to.be.below(MOST_EXPOSED);
      });
  });

  describe('of HAProxy', () => {
    before(function () {
      needsProgram(this, 'haproxy');
    });

    it('the configuration is one', () => {
      expect(said('haproxy', ['-c', '-f'], 'compose/haproxy.cfg').said).to.include(
        'Configuration file is valid',
      );
      const broken = (text: string): string => text.replace('option httpchk', 'option httpcheck');
      expect(said('haproxy', ['-c', '-f'], 'compose/haproxy.cfg', broken).status).to.equal(1);
    });
  });

  describe('of Prometheus', () => {
    before(function () {
      needsProgram(this, 'promtool');
    });

    it('the configuration is one', () => {
      expect(
        said('promtool', ['check', 'config', '--syntax-only'], 'compose/observe/prometheus.yml').status,
      ).to.equal(0);
    });
  });

  it('the command of systemd has the settings that the unit has', () => {
    const settings = join(folder, 'mad.env');
    writeFileSync(
      settings,
      '# s3\n\nFILES_URL=s3://bucket/mad?region=eu-central-1&endpoint=https://s3.example&path_style=true\n' +
        `METRICS_ENGINES=vina, gnina \n  JWT_ISSUER="lab's own"\nTRUSTED_PROXIES='1'\nJWT_AUDIENCE=$HOME`,
    );
    const here = (text: string): string =>
      text
        .replaceAll('/etc/mad/mad.env', settings)
        .replace('cd /var/lib/mad', `cd ${folder}`)
        .replace(/^exec .*/m, 'env');
    const { status, said: shown } = said('sh', [], 'systemd/mad.sh', here);
    expect(status, shown).to.equal(0);
    expect(shown.split('\n')).to.include.members([
      'NODE_ENV=production',
      'FILES_URL=s3://bucket/mad?region=eu-central-1&endpoint=https://s3.example&path_style=true',
      'METRICS_ENGINES=vina, gnina',
      "JWT_ISSUER=lab's own",
      'TRUSTED_PROXIES=1',
      'JWT_AUDIENCE=$HOME',
      'DB_DATABASE_URL_FILE=/etc/mad/secrets/database_url',
    ]);
  });

  it('scripts are ones of any shell', () => {
    for (const script of ['compose/make-secrets.sh', 'compose/init-postgres.sh', 'systemd/mad.sh']) {
      expect(textOf(script)).to.match(/^#!\/bin\/sh\n[^]*^set -eu$/m);
      expect(said('sh', ['-n'], script)).to.deep.equal({ status: 0, said: '' });
    }
  });
});
