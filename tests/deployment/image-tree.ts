import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockerfileParser } from 'dockerfile-ast';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCKERFILE = join(ROOT, 'infrastructure/deployment/image/Dockerfile');

/** What the last stage of the Dockerfile says of a container. */
export interface Image {
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly userId: number;
  /** The entry point and its default arguments. */
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
}

/**
 * Reads the last stage, and lays out below `folder` what it adds to its base image.
 *
 * @param folder on the file system of the project, whose files it links to
 */
export const layOutImage = (folder: string): Image => {
  const stage = DockerfileParser.parse(
    readFileSync(DOCKERFILE, 'utf8')
      .split(/^(?=FROM )/m)
      .at(-1) ?? '',
  );
  const workingDirectory = stage.getInstructions().find((each) => each.getKeyword() === 'WORKDIR');
  const user = stage.getInstructions().find((each) => each.getKeyword() === 'USER');
  const image = {
    environment: Object.fromEntries(
      stage
        .getENVs()
        .flatMap((env) => env.getProperties().map((each) => [each.getName(), each.getValue() ?? ''])),
    ),
    workingDirectory: workingDirectory?.getArgumentsContent() ?? '/',
    userId: Number.parseInt(user?.getArgumentsContent() ?? '0', 10),
    command: [...stage.getENTRYPOINTs(), ...stage.getCMDs()].flatMap((each) =>
      stringsOf(each.getTextContent()),
    ),
    healthCheck: stage.getHEALTHCHECKs().flatMap((each) => stringsOf(each.getTextContent())),
  };
  for (const copy of stage.getCOPYs()) {
    const [source = '', target = ''] = copy.getArguments().map((argument) => argument.getValue());
    const from =
      copy
        .getFlags()
        .find((flag) => flag.getName() === 'from')
        ?.getValue() ?? 'context';
    const name = target.endsWith('/') ? posix.basename(source) : '';
    lay(`${from}:${source}`, join(folder, posix.resolve(image.workingDirectory, target, name)));
  }
  return image;
};

/** Of the JSON array at the end of an instruction. */
const stringsOf = (instruction: string): readonly string[] => {
  const strings: unknown = JSON.parse(instruction.slice(instruction.indexOf('[')));
  return Array.isArray(strings) ? strings.map(String) : [];
};

/** Where the tree has what the stages make, on this machine. */
const lay = (origin: string, target: string): void => {
  mkdirSync(dirname(target), { recursive: true });
  switch (origin) {
    case 'packages:/app/node_modules':
      return layProductionPackages(target);
    case 'build:/app/dist':
      return cpSync(compiled(), target, { recursive: true });
    case 'packages:/usr/bin/tini-static':
      return cpSync('/usr/bin/tini-static', target);
    case 'packages:/var/lib/mad':
      mkdirSync(join(target, 'files'), { recursive: true });
      return;
    case 'packages:/app/sbom.cdx.json':
      return writeFileSync(target, execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: ROOT }));
    case 'context:package.json':
      return cpSync(join(ROOT, 'package.json'), target);
    default:
      throw new Error(`say in ${import.meta.filename} what ${origin} is on this machine`);
  }
};

/** As `npm ci --omit=dev` would install them, less what the Dockerfile removes. */
const layProductionPackages = (target: string): void => {
  const lock: unknown = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  // npm's lock file, version 3.
  const { packages } = lock as { readonly packages: Readonly<Record<string, { readonly dev?: boolean }>> };
  const installed = Object.entries(packages)
    // Those below another package are copied with it.
    .filter(([path, { dev = false }]) => !dev && path.lastIndexOf('node_modules/') === 0)
    .map(([path]) => path)
    // Optional parts of other platforms are in the lock file alone.
    .filter((path) => existsSync(join(ROOT, path)));
  // Hard links: a copy of all of them takes a minute on a busy machine.
  execFileSync('cp', ['-al', '--parents', ...installed, dirname(target)], { cwd: ROOT });
  const [, removed = ''] =
    /rm -rf ((?:node_modules\S+\s+(?:\\\s+)?)+)/.exec(readFileSync(DOCKERFILE, 'utf8')) ?? [];
  const removals = removed.split(/[\s\\]+/).filter((path) => path !== '');
  if (removals.length < 3) throw new Error('the Dockerfile no longer says what it removes of the packages');
  for (const path of removals)
    if (path.includes('*')) execFileSync('sh', ['-c', `rm -f ${path}`], { cwd: dirname(target) });
    else rmSync(join(dirname(target), path), { recursive: true, force: true });
};

const compiled = (): string => {
  const { compile }: { readonly compile: (project: string) => string } = createRequire(import.meta.url)(
    '../../infrastructure/bin/compile.cjs',
  );
  return compile(ROOT);
};
