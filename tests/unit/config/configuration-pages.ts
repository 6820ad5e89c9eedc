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
    ...bySection().flatMap(({ title, variables }) => [
      '',
      `## ${title}`,
      '',
      '| variable | default | takes | meaning |',
      '|---|---|---|---|',
      ...variables.map(
        ([name, variable]) =>
          `| \`${name}\` | ${defaultOf(variable)} | ${takenBy(variable).replaceAll('|', '\\|')} | ${variable.means} |`,
      ),
    ]),
    '',
  ].join('\n');

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
