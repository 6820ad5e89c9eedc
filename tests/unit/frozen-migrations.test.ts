import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const MIGRATIONS = new URL('../../migrations/', import.meta.url);

/**
 * SHA-256 of each migration. One that was released may be applied anywhere, so it never changes again: whoever wants
 * another schema writes another migration, and adds its line here.
 */
const FROZEN: Readonly<Record<string, string>> = {
  'metadata/0001_initial.ts': 'bf1958fc2d0c67e653717a4590ae3d21696e22477f69c57ce0ca1be89ae77c35',
  'metadata/0002_service_instances.ts': '2b2b018037813514aac397428bf9ed46b94bc992d97850f06dee08a32eb24985',
  'metadata/0003_fleet_runs.ts': 'ede9c21145d1c29c16b2677400d53dd263e74a54d0372b6adca438fb5cb10179',
  'metadata/0004_access.ts': '0c95ee2aa01386eb83d6962160af06ce5e44d65636ec79fa5fc58f47efa6fe49',
  'metadata/0005_changes.ts': 'fd8cc0ac86d3fb828711c61ce47d004ece8efa4fc72090ec4710977f4d747481',
  'metadata/0006_settings_version.ts': '8fb018fbc8fef71cfb8babec7a2134bfd226b2587a538957f5f8f74af1d04a09',
  'metadata/0007_audit_chains.ts': '1b92c8d6d203778599a07bc5ea2cac5eb5a6e4c0a2d588c7ecbf4015fddce839',
  'metadata/0008_deployment.ts': 'a48809125202b0404d0a8b74e40b1233e0b17216579c6c5e56173e9b103f77bd',
  'metadata/0010_session_changes.ts': '7dd74a94ddfea71ea2df51e67ad121d62a74f64b1f4ade584cea4a8f4f8c067d',
  'metadata/0011_audit_order.ts': '67081a27be06cceae23ce7968aa1096803170ba659e5807030dfadc27dd48046',
  'metadata/0012_suspension.ts': 'b6a8223ed94135a4bc1e67ce50e5d919970cf928d762ab2d027ea1b8e2e4fecc',
  'metadata/0013_results_servers.ts': 'a1eb24225c693b80ddae6f309a98f9fe792174b59d2d40ab339e34d95964ee42',
  'metadata/0014_memberships_and_emails.ts':
    '4ee9bcd7c3177a4f2276bfec4546682ddf3db7292fefe040d6a3344a714f2fc2',
  'metadata/0015_trail_beginnings.ts': 'afbdb5a509f06a8c30128500edb52da50f4a72bc28fc0912a19a72872c0f8611',
  'metadata/0016_server_timelines.ts': 'ca99d244ed826c7d904c608b2286341adf60c45974f7a3655780fea1cd30bc51',
  'metadata/0017_work.ts': '9fbc813e63144a9376cc7b3ec4186efc51a750fa3751e1949ae75516b5fb10e4',
  'metadata/0018_event_statistics.ts': 'd4b5516501c6c03ec8901ccdf27eb826b0f5bb1ef4cd8453f7f2f8a389477444',
  'metadata/0019_operators.ts': '400770acba96c3dd1f268a27215fcdfb3b1185bf030b8629d5cf8a5ccb788f35',
  'metadata/0020_usage.ts': '313ac41d06d076ba8e25c1add59cd4bce7fdc848bfe3ad4f2efa7f854b61750c',
  'metadata/0021_bounded_looks.ts': 'cbfd2e139a13b72d53530bc834356fbb7687f56565c0d626754f68357c2d236e',
  'results/0001_initial.ts': 'af6cd70980a929279bab3e83722995643be934da56660360951f4a33d18712fa',
  'results/0002_audit_outbox.ts': '1d867ba3622c9efb9aaa1e87da5e2f7015c7974a628c86210ee9e0aa695ea6c6',
  'results/0003_work.ts': '04302fd3174aecfedb55ea6d387ce66315feb25083335b0b8c24c2818aa2c9e1',
};

const filesOf = (kind: string): string[] =>
  readdirSync(new URL(`${kind}/`, MIGRATIONS)).filter((file) => /^\d.*\.ts$/.test(file));
const files = ['metadata', 'results'].flatMap((kind) => filesOf(kind).map((file) => `${kind}/${file}`));
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const contentOf = (file: string): string => readFileSync(new URL(file, MIGRATIONS), 'utf8');

describe('migrations', () => {
  for (const file of files) {
    it(`stay as they were released: ${file}`, () => {
      const line = `'${file}': '${hashOf(contentOf(file))}',`;
      expect(FROZEN[file], `a new migration is frozen by the line ${line}`).to.be.a('string');
      expect(hashOf(contentOf(file)), `${file} was changed after it was released`).to.equal(FROZEN[file]);
    });
  }

  it('are all there', () => {
    expect(Object.keys(FROZEN).filter((file) => !files.includes(file))).to.deep.equal([]);
  });

  it('are no longer the same by a single character', () => {
    const [file = ''] = files;
    expect(hashOf(`${contentOf(file)} `)).not.to.equal(FROZEN[file]);
  });

  it('have numbers of their own, so that their order is never in doubt', () => {
    for (const kind of ['metadata', 'results']) {
      const numbers = filesOf(kind).map((file) => file.slice(0, 4));
      expect(new Set(numbers).size).to.equal(numbers.length);
      for (const number of numbers) expect(number).to.match(/^\d{4}$/);
    }
  });
});
