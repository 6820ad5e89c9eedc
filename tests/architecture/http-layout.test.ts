import { expect } from 'chai';
import { sourceFiles } from './project-files.ts';
import { HTTP_FLOORS } from './import-table.ts';

const RESOURCE_FILE = /^presentation\/http\/([a-z-]+)\/(.+)$/;
const PART = /^([a-z-]+)-(?:routes|schema|presenter)\.ts$/;
/** Not resources: what all of them stand on, the documentation of all of them, and the pages for browsers. */
const OTHER_FOLDERS: ReadonlySet<string> = new Set([...HTTP_FLOORS, 'docs', 'console']);

/** Names each file of a resource that is not one of its routes, schema and presenter, and each folder without routes. */
const layoutProblems = (files: readonly string[]): readonly string[] => {
  const partsByFolder = new Map<string, string[]>();
  for (const file of files) {
    const [, folder, name] = RESOURCE_FILE.exec(file) ?? [];
    if (folder === undefined || name === undefined || OTHER_FOLDERS.has(folder)) continue;
    partsByFolder.set(folder, [...(partsByFolder.get(folder) ?? []), name]);
  }
  return Array.from(partsByFolder).flatMap(([folder, names]) => {
    const routes = names.find((name) => name.endsWith('-routes.ts'));
    if (routes === undefined) return [`${folder} has no routes`];
    const prefix = PART.exec(routes)?.[1];
    return names.filter((name) => PART.exec(name)?.[1] !== prefix).map((name) => `${folder}/${name}`);
  });
};

describe('the layout of presentation/http', () => {
  it('is the same for every resource: routes with their handlers, a schema, a presenter', () => {
    expect(layoutProblems(sourceFiles())).to.deep.equal([]);
  });

  it('is checked: other files would be named', () => {
    const folder = 'presentation/http/jobs';
    expect(layoutProblems([`${folder}/job-routes.ts`, `${folder}/job-schema.ts`])).to.deep.equal([]);
    expect(layoutProblems([`${folder}/job-schema.ts`])).to.deep.equal(['jobs has no routes']);
    for (const name of ['job-controller.ts', 'output-schema.ts', 'parts/job-schema.ts'])
      expect(layoutProblems([`${folder}/job-routes.ts`, `${folder}/${name}`])).to.deep.equal([
        `jobs/${name}`,
      ]);
  });
});
