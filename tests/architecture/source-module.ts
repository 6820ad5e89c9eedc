import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** What one module takes from elsewhere: `import`, `import type`, `import()`, `export … from`, a type's `import('…')`. */
export interface Import {
  /** A path from the project's root, a `node:` module, a package's name, or null when it is computed at run time. */
  readonly target: string | null;
  readonly kind: 'project' | 'node' | 'package' | 'computed';
  readonly typeOnly: boolean;
}

export interface SourceModule {
  /** From the project's root, with `/`. */
  readonly file: string;
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
  readonly readsEnvironment: boolean;
  readonly usesConsole: boolean;
  /** Whether it asks a container for something: `container.get(…)`, or any `get` with one of `TOKENS`. */
  readonly resolvesServices: boolean;
  /** Lines (from 1) of `as`, `!` and `any` without a comment at or shortly above them. */
  readonly unprovenLines: readonly number[];
  /** Lines that hold more than white space and comments. */
  readonly codeLines: number;
}

/** How far above an assertion its proof may stand: it belongs to the whole statement. */
const PROOF_REACH_LINES = 4;

/** Reads one module; with `text`, as if that stood in the file. @throws {Error} when it does not parse */
export const readModule = (
  root: string,
  file: string,
  text = readFileSync(join(root, file), 'utf8'),
): SourceModule => {
  const { program, errors, comments } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;
  const commentLines = new Set(
    comments.flatMap(({ start, end }) => {
      const first = lineAt(start);
      return Array.from({ length: lineAt(end) - first + 1 }, (_, index) => first + index);
    }),
  );

  const imports: Import[] = [];
  const unprovenLines: number[] = [];
  const found = {
    hasDefaultExport: false,
    readsEnvironment: false,
    usesConsole: false,
    resolvesServices: false,
  };
  const take = (specifier: string | null, typeOnly: boolean): void => {
    imports.push({ ...resolve(file, specifier), typeOnly });
  };
  const claim = (offset: number): void => {
    const line = lineAt(offset);
    const reach = Array.from({ length: PROOF_REACH_LINES + 1 }, (_, above) => line - above);
    if (!reach.some((near) => commentLines.has(near))) unprovenLines.push(line);
  };
  new Visitor({
    ImportDeclaration: ({ source, importKind, specifiers }) => {
      const named = specifiers.filter((specifier) => specifier.type === 'ImportSpecifier');
      const allTypes = named.length > 0 && named.length === specifiers.length && named.every(isType);
      take(source.value, importKind === 'type' || allTypes);
    },
    ExportNamedDeclaration: ({ source, exportKind, specifiers }) => {
      if (source !== null) take(source.value, exportKind === 'type');
      found.hasDefaultExport ||= specifiers.some(({ exported }) => nameOf(exported) === 'default');
    },
    ExportAllDeclaration: ({ source, exportKind }) => take(source.value, exportKind === 'type'),
    ExportDefaultDeclaration: () => {
      found.hasDefaultExport = true;
    },
    ImportExpression: ({ source }) => take(source.type === 'Literal' ? String(source.value) : null, false),
    TSImportType: ({ source }) => take(source.value, true),
    CallExpression: ({ callee, arguments: [argument] }) => {
      if (
        callee.type === 'MemberExpression' &&
        /^get(?:Async|All|AllAsync)?$/.test(nameOf(callee.property) ?? '')
      )
        found.resolvesServices ||= nameOf(callee.object) === 'container' || isToken(argument);
      if (callee.type !== 'Identifier' || callee.name !== 'require') return;
      take(argument?.type === 'Literal' ? String(argument.value) : null, false);
    },
    MemberExpression: ({ object, property, computed }) => {
      if (object.type !== 'Identifier') return;
      const name = nameOf(property);
      found.usesConsole ||= object.name === 'console';
      found.readsEnvironment ||= object.name === 'process' && (name === 'env' || (computed && name === null));
    },
    VariableDeclarator: ({ id, init }) => {
      if (init?.type !== 'Identifier' || init.name !== 'process' || id.type !== 'ObjectPattern') return;
      found.readsEnvironment ||= id.properties.some(
        (property) => property.type === 'RestElement' || nameOf(property.key) === 'env',
      );
    },
    TSAsExpression: ({ start, typeAnnotation }) => {
      const isConst =
        typeAnnotation.type === 'TSTypeReference' && nameOf(typeAnnotation.typeName) === 'const';
      if (!isConst) claim(start);
    },
    TSNonNullExpression: ({ start }) => claim(start),
    TSAnyKeyword: ({ start }) => claim(start),
  }).visit(program);
  const readsEnvironment =
    found.readsEnvironment || imports.some(({ target }) => target === 'node:process' || target === 'process');
  return { file, imports, ...found, readsEnvironment, unprovenLines, codeLines: codeLinesOf(text, comments) };
};

const isType = (specifier: { readonly importKind?: string | null }): boolean =>
  specifier.importKind === 'type';

const isToken = (argument: object | undefined): boolean =>
  argument !== undefined &&
  'object' in argument &&
  argument.object instanceof Object &&
  nameOf(argument.object) === 'TOKENS';

/** The text of a name, however it is written; null for anything that is computed. */
const nameOf = (node: object): string | null => {
  if ('name' in node && typeof node.name === 'string') return node.name;
  return 'value' in node && typeof node.value === 'string' ? node.value : null;
};

const NODE_MODULES = new Set([
  'fs',
  'path',
  'os',
  'net',
  'http',
  'https',
  'crypto',
  'process',
  'child_process',
]);

const resolve = (file: string, specifier: string | null): Pick<Import, 'target' | 'kind'> => {
  if (specifier === null) return { target: null, kind: 'computed' };
  if (specifier.startsWith('.')) {
    return { target: posix.join(posix.dirname(file), specifier), kind: 'project' };
  }
  const [first = '', second = ''] = specifier.split('/');
  if (specifier.startsWith('node:') || NODE_MODULES.has(first)) return { target: specifier, kind: 'node' };
  return { target: specifier.startsWith('@') ? `${first}/${second}` : first, kind: 'package' };
};

const codeLinesOf = (text: string, comments: readonly { start: number; end: number }[]): number => {
  const code = comments.reduceRight(
    (rest, { start, end }) =>
      rest.slice(0, start) + rest.slice(start, end).replaceAll(/[^\n]/g, ' ') + rest.slice(end),
    text,
  );
  return code.split('\n').filter((line) => line.trim() !== '').length;
};
