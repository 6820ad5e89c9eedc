import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentOfRoutes, firstLineOf, SCHEMA_FILE } from './client-schema.ts';

// The tool does not run on this project's TypeScript: it gets one of its own, for the moment.
const TOOL = ['-y', '-p', 'openapi-typescript@7.13.0', '-p', 'typescript@5.9.3', 'openapi-typescript'];

/** All errors are one type, which the client knows; 20,000 lines would repeat it. */
const withoutErrors = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(withoutErrors);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([name]) => !/^[45]\d\d$/.test(name) && name !== 'X-Request-Id')
      .map(([name, value]) => [name, withoutErrors(value)]),
  );
};

const document = documentOfRoutes();
const folder = mkdtempSync(join(tmpdir(), 'mad-client-'));
try {
  const [input, output] = [join(folder, 'openapi.json'), join(folder, 'schema.d.ts')];
  writeFileSync(input, JSON.stringify(withoutErrors(JSON.parse(document))));
  execFileSync('npx', [...TOOL, input, '-o', output], { cwd: folder, stdio: 'inherit' });
  writeFileSync(SCHEMA_FILE, `${firstLineOf(document)}\n${readFileSync(output, 'utf8')}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
