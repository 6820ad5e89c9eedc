import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** A call on something that is named as a logger. */
export interface LogCall {
  /** `file:line` */
  readonly place: string;
  /** Null: computed. */
  readonly method: string | null;
  /** The events that the first argument names. Null: it names none. */
  readonly events: readonly string[] | null;
  /** Whether it has words of its own in place of the catalogue's. */
  readonly hasOwnText: boolean;
}

/** Every call on a logger in a module; with `text`, as if that stood in the file. */
export const logCallsIn = (
  root: string,
  file: string,
  text = readFileSync(join(root, file), 'utf8'),
): readonly LogCall[] => {
  const calls: LogCall[] = [];
  const { program } = parseSync(file, text);
  new Visitor({
    CallExpression: ({ start, callee, arguments: [event, , ownText] }) => {
      if (callee.type !== 'MemberExpression') return;
      const owner = text.slice(callee.object.start, callee.object.end);
      if (!/(?:^|[.#])(?:log|logger)[?!]?$/i.test(owner)) return;
      const { property, computed } = callee;
      calls.push({
        place: `${file}:${text.slice(0, start).split('\n').length}`,
        method: !computed && property.type === 'Identifier' ? property.name : null,
        events: event === undefined ? null : namesIn(event),
        hasOwnText: ownText !== undefined,
      });
    },
  }).visit(program);
  return calls;
};

/** A text, or a choice between texts. */
const namesIn = (node: object): readonly string[] | null => {
  if ('value' in node && typeof node.value === 'string') return [node.value];
  if (!('consequent' in node && 'alternate' in node)) return null;
  const [one, other] = [node.consequent, node.alternate].map((part) =>
    part instanceof Object ? namesIn(part) : null,
  );
  return one && other ? [...one, ...other] : null;
};
