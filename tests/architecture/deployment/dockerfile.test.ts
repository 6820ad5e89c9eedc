import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DockerfileParser, type JSONInstruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';

const PROJECT = new URL('../../../', import.meta.url);
const FOLDER = 'infrastructure/deployment/image/';

interface Rule {
  readonly says: string;
  /** What breaks it. */
  readonly offences: (dockerfile: string) => readonly string[];
  /** Breaks it. */
  readonly sample: string;
}

const instructions = (dockerfile: string) =>
  DockerfileParser.parse(dockerfile)
    .getInstructions()
    .map((instruction) => ({
      instruction,
      keyword: instruction.getKeyword(),
      arguments: instruction.getArguments().map((argument) => argument.getValue()),
    }));

/** The texts of the instructions of a kind. */
const textsOf = (dockerfile: string, ...keywords: readonly string[]): readonly string[] =>
  instructions(dockerfile)
    .filter(({ keyword }) => keywords.includes(keyword))
    .map(({ keyword, arguments: texts }) => `${keyword} ${texts.join(' ')}`);

/** The last instruction of a kind of each stage that is built for itself: those on images of others. */
const lastOfImages = (dockerfile: string, keyword: string): readonly (string | null)[] =>
  dockerfile
    .split(/^(?=FROM )/m)
    .filter((stage) => /^FROM .* AS (?:worker|service)\b/.test(stage))
    .map((stage) => textsOf(stage, keyword).at(-1) ?? null);

const RULES: readonly Rule[] = [
  {
    says: 'is one that a builder understands, in an order that makes sense',
    offences: (dockerfile) => validate(dockerfile).map(({ message }) => JSON.stringify(message)),
    sample: 'FROM a\nENTRYPONT ["x"]\n',
  },
  {
    says: 'runs as no root, by a number that Kubernetes can check',
    offences: (dockerfile) =>
      lastOfImages(dockerfile, 'USER')
        .filter((user) => user === null || !/^USER [1-9]\d*:[1-9]\d*$/.test(user))
        .map(String),
    sample: 'FROM a AS service\nUSER node\n',
  },
  {
    says: 'names the base images as arguments with a version, so that a digest can be given',
    offences: (dockerfile) => {
      const versions = textsOf(dockerfile, 'ARG').filter((text) => /^ARG \w+_IMAGE=/.test(text));
      const stages = DockerfileParser.parse(dockerfile).getFROMs();
      const named = stages.map((from) => from.getBuildStage());
      return [
        ...versions.filter((text) => !/^ARG \w+_IMAGE=[^:]+:(?!latest)\S+$/.test(text)),
        ...stages
          .map((from) => from.getImage() ?? '')
          .filter((image) => !/^\$\{\w+_IMAGE\}$/.test(image) && !named.includes(image)),
      ];
    },
    sample: 'ARG NODE_IMAGE=node:latest\nFROM ${NODE_IMAGE} AS service\n',
  },
  {
    says: 'fetches nothing by ADD',
    offences: (dockerfile) => textsOf(dockerfile, 'ADD'),
    sample: 'FROM a\nADD https://example/x /x\n',
  },
  {
    says: 'starts programs themselves, and no shell that would keep signals from them',
    offences: (dockerfile) =>
      instructions(dockerfile)
        .filter(({ keyword }) => ['ENTRYPOINT', 'CMD'].includes(keyword))
        // The parser's classes for these two.
        .filter(({ instruction }) => (instruction as JSONInstruction).getJSONStrings().length === 0)
        .map(({ keyword, arguments: texts }) => `${keyword} ${texts.join(' ')}`),
    sample: 'FROM a\nENTRYPOINT node x.js\n',
  },
  {
    says: 'asks the service itself how it is',
    offences: (dockerfile) =>
      textsOf(dockerfile, 'HEALTHCHECK').filter((text) => !text.startsWith('HEALTHCHECK CMD ["node"')),
    sample: 'FROM a\nHEALTHCHECK CMD curl http://127.0.0.1/health\n',
  },
  {
    says: 'is given no secret while it is built: the layers would keep it',
    offences: (dockerfile) =>
      textsOf(dockerfile, 'ARG', 'ENV').filter((text) =>
        /secret|token|password|key|_URL=.*:\/\/.*@/i.test(text),
      ),
    sample: 'FROM a\nARG NPM_TOKEN\n',
  },
  {
    says: 'copies folders by their names, and never the whole context',
    offences: (dockerfile) =>
      textsOf(dockerfile, 'COPY').filter((text) => /^COPY (?:\S+ )*(?:\.|\.\/|\*|\.env\S*) \S+$/.test(text)),
    sample: 'FROM a\nCOPY . .\n',
  },
  {
    says: 'keeps the optional parts of packages, one of which hashes passwords',
    offences: (dockerfile) =>
      textsOf(dockerfile, 'RUN').filter((text) => /--omit[= ]optional|--no-optional/.test(text)),
    sample: 'FROM a\nRUN npm ci --omit=dev --omit=optional\n',
  },
  {
    says: 'brings no development package into an image',
    offences: (dockerfile) => {
      const from = textsOf(dockerfile, 'RUN').filter((text) => text.includes('npm ci'));
      const copied = instructions(dockerfile)
        .filter(({ keyword, arguments: texts }) => keyword === 'COPY' && texts[0] === '/app/node_modules')
        .map(({ instruction }) => instruction.getTextContent());
      return [
        ...copied.filter((text) => !text.includes('--from=packages ')),
        ...(from.some((text) => text.includes('--omit=dev')) ? [] : from),
      ];
    },
    sample: 'FROM a AS packages\nRUN npm ci\n',
  },
];

describe('The Dockerfile', () => {
  const dockerfile = readFileSync(new URL(`${FOLDER}Dockerfile`, PROJECT), 'utf8');

  for (const { says, offences, sample } of RULES)
    it(says, () => {
      expect(offences(dockerfile)).to.deep.equal([]);
      // A check that lets this through would let anything through.
      expect(offences(sample)).not.to.deep.equal([]);
    });

  it('copies what exists, and what its ignore file lets through', () => {
    const ignored = readFileSync(new URL(`${FOLDER}Dockerfile.dockerignore`, PROJECT), 'utf8').split('\n');
    const copied = instructions(dockerfile)
      .filter(
        ({ keyword, instruction }) => keyword === 'COPY' && !instruction.getTextContent().includes('--from='),
      )
      .flatMap(({ arguments: texts }) => texts.slice(0, -1));
    expect(copied).to.include.members(['package.json', 'domain', 'migrations', '.npmrc']);
    for (const path of copied) {
      expect(existsSync(new URL(path, PROJECT)), path).to.equal(true);
      expect(ignored, path).to.include(`!${path}`);
    }
  });

  it('copies all that the compiled service is made of', () => {
    const compiler = readFileSync(new URL('infrastructure/bin/compile.cjs', PROJECT), 'utf8');
    const needed = ['FOLDERS', 'SETTINGS'].flatMap((list) => {
      const [, items = ''] = new RegExp(`const ${list} = \\[([^\\]]+)\\]`).exec(compiler) ?? [];
      return [...items.matchAll(/'([^']+)'/g)].map(([, item = '']) => item);
    });
    expect(needed).to.include.members(['domain', 'knexfile.ts']);
    const copied = textsOf(dockerfile, 'COPY').flatMap((text) => text.split(' '));
    expect(copied).to.include.members(needed);
  });
});
