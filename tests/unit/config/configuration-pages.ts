import { SECTIONS, takenBy, type Variable } from '../../../infrastructure/config/variable.ts';
import { VARIABLES } from '../../../infrastructure/config/variables.ts';

const ALL: readonly (readonly [string, Variable])[] = Object.entries(VARIABLES);
const WIDTH = 118;

const bySection = () =>
  Object.entries(SECTIONS).map(([section, title]) => ({
    title,
    variables: ALL.filter(([, variable]) => variable.section === section),
  }));

/** `.env.example` */
export const exampleFile = (): string =>
  [
    '# Every variable and its default. Copy to .env, or leave it: `npm start` needs none of them.',
    '# Written by `npm run configuration` from infrastructure/config/variables.ts.',
    '# Secrets and URLs may lie in files: JWT_SECRET_FILE=/run/secrets/jwt_secret.',
    ...bySection().flatMap(({ title, variables }) => [
      '',
      `# ${title}`,
      ...variables.flatMap(([name, { means, fallback, example }]) => [
        '#',
        ...wrapped(means.replaceAll('`', ''), '# '),
        `# ${name}=${fallback ?? example ?? ''}`,
      ]),
    ]),
    '',
  ].join('\n');

/** `docs/configuration.md` */
export const configurationPage = (): string =>
  [
    '# Configuration',
    '',
    'Environment variables, or lines of `.env`. A value that cannot be used stops the start with a line that names it; a name',
    'that nobody reads is warned of. This page and `.env.example` are written by `npm run configuration` from',
    '`infrastructure/config/variables.ts`.',
    '',
    'Variables marked ¹ may lie in a file of their own, as Docker, Kubernetes and systemd hand secrets over: `JWT_SECRET_FILE` names',
    'the absolute path of the file that holds `JWT_SECRET`. One line break at its end does not count.',
    ...bySection().flatMap(({ title, variables }) => [
      '',
      `## ${title}`,
      '',
      '| variable | default | takes | meaning |',
      '|---|---|---|---|',
      ...variables.map(
        ([name, variable]) =>
          `| \`${name}\`${mayComeFromFile(variable) ? '¹' : ''} | ${defaultOf(variable)} | ${takenBy(variable).replaceAll('|', '\\|')} | ${variable.means} |`,
      ),
    ]),
    '',
  ].join('\n');

const mayComeFromFile = ({ kind, section }: Variable): boolean =>
  (kind === 'secret' || kind === 'url') && section !== 'tests';

const defaultOf = ({ fallback }: Variable): string => (fallback === null ? '–' : `\`${fallback}\``);

const wrapped = (sentence: string, indent: string): readonly string[] => {
  const lines: string[] = [];
  let line = indent.trimEnd();
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > WIDTH && line !== indent.trimEnd()) {
      lines.push(line);
      line = indent.trimEnd();
    }
    line = `${line} ${word}`;
  }
  return [...lines, line];
};
