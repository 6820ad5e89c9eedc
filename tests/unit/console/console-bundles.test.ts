import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { watchConsole, type ConsoleBundle } from '../../../presentation/http/console/bundle-console.ts';
import { ENTRIES_FILE, sharedConsoleAssets } from '../../../presentation/http/console/console-assets.ts';
import { until } from '../../support/gate.ts';

describe('Bundles of the console', function () {
  this.timeout(20_000);
  let folder: string;
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

  beforeEach(async () => {
    folder = `${await mkdtemp(join(tmpdir(), 'mad-console-'))}/`;
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are read once, and again when there is another one', async () => {
    const assets = sharedConsoleAssets(pathToFileURL(folder));
    const build = async (script: string, second: number): Promise<void> => {
      await write(script, '');
      await write(ENTRIES_FILE, JSON.stringify({ script }));
      await utimes(join(folder, ENTRIES_FILE), second, second);
    };
    await build('main-1.js', 1);
    const first = await assets();
    expect(first.script).to.equal('main-1.js');
    expect(await assets()).to.equal(first);
    await build('main-2.js', 2);
    expect((await assets()).script).to.equal('main-2.js');
  });

  it('are made again after each change that can be bundled, with the sources in their maps', async () => {
    const bundles: ConsoleBundle[] = [];
    const failures: string[] = [];
    await write('main.css', 'p { color: red }');
    await write('theme.ts', '');
    await write('main.tsx', `import './main.css'; document.title = 'one';`);
    const end = await watchConsole({
      sources: folder,
      onBundle: (bundle) => bundles.push(bundle),
      onFailure: (message) => failures.push(message),
    });
    const textOf = (bundle: ConsoleBundle | undefined, name = bundle?.script): string =>
      Buffer.from(bundle?.files.find((file) => file.name === name)?.body ?? '').toString();
    try {
      await until('the first is made', () => bundles.length > 0);
      expect(textOf(bundles[0], `${bundles[0]?.script}.map`)).to.include(`document.title = 'one'`);
      await write('main.tsx', `import './main.css'; document.title = ;`);
      await until('what is wrong is said', () => failures.length > 0);
      expect(failures[0]).to.match(/main\.tsx:1 Unexpected/);
      await write('main.tsx', `import './main.css'; document.title = 'two';`);
      await until('the second is made', () => bundles.length > 1);
      expect(textOf(bundles[1])).to.include('"two"');
    } finally {
      await end();
    }
  });
});
